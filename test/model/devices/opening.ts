/** Devices for tests: by name, with room for the kernels, and with the parts that `test/devices/setup.ts` brings. */
import * as Effect from "effect/Effect"
import { existsSync } from "node:fs"
import { fileURLToPath } from "node:url"
import type { Device } from "../../../src/model/Device.ts"
import { type DeviceWish, openDevice } from "../../../src/model/devices/openDevice.ts"
import { locate, PackageFolders } from "../../../src/model/devices/packages.ts"
import { Arena } from "../../../src/model/kernels/Arena.ts"
import { Kernels } from "../../../src/model/kernels/Kernels.ts"

const root = new URL("../../../", import.meta.url)
const parts = (path: string) => fileURLToPath(new URL(`.devices/${path}`, root))

/** The folder that has the native parts, and packages in `node_modules`. */
export const partsFolder = parts("")

const places = [fileURLToPath(new URL("package.json", root)), parts("package.json")]

/** Whether the packages of a device with native parts are there, set up or installed. */
export const isInstalled = (device: "tfjs-node" | "cuda" | "webgpu"): boolean =>
  locate(device === "webgpu" ? device : `@tensorflow/tfjs-node${device === "cuda" ? "-gpu" : ""}`, places) !== undefined

/** Whether the native parts of a device were set up. */
export const isSetUp = (device: "tfjs-node" | "webgpu"): boolean =>
  existsSync(parts(
    device === "webgpu" ? "vulkan/vk_swiftshader_icd.json" : "node_modules/@tensorflow/tfjs-node/lib/napi-v8"
  ))

/** What a process needs in its environment to find SwiftShader. */
export const swiftShader = {
  LD_LIBRARY_PATH: parts("vulkan"),
  VK_DRIVER_FILES: parts("vulkan/vk_swiftshader_icd.json")
}

/** A device of this name, for what follows in the scope. `bytes` is the room of the kernels. */
export const opened = Effect.fnUntraced(function*(wish: DeviceWish, bytes = 2 ** 24) {
  const arena = yield* Arena.make({ bytes })
  const kernels = yield* Kernels.instantiate(arena.memory)
  const device: Device["Service"] = yield* openDevice(wish, { arena, kernels }).pipe(
    Effect.provideService(PackageFolders, places)
  )
  return device
})

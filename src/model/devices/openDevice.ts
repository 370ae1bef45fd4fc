/**
 * Devices by name. `gpu` is a wish that one of two fulfils: CUDA, or else WebGPU. It never falls back on the processor:
 * where neither can be had, one error says what was tried, why each failed, and what installs them.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { CpuDevice } from "../CpuDevice.ts"
import { Device, type DeviceName, DeviceUnavailable } from "../Device.ts"
import type { Arena } from "../kernels/Arena.ts"
import type { Kernels } from "../kernels/Kernels.ts"
import { ReferenceDevice } from "../ReferenceDevice.ts"
import { installCommand, loadTfjs, type TfjsName } from "./loadTfjs.ts"
import type { NotLoaded } from "./packages.ts"
import * as TfjsDevice from "./TfjsDevice.ts"

/** What a device may be asked for by: its name, or the wish for a GPU of whatever kind. */
export type DeviceWish = DeviceName | "gpu"

/** Where the `cpu` device computes. */
export interface DeviceHost {
  readonly arena: Arena
  readonly kernels: Kernels
}

const ofTfjs = <D extends TfjsName>(name: D): Effect.Effect<Device["Service"], NotLoaded, Scope.Scope> =>
  Effect.map(loadTfjs(name), (backend) => Device.from(TfjsDevice.make(name, backend)))

const unavailable = (failure: NotLoaded, name: TfjsName): DeviceUnavailable =>
  new DeviceUnavailable({
    device: name,
    message: `${failure.message} ${
      failure.command === undefined
        ? "Leave --device out, or say --device cpu."
        : `Run ${failure.command}, or leave --device out.`
    }`
  })

/** WebGPU, unless all it finds is a processor that plays a GPU: nobody who asks for a GPU means that. */
const hardwareWebGpu = Effect.gen(function*() {
  const backend = yield* loadTfjs("webgpu")
  const { adapter } = backend
  if (adapter?.software === true) {
    return yield* softwareOnly(adapter.name)
  }
  return Device.from(TfjsDevice.make("webgpu", backend))
})

const softwareOnly = (adapter: string) =>
  new DeviceUnavailable({
    device: "webgpu",
    message: `WebGPU finds only a processor that plays a GPU (${adapter}); --device webgpu takes it all the same`
  })

const gpu = Effect.gen(function*() {
  const cuda = yield* Effect.result(ofTfjs("cuda"))
  if (cuda._tag === "Success") return cuda.success
  const webgpu = yield* Effect.result(hardwareWebGpu)
  if (webgpu._tag === "Success") return webgpu.success
  const command = webgpu.failure._tag === "NotLoaded" ? webgpu.failure.command : undefined
  // Whoever has the packages of WebGPU lacks what these lack, and not CUDA.
  const cudaToo = command === undefined || command === installCommand("webgpu")
  const commands = [
    ...(cuda.failure.command === undefined || !cudaToo ? [] : [`${cuda.failure.command} for an NVIDIA GPU with CUDA`]),
    ...(command === undefined ? [] : [`${command} for any GPU with a Vulkan, Metal or Direct3D 12 driver`])
  ]
  return yield* new DeviceUnavailable({
    device: "gpu",
    message: `Device "gpu" is not available: tried cuda (${cuda.failure.reason}) and webgpu (${
      reasonOf(webgpu.failure)
    }). ${commands.length === 0 ? "Leave --device out, or say --device cpu." : `Run ${commands.join(", or ")}.`}`
  })
})

/** The device of that name; what it holds is given back with the scope. */
export const openDevice = (
  wish: DeviceWish,
  { arena, kernels }: DeviceHost
): Effect.Effect<Device["Service"], DeviceUnavailable, Scope.Scope> => {
  if (wish === "cpu") return Effect.succeed(Device.from(CpuDevice.make(arena, kernels)))
  if (wish === "reference") return Effect.succeed(Device.from(ReferenceDevice.make))
  if (wish === "gpu") return gpu
  return Effect.mapError(ofTfjs(wish), (failure) => unavailable(failure, wish))
}

/** Devices that may be faster than `cpu` where a network is large: those that run it on more than one core, or on a GPU. */
export const accelerators = ["tfjs-node", "cuda", "webgpu"] as const satisfies ReadonlyArray<TfjsName>

/** An accelerator, where it can be had. Software that plays a GPU is none. */
export const openAccelerator = (
  name: typeof accelerators[number]
): Effect.Effect<Device["Service"], NotLoaded | DeviceUnavailable, Scope.Scope> =>
  name === "webgpu" ? hardwareWebGpu : ofTfjs(name)

/** Why an accelerator cannot be had: a part of a sentence. */
export const reasonOf = (failure: NotLoaded | DeviceUnavailable): string =>
  failure._tag === "NotLoaded" ? failure.reason : failure.message

/** Whether an accelerator cannot be had because nobody has installed its packages. */
export const isAbsent = (failure: NotLoaded | DeviceUnavailable): boolean =>
  failure._tag === "NotLoaded" && accelerators.some((name) => failure.command === installCommand(name))

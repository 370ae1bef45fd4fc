/**
 * Loads TensorFlow.js for a device that is made of it. Its packages are optional peers: nothing of them is read before a
 * device is asked for by name, and what is not there is one sentence with the command that installs it.
 *
 * `tfjs-cpu` and `tfjs-wasm` are plain packages, `tfjs-node` and `cuda` bring a native library, `webgpu` is Dawn, the
 * WebGPU of Chromium, for Node.
 */
import type * as tfjs from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import { createRequire } from "node:module"
import type { DeviceName } from "../Device.ts"
import { importFile, locate, NotLoaded, PackageFolders } from "./packages.ts"
import type { TfjsBackend } from "./TfjsDevice.ts"

/** The devices made of TensorFlow.js. */
export type TfjsName = Exclude<DeviceName, "cpu" | "reference">

const core = "@tensorflow/tfjs-core"
const release = "4.22.0"

/** What each device needs: packages by name and version, the library's name among them, and the backend's name in it. */
const parts: {
  readonly [Name in TfjsName]: {
    readonly packages: Readonly<Record<string, string>>
    /** The package whose module is TensorFlow.js. */
    readonly library: string
    /** Packages that register the backend when they are loaded. */
    readonly registers: ReadonlyArray<string>
    readonly backend: string
  }
} = {
  "tfjs-cpu": {
    packages: { [core]: release, "@tensorflow/tfjs-backend-cpu": release },
    library: core,
    registers: ["@tensorflow/tfjs-backend-cpu"],
    backend: "cpu"
  },
  "tfjs-wasm": {
    packages: { [core]: release, "@tensorflow/tfjs-backend-wasm": release },
    library: core,
    registers: ["@tensorflow/tfjs-backend-wasm"],
    backend: "wasm"
  },
  "tfjs-node": {
    packages: { "@tensorflow/tfjs-node": release },
    library: "@tensorflow/tfjs-node",
    registers: [],
    backend: "tensorflow"
  },
  cuda: {
    packages: { "@tensorflow/tfjs-node-gpu": release },
    library: "@tensorflow/tfjs-node-gpu",
    registers: [],
    backend: "tensorflow"
  },
  webgpu: {
    packages: { [core]: release, "@tensorflow/tfjs-backend-webgpu": release, webgpu: "0.6.2" },
    library: core,
    registers: ["@tensorflow/tfjs-backend-webgpu"],
    backend: "webgpu"
  }
}

/** The command that installs a device's packages. */
export const installCommand = (name: TfjsName): string =>
  `npm install ${Object.entries(parts[name].packages).map(([id, version]) => `${id}@${version}`).join(" ")}`

const firstLine = (cause: unknown): string =>
  (cause instanceof Error ? cause.message : String(cause)).trim().split("\n")[0]!.trim().replace(/\.$/, "")

/**
 * tfjs-node 4.22 calls two functions of `node:util` that newer versions of Node have dropped (`isNullOrUndefined`, with
 * Node 23) or warn of (`isArray`).
 */
export const restoreUtil = (target: object = createRequire(import.meta.url)("node:util")): void => {
  Object.assign(target, {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray
  })
}

/** What `webgpu`, Dawn for Node, exports. */
const isDawn = (
  module: object
): module is { readonly create: (flags: ReadonlyArray<string>) => object; readonly globals: object } =>
  "create" in module && typeof module.create === "function" && "globals" in module

/** Puts WebGPU where a browser has it, and says what adapter it has found. */
const provideWebGpu = async (dawn: object): Promise<{ readonly name: string; readonly software: boolean }> => {
  if (!isDawn(dawn)) throw new Error("the package webgpu is of another version than this program knows")
  Object.assign(globalThis, dawn.globals)
  const gpu = dawn.create([])
  Object.defineProperty(globalThis.navigator, "gpu", { value: gpu, configurable: true })
  const adapter: unknown = "requestAdapter" in gpu && typeof gpu.requestAdapter === "function"
    ? await gpu.requestAdapter({ powerPreference: "high-performance" })
    : null
  if (!Predicate.hasProperty(adapter, "info")) {
    throw new Error("WebGPU finds no adapter, which on Linux takes a Vulkan driver and libvulkan.so.1")
  }
  const { info } = adapter
  const description = Predicate.hasProperty(info, "description") ? String(info.description) : "an unnamed adapter"
  return {
    name: description,
    software: Predicate.hasProperty(info, "isFallbackAdapter") && info.isFallbackAdapter === true
  }
}

const isTfjs = (module: object): module is typeof tfjs =>
  ["tidy", "tensor1d", "setBackend", "removeBackend"].every((name) => name in module)

/** A backend that devices of this program stand on: made with the first of them, given back with the last. */
interface Standing {
  devices: number
  readonly made: Promise<void>
  readonly giveBack: () => void
}

/** The backends in use, of each library, by name. */
const standing = new WeakMap<object, Map<string, Standing>>()

/**
 * Makes a backend beside those in use. The library has one at a time, and computes nothing while one is being made,
 * which may take long: so it is handed one that is ready.
 */
const make = (tf: typeof tfjs, backend: string): Standing => {
  // Null where the package has registered none; the types do not say so.
  const factory: ReturnType<typeof tf.findBackendFactory> | null | undefined = tf.findBackendFactory(backend)
  const register = (factory: Parameters<typeof tf.registerBackend>[1]) => {
    tf.removeBackend(backend)
    tf.registerBackend(backend, factory)
  }
  const begin = async () => {
    if (typeof factory !== "function" || tf.engine().registry[backend] !== undefined) return
    const instance = await factory()
    register(() => instance)
  }
  const made = begin()
  // Whoever waits for it hears of it; nobody may, where the start was interrupted.
  made.catch(() => {})
  return {
    devices: 0,
    made,
    giveBack: () => {
      const instance: unknown = tf.engine().registry[backend]
      if (typeof factory === "function") register(factory)
      if (Predicate.hasProperty(instance, "device") && Predicate.hasProperty(instance.device, "destroy")) {
        if (typeof instance.device.destroy === "function") instance.device.destroy()
      }
    }
  }
}

/** A backend that is made, for as long as the scope lasts. */
const stand = Effect.fnUntraced(function*(tf: typeof tfjs, backend: string) {
  const ofLibrary = standing.get(tf) ?? new Map<string, Standing>()
  standing.set(tf, ofLibrary)
  const { made } = yield* Effect.acquireRelease(
    Effect.sync(() => {
      const one = ofLibrary.get(backend) ?? make(tf, backend)
      ofLibrary.set(backend, one)
      one.devices += 1
      return one
    }),
    (one) =>
      Effect.promise(async () => {
        one.devices -= 1
        // What is being made is waited for: nobody else could give it back.
        const success = await one.made.then(() => true, () => false)
        // TensorFlow's native library is one for the process, and holds what tensors hold.
        if (one.devices > 0 || ofLibrary.get(backend) !== one || (success && backend === "tensorflow")) return
        ofLibrary.delete(backend)
        if (success) one.giveBack()
      })
  )
  yield* Effect.tryPromise({ try: () => made, catch: firstLine })
})

/** A backend that is ready, and the name of what it computes on, where it has one. */
export interface LoadedTfjs extends TfjsBackend {
  readonly adapter?: { readonly name: string; readonly software: boolean }
}

/** Loads a device's library and its backend; what they hold is given back with the scope. */
export const loadTfjs = Effect.fnUntraced(function*(
  device: TfjsName
): Effect.fn.Return<LoadedTfjs, NotLoaded, Scope.Scope> {
  const { backend, library, packages, registers } = parts[device]
  const places = yield* PackageFolders
  const refuse = (reason: string, missing = false) => new NotLoaded({ device, reason, missing })

  // All are looked for before any is loaded: the answer that one is missing takes no time.
  const files: Record<string, string> = {}
  for (const id of Object.keys(packages).toReversed()) {
    // A library that comes as a package of its own must be the one that the backend registers with.
    const registrar = files[registers[0] ?? ""]
    const file = locate(id, id === library && registrar !== undefined ? [registrar, ...places] : places)
    if (file === undefined) return yield* refuse(`the package ${id} is not installed`, true)
    files[id] = file
  }
  const load = (id: string) =>
    Effect.tryPromise({
      try: () => importFile(files[id]!),
      catch: (cause) => refuse(`${id} fails: ${firstLine(cause)}`)
    })

  restoreUtil()
  // TensorFlow's own log goes to standard error; its warnings are for those who build it.
  process.env["TF_CPP_MIN_LOG_LEVEL"] ??= "2"
  const adapter = device === "webgpu"
    ? yield* Effect.flatMap(
      load("webgpu"),
      (dawn) => Effect.tryPromise({ try: () => provideWebGpu(dawn), catch: (cause) => refuse(firstLine(cause)) })
    )
    : undefined
  const tf = yield* load(library)
  if (!isTfjs(tf)) return yield* refuse(`${library} is of another version than this program knows`)
  // Checks of every number, and hints about other backends, on every operation.
  tf.enableProdMode()
  for (const id of registers) yield* load(id)

  const notStarted = (reason?: string) =>
    refuse(`its backend "${backend}" does not start${reason === undefined ? "" : `: ${reason}`}`)
  yield* Effect.mapError(stand(tf, backend), notStarted)
  const ready = yield* Effect.tryPromise({
    try: () => tf.setBackend(backend),
    catch: (cause) => notStarted(firstLine(cause))
  })
  if (!ready) return yield* notStarted()
  if (device === "cuda") {
    const native: unknown = tf.backend()
    if (!Predicate.hasProperty(native, "isUsingGpuDevice") || native.isUsingGpuDevice !== true) {
      return yield* refuse(
        "@tensorflow/tfjs-node-gpu sees no GPU, which takes an NVIDIA driver and the CUDA and cuDNN libraries it was built for"
      )
    }
  }
  return { tf, backend, ...(adapter === undefined ? {} : { adapter }) }
})

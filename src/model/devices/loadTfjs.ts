/**
 * Loads TensorFlow.js for a device that is made of it. Its packages are optional peers: nothing of them is read before a
 * device is asked for by name, and what is not there is one sentence with the command that installs it.
 *
 * `tfjs-cpu` and `tfjs-wasm` are plain packages, `tfjs-node` and `cuda` bring a native library, `webgpu` is Dawn, the
 * WebGPU of Chromium, for Node.
 */
import type * as tfjs from "@tensorflow/tfjs-core"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Predicate from "effect/Predicate"
import * as Scope from "effect/Scope"
import * as Semaphore from "effect/Semaphore"
import { plainLine } from "../../text/plainLine.ts"
import type { DeviceName } from "../Device.ts"
import { importFile, locate, NotLoaded, PackageFolders, placesOf, VulkanLibrary } from "./packages.ts"
import type { TfjsBackend } from "./TfjsDevice.ts"
import { firstLine } from "./trouble.ts"
import { openWebGpu } from "./webGpu.ts"
import { backendOn } from "./webGpuBackend.ts"

/** The devices made of TensorFlow.js. */
export type TfjsName = Exclude<DeviceName, "cpu" | "reference">

const core = "@tensorflow/tfjs-core"
const release = "4.22.0"

/** TensorFlow's own log goes to standard error; its warnings are for those who build it. */
const quiet = { TF_CPP_MIN_LOG_LEVEL: "2" }

/** What each device needs: packages by name and version, the library's name among them, and the backend's name in it. */
const parts: {
  readonly [Name in TfjsName]: {
    readonly packages: Readonly<Record<string, string>>
    /** The package whose module is TensorFlow.js. */
    readonly library: string
    /** Packages that register the backend when they are loaded. */
    readonly registers: ReadonlyArray<string>
    readonly backend: string
    /** Variables of the environment that its native library reads when it is loaded; what the user has set stays. */
    readonly variables?: Readonly<Record<string, string>>
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
    backend: "tensorflow",
    variables: quiet
  },
  cuda: {
    packages: { "@tensorflow/tfjs-node-gpu": release },
    library: "@tensorflow/tfjs-node-gpu",
    registers: [],
    backend: "tensorflow",
    variables: {
      ...quiet,
      // cuBLAS would round what it multiplies to 10 bits: gradients were off by 1.7e-3.
      NVIDIA_TF32_OVERRIDE: "0",
      // TensorFlow would take the whole card at once, for a network of any size.
      TF_FORCE_GPU_ALLOW_GROWTH: "true"
    }
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

/**
 * tfjs-node 4.22 calls two functions of `node:util` that newer versions of Node have dropped (`isNullOrUndefined`, with
 * Node 23) or warn of (`isArray`).
 */
export const restoreUtil = (target: object = process.getBuiltinModule("node:util")): void => {
  Object.assign(target, {
    isNullOrUndefined: (value: unknown) => value === null || value === undefined,
    isArray: Array.isArray
  })
}

const isTfjs = (module: object): module is typeof tfjs =>
  ["tidy", "tensor1d", "env", "setBackend", "removeBackend", "registerBackend"].every((name) => name in module)

/** A backend that is ready, and the name of what it computes on, where it has one. */
export interface LoadedTfjs extends TfjsBackend {
  readonly adapter?: { readonly name: string; readonly software: boolean }
}

/** A backend that is open, and how many devices of this program stand on it: it is given back with the last of them. */
interface Opened {
  readonly backend: LoadedTfjs
  readonly scope: Scope.Closeable
  users: number
}
const opened = new Map<string, Opened>()
/** One is opened or given back at a time. */
const lock = Semaphore.makeUnsafe(1)

/** The backend that is open under this key, or that is opened now, for what follows in the scope. */
const share = (
  key: string,
  open: Effect.Effect<LoadedTfjs, NotLoaded, Scope.Scope>
): Effect.Effect<LoadedTfjs, NotLoaded, Scope.Scope> => {
  const acquire = Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const found = opened.get(key)
      if (found !== undefined) {
        found.users++
        return found
      }
      const scope = yield* Scope.make()
      const backend = yield* restore(Scope.provide(open, scope)).pipe(
        Effect.onError((cause) => Scope.close(scope, Exit.failCause(cause)))
      )
      const entry: Opened = { backend, scope, users: 1 }
      opened.set(key, entry)
      return entry
    })
  )
  const release = (entry: Opened) =>
    lock.withPermit(Effect.suspend(() => {
      entry.users--
      if (entry.users > 0) return Effect.void
      opened.delete(key)
      return Scope.close(entry.scope, Exit.void)
    }))
  return Effect.map(
    Effect.acquireRelease(lock.withPermit(acquire), release, { interruptible: true }),
    ({ backend }) => backend
  )
}

/** Loads a device's library and its backend; what they hold is given back with the scope. */
export const loadTfjs = Effect.fnUntraced(function*(
  device: TfjsName
): Effect.fn.Return<LoadedTfjs, NotLoaded, Scope.Scope> {
  const { backend, library, packages, registers, variables } = parts[device]
  const places = yield* PackageFolders
  const vulkan = yield* VulkanLibrary
  const refuse = (reason: string, command?: string) =>
    new NotLoaded({ device, reason, ...(command === undefined ? {} : { command }) })

  // All are looked for before any is loaded: the answer that one is missing takes no time.
  const files: Record<string, string> = {}
  for (const id of Object.keys(packages).toReversed()) {
    // A library that comes as a package of its own must be the one that the backend registers with.
    const registrar = files[registers[0] ?? ""]
    const found = locate(id, id === library && registrar !== undefined ? [...placesOf(registrar), ...places] : places)
    if (found === undefined) return yield* refuse(`the package ${id} is not installed`, installCommand(device))
    if (found.version !== packages[id]) {
      return yield* refuse(
        `the package ${id} is installed in version ${plainLine(found.version, 40)}, and ${packages[id]} is needed`,
        installCommand(device)
      )
    }
    files[id] = found.file
  }
  const load = (id: string) =>
    Effect.tryPromise({
      try: () => importFile(files[id]!),
      catch: (cause) => refuse(`${id} fails: ${firstLine(cause)}`)
    })

  const open = Effect.gen(function*() {
    restoreUtil()
    for (const [name, value] of Object.entries(variables ?? {})) process.env[name] ??= value
    const gpu = device === "webgpu"
      ? yield* Effect.mapError(
        Effect.flatMap(load("webgpu"), (dawn) => openWebGpu(dawn, vulkan)),
        (failure) => failure._tag === "NotLoaded" ? failure : refuse(failure.reason, failure.command)
      )
      : undefined
    const tf = yield* load(library)
    if (!isTfjs(tf)) return yield* refuse(`${library} is of another version than this program knows`)
    // Checks of every number, and hints about other backends, on every operation.
    tf.enableProdMode()
    const modules: Array<object> = []
    for (const id of registers) modules.push(yield* load(id))

    // Where a product has few tiles WebGPU's would divide its sums among groups of threads that add in whatever order they
    // come, and no two runs would be the same: never few enough (`TfjsDevice.ts` divides them itself).
    if (gpu !== undefined) tf.env().set("WEBGPU_THRESHOLD_TO_INCREASE_WORKGROUPS_FOR_MATMUL", Number.MIN_VALUE)

    const notStarted = (reason?: string) =>
      refuse(`its backend "${backend}" does not start${reason === undefined ? "" : `: ${reason}`}`)
    // Null where no package has registered one; the types do not say so.
    const factory: ReturnType<typeof tf.findBackendFactory> | null | undefined = tf.findBackendFactory(backend)
    const registered = typeof factory === "function"
    const running = tf.engine().registry[backend] !== undefined
    if (gpu !== undefined && running) return yield* notStarted("other code of this program uses it")
    // TensorFlow's native library is one for the process, and holds what tensors hold.
    if (backend !== "tensorflow" && !running && (gpu !== undefined || registered)) {
      // The library computes nothing while it makes a backend, which may take long and disturb others: it is handed one.
      const instance = yield* Effect.uninterruptible(Effect.tryPromise({
        try: async () => gpu === undefined ? factory!() : backendOn(gpu, modules[0]!),
        catch: (cause) => notStarted(firstLine(cause))
      }))
      if (registered) tf.removeBackend(backend)
      tf.registerBackend(backend, () => instance)
      yield* Effect.addFinalizer(() =>
        Effect.sync(() => {
          try {
            tf.removeBackend(backend)
          } catch (cause) {
            // What stands on a GPU that has failed cannot be taken down in order.
            if (gpu?.trouble() === undefined) throw cause
          }
          // The library is left as it was.
          if (registered) tf.registerBackend(backend, factory)
        })
      )
    }
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
    const loaded: LoadedTfjs = {
      tf,
      backend,
      ...(gpu === undefined ? {} : { trouble: gpu.trouble, adapter: { name: gpu.name, software: gpu.software } })
    }
    return loaded
  })
  return yield* share(`${files[library]} ${backend}`, open)
})

/**
 * WebGPU for Node, by Dawn (the package `webgpu`): its adapter, its device, and the backend of TensorFlow.js on that
 * device. Dawn reports a refused command, or memory that is not there, as an event some time later, goes on with
 * results that mean nothing, and prints the event on standard output where nobody takes it. Here the first event is
 * kept: whoever reads a result looks for it before believing the result.
 */
import * as Effect from "effect/Effect"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import { constants } from "node:os"
import { withDeadline } from "../../time/deadline.ts"
import { firstLine, type Trouble } from "./trouble.ts"

/** Why WebGPU cannot be had here, and the command that installs what is missing, where something is. */
export class NoWebGpu extends Schema.TaggedError<NoWebGpu>()("NoWebGpu", {
  reason: Schema.String,
  command: Schema.optionalKey(Schema.String)
}) {}

/** What is used of a `GPUDevice`. */
interface GpuDevice {
  readonly lost: Promise<unknown>
  readonly queue: { readonly writeBuffer: (buffer: object, offset: number, data: ArrayBufferView) => void }
  onuncapturederror: ((event: unknown) => void) | null
  readonly destroy: () => void
}

/** A device of WebGPU that is open. */
export interface WebGpu {
  readonly device: GpuDevice
  /** The adapter's `GPUAdapterInfo`. */
  readonly info: object
  /** The adapter's name. */
  readonly name: string
  /** Whether the adapter is a processor that plays a GPU. */
  readonly software: boolean
  /** The first thing that has gone wrong. */
  readonly trouble: () => Trouble | undefined
}

const another = "the package webgpu is of another version than this program knows"
const no = (reason: string, command?: string) => new NoWebGpu({ reason, ...(command === undefined ? {} : { command }) })

/** What `webgpu`, Dawn for Node, exports. */
const isDawn = (
  module: object
): module is { readonly create: (flags: ReadonlyArray<string>) => object; readonly globals: object } =>
  "create" in module && typeof module.create === "function" && "globals" in module

const isDevice = (value: unknown): value is GpuDevice =>
  Predicate.hasProperty(value, "lost") && value.lost instanceof Promise &&
  Predicate.hasProperty(value, "queue") && Predicate.hasProperty(value.queue, "writeBuffer") &&
  Predicate.hasProperty(value, "destroy") && typeof value.destroy === "function"

/** Calls a method that answers with a promise. */
const ask = (target: object, method: string, argument: object): Effect.Effect<unknown, NoWebGpu> =>
  Effect.tryPromise({
    try: async () => {
      if (!Predicate.hasProperty(target, method) || typeof target[method] !== "function") throw new Error(another)
      const answer: unknown = await target[method](argument)
      return answer
    },
    catch: (cause) => no(firstLine(cause))
  }).pipe(withDeadline(60_000, () => Effect.fail(no(`WebGPU has not answered ${method} for 60 seconds`))))

/**
 * Whether the library is there that finds Vulkan drivers; Dawn asks for it by this name. It is no addon of Node's, which
 * is what the attempt says where the library was found.
 */
const findVulkan = (library: string): Effect.Effect<void, NoWebGpu> =>
  Effect.suspend(() => {
    try {
      process.dlopen({ exports: {} }, library, constants.dlopen.RTLD_LAZY)
    } catch (cause) {
      const words = firstLine(cause)
      if (words.includes("did not self-register")) return Effect.void
      return Effect.fail(no(
        `the library ${library} cannot be loaded`,
        "apt-get install libvulkan1 (vulkan-loader on other systems)"
      ))
    }
    return Effect.void
  })

/** What TensorFlow.js asks of a device beyond what every device has. */
const limits = [
  "maxComputeWorkgroupStorageSize",
  "maxComputeWorkgroupsPerDimension",
  "maxStorageBufferBindingSize",
  "maxBufferSize",
  "maxComputeWorkgroupSizeX",
  "maxComputeInvocationsPerWorkgroup"
]

const kinds: Readonly<Record<string, Trouble["kind"]>> = {
  GPUOutOfMemoryError: "memory",
  GPUValidationError: "refused"
}

/** Listens to a device until it is given back; answers the first thing that went wrong. */
const listen = (device: GpuDevice, isClosed: () => boolean): () => Trouble | undefined => {
  let first: Trouble | undefined
  device.onuncapturederror = (event) => {
    // Dawn prints what nobody prevents.
    if (
      Predicate.hasProperty(event, "preventDefault") && typeof event.preventDefault === "function"
    ) event.preventDefault()
    const error = Predicate.hasProperty(event, "error") ? event.error : event
    const words = Predicate.hasProperty(error, "message") ? String(error.message) : ""
    first ??= { kind: kinds[Object(error).constructor?.name] ?? "failed", reason: firstLine(words) }
  }
  void device.lost.then((info) => {
    if (isClosed()) return
    // What comes of the loss, such as a buffer that cannot be mapped, is told before the loss.
    first = {
      kind: "lost",
      reason: Predicate.hasProperty(info, "message") ? firstLine(String(info.message)) : ""
    }
  })
  return () => first
}

/** Opens the fastest adapter's device; it is given back with the scope. `dawn` is the module `webgpu`. */
export const openWebGpu = Effect.fnUntraced(function*(
  dawn: object,
  vulkanLibrary: string | undefined
): Effect.fn.Return<WebGpu, NoWebGpu, Scope.Scope> {
  if (!isDawn(dawn)) return yield* no(another)
  if (vulkanLibrary !== undefined) yield* findVulkan(vulkanLibrary)
  // Where a browser has it; the backend looks for it there.
  Object.assign(globalThis, dawn.globals)
  const gpu = yield* Effect.try({ try: () => dawn.create([]), catch: (cause) => no(firstLine(cause)) })
  Object.defineProperty(globalThis.navigator, "gpu", { value: gpu, configurable: true })
  const adapter = yield* ask(gpu, "requestAdapter", { powerPreference: "high-performance" })
  if (!Predicate.hasProperty(adapter, "info") || !Predicate.isObject(adapter.info)) {
    return yield* no("WebGPU finds no adapter, which on Linux takes a Vulkan driver")
  }
  const offered = Predicate.hasProperty(adapter, "limits") ? adapter.limits : {}
  const requiredLimits = Object.fromEntries(
    limits.flatMap((name) => Predicate.hasProperty(offered, name) ? [[name, offered[name]]] : [])
  )
  let closed = false
  const device = yield* Effect.acquireRelease(
    Effect.flatMap(
      ask(adapter, "requestDevice", { requiredLimits }),
      (device) =>
        isDevice(device)
          ? Effect.succeed(device)
          : Effect.fail(no(Predicate.isNullish(device) ? "WebGPU gives no device" : another))
    ),
    (device) =>
      Effect.sync(() => {
        closed = true
        device.destroy()
      })
  )
  const { info } = adapter
  return {
    device,
    info,
    name: Predicate.hasProperty(info, "description") ? String(info.description) : "an unnamed adapter",
    software: Predicate.hasProperty(info, "isFallbackAdapter") && info.isFallbackAdapter === true,
    trouble: listen(device, () => closed)
  }
})

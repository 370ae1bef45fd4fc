/**
 * The device a model computes on, as a service. A `Device` makes `LearnerModel`s; a model, its batches and its
 * gradients carry the device's name in their type and are made only by that device, so that a batch of one device
 * cannot meet a model of another: it does not compile.
 *
 * The interface is at the level of the policy, not of tensors: a batch of experience goes in, one update of the flat
 * parameter vector (`policy/ParameterLayout.ts` has its order) comes out. What is behind it — WebAssembly kernels in this thread's
 * memory, or a library that queues work on a GPU — is the device's own business.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import type { LossName, LossReport, LossSettings } from "./losses/LossSettings.ts"
import type { OptimizerSpec } from "./optimizers.ts"
import type { PolicySpec } from "./policy/PolicySpec.ts"

/**
 * The names of the devices there are: the WebAssembly kernels (`cpu`), the float64 reference, and TensorFlow.js on
 * plain JavaScript, WebAssembly, the native library of TensorFlow, the same on an NVIDIA GPU, and WebGPU.
 */
export const deviceNames = ["cpu", "reference", "tfjs-cpu", "tfjs-wasm", "tfjs-node", "cuda", "webgpu"] as const
export type DeviceName = typeof deviceNames[number]

/** A device that cannot be had here: why, and what to do about it. */
export class DeviceUnavailable extends Schema.TaggedError<DeviceUnavailable>()("DeviceUnavailable", {
  device: Schema.String,
  message: Schema.String
}) {}

/** A computation that went wrong on a device: not finite, out of memory, or the device was lost. */
export class DeviceFault extends Schema.TaggedError<DeviceFault>()("DeviceFault", {
  device: Schema.String,
  message: Schema.String
}) {}

/** What every device says of gradients that are NaN or infinite. */
export const gradientsNotFinite = "the gradients are not finite; lower the learning rate, or check the rewards"

/** One environment's rows of a batch, as plain host arrays. `rows` leading rows count. */
export interface Segment {
  readonly rows: number
  /** float32 [rows][inputs] */
  readonly observations: Float32Array
  /** [rows][action width], of the distribution's type */
  readonly actions: Int32Array | Float32Array
  /** float32 [rows]; a constant of the policy term */
  readonly advantages: Float32Array
  /** float32 [rows]; what the value is regressed on */
  readonly returns: Float32Array
  /** float32 [rows]; log π of each action when it was chosen */
  readonly logProbabilities: Float32Array
  /** float32 [rows]; V of each observation when its action was chosen */
  readonly values: Float32Array
  /** What a policy that remembers begins the rows from, which are consecutive steps; left out: it remembers nothing. */
  readonly remembered?: {
    /** float32 [state words of the encoder] */
    readonly state: Float32Array
    /** uint8 [rows], 1 where an episode begins, before which nothing is remembered */
    readonly starts: Uint8Array
  }
  /** uint8 [rows][masks of the distribution], 0 where an action was not legal; left out: all were. */
  readonly masks?: Uint8Array
}

/** Experience on device `D`, in the order of the environments. Made by `LearnerModel.batch`. */
export interface Batch<D extends DeviceName> {
  readonly device: D
  readonly rows: number
  readonly segments: ReadonlyArray<Segment>
}

/** What one gradient is of. Its numbers are those of this pass: a schedule is the caller's. */
export interface Pass {
  readonly loss: LossSettings
  /** Advantages are (A − mean) · scale before the loss sees them; null: as they are. */
  readonly advantage: { readonly mean: number; readonly scale: number } | null
  /**
   * A minibatch: for each unit of segments the rows that are taken, in the order in which they are added, each as
   * `segment in the unit * maxRows + row`; null: all rows in their order. Of a policy that remembers a minibatch has all
   * rows of a segment, in their order, or none.
   */
  readonly select: ReadonlyArray<Int32Array> | null
}

/** What the present policy says about the rows of a batch, in their order; [rows] each. */
export interface RowEvaluation {
  /** log π of the action that was taken. */
  readonly logProbabilities: Float32Array
  readonly entropies: Float32Array
  readonly values: Float32Array
}

/** Gradients on device `D`: the sum over environments, in their order. Made by `LearnerModel.gradients`. */
export interface Gradients<D extends DeviceName> {
  readonly device: D
  readonly loss: LossReport
}

/** A gradient that a worker computed of its own experience, in the flat order, with what the kernels summed up. */
export interface Contribution {
  /** float32 [parameters]: the sum over the rows, which `statistics` counts; the device divides by their number. */
  readonly gradient: Float32Array
  /** Sums over the rows (`losses/Loss.ts`, `Statistic`). */
  readonly statistics: Float64Array
}

/** What a model is made from. */
export interface ModelSpec {
  readonly policy: PolicySpec
  readonly optimizer: OptimizerSpec
  /** The most rows one segment may hold. */
  readonly maxRows: number
  /** Segments whose gradients are summed together before they are added to the others. Default 1. */
  readonly unit?: number
}

/** Everything a model remembers, in host memory: with it, another model of the same spec goes on as this one would. */
export interface ModelState {
  /** In the flat order of `policy/ParameterLayout.ts`. */
  readonly parameters: Float32Array
  /** What the optimizer remembers, by the names that `optimizers.ts` gives. */
  readonly optimizer: {
    readonly arrays: Readonly<Record<string, Float32Array>>
    readonly scalars: Readonly<Record<string, number>>
  }
}

/** A policy and value network with its optimizer, living on device `D`. */
export interface LearnerModel<D extends DeviceName> {
  readonly device: D
  readonly spec: ModelSpec
  /** Brings experience to the device. A batch is good until the next one is made. */
  readonly batch: (segments: ReadonlyArray<Segment>) => Effect.Effect<Batch<D>, DeviceFault>
  /** Loss and gradients of a batch, or of a minibatch of it; summed in the order of its segments, so that no layout of workers changes a bit. */
  readonly gradients: (batch: Batch<D>, pass: Pass) => Effect.Effect<Gradients<D>, DeviceFault>
  /** Log-probabilities, entropies and values of a batch's rows, as the parameters are now. */
  readonly evaluate: (batch: Batch<D>) => Effect.Effect<RowEvaluation, DeviceFault>
  /** Gradients that others computed of that loss: their sum, in the order given. */
  readonly gather: (
    contributions: ReadonlyArray<Contribution>,
    loss: LossName
  ) => Effect.Effect<Gradients<D>, DeviceFault>
  /** One optimizer step. `maxGradNorm` 0 never clips. Succeeds with the global norm before clipping. */
  readonly apply: (
    gradients: Gradients<D>,
    step: { readonly learningRate: number; readonly maxGradNorm: number }
  ) => Effect.Effect<number, DeviceFault>
  /** Copies the parameters, in the flat order, into host memory. */
  readonly read: (into: Float32Array) => Effect.Effect<void, DeviceFault>
  /** Replaces the parameters. */
  readonly write: (parameters: Float32Array) => Effect.Effect<void, DeviceFault>
  /** A copy of all it remembers, between two updates. */
  readonly save: Effect.Effect<ModelState, DeviceFault>
  /** Goes on from what a model of the same spec saved, on whichever device; the state is copied. */
  readonly load: (state: ModelState) => Effect.Effect<void, DeviceFault>
}

/** A device by name, able to make models that live on it. */
export interface DeviceOf<D extends DeviceName> {
  readonly name: D
  readonly model: (spec: ModelSpec, initial: Float32Array) => Effect.Effect<LearnerModel<D>, DeviceFault, Scope.Scope>
}

/**
 * The device the configuration chose. Which one it is stays hidden: a program says what to do with a device of any
 * name, and within it everything belongs to that one device.
 *
 *     const device = yield* Device
 *     yield* device.use((d) => Effect.flatMap(d.model(spec, initial), (model) => model.batch(segments)))
 */
export class Device extends Context.Service<Device, {
  readonly name: DeviceName
  readonly use: <A, E, R>(
    f: <D extends DeviceName>(device: DeviceOf<D>) => Effect.Effect<A, E, R>
  ) => Effect.Effect<A, E, R>
}>()("troupe/model/Device") {
  /** Hides a device's name behind the service. */
  static readonly from = <D extends DeviceName>(device: DeviceOf<D>): Device["Service"] => ({
    name: device.name,
    use: (f) => f(device)
  })
}

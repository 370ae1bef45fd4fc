/**
 * The WebAssembly SIMD kernels as typed functions of one shared memory: the network forward and backward, sampling,
 * losses, optimizers. Their sources are in `assembly/`; the build puts the module at `dist/kernels.wasm`.
 *
 * Every argument is a byte offset into the memory (a multiple of 4; of 16 for speed) or a plain number. The kernels keep
 * no state and allocate nothing, so that any number of threads may each hold an instance over the same memory. They
 * use no relaxed SIMD: the same arguments give the same bits on every machine. A row's results depend neither on the
 * number of rows of a call nor on the row's place among them.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { companion, missing } from "../../companions.ts"
import type { Activation } from "../policy/activations.ts"
import { distributionOf, type DistributionSpec } from "../policy/DistributionSpec.ts"
import { encoderOf, type EncoderSpec } from "../policy/Encoder.ts"
import type { PolicySpec } from "../policy/PolicySpec.ts"
import type { Arena, OutOfMemory } from "./Arena.ts"
import { type CompiledModule, engine, type SharedMemory } from "./SharedMemory.ts"

/** The kernels cannot run here: why, and what to do about it. */
export class KernelsUnavailable extends Schema.TaggedError<KernelsUnavailable>()("KernelsUnavailable", {
  reason: Schema.Literals(["no-webassembly", "file-missing", "not-supported", "memory-not-shared"]),
  message: Schema.String
}) {}

/**
 * What the module exports. `net` is the offset of a descriptor (`writeDescriptor`), `params` and `gradients` of float32
 * arrays in the order of `ParameterLayout`, `observations` of float32 [rows][inputs], `logits` of float32 [rows][actions],
 * `values`, `advantages`, `returns`, `rewards` and `logProbabilities` of float32 [rows], `actions` of int32 [rows],
 * `workspace` of `workspaceBytes(spec, rows)` bytes, `statistics` of `Statistic.count` float64 (see `losses/Loss.ts`).
 */
export interface KernelFunctions {
  /** Writes logits and values of each row, and leaves the activations in the workspace for `backward`. */
  readonly forward: (
    net: number,
    params: number,
    observations: number,
    rows: number,
    workspace: number,
    logits: number,
    values: number
  ) => void
  /**
   * `forward`, then one action a row: the smallest a with u < p₀ + … + pₐ, u being the next `random()` of the row's own
   * PCG64 stream, whose ten words at `streams + row * streamStride` are advanced in place.
   */
  readonly act: (
    net: number,
    params: number,
    observations: number,
    rows: number,
    streams: number,
    streamStride: number,
    workspace: number,
    logits: number,
    values: number,
    actions: number,
    logProbabilities: number
  ) => void
  /**
   * `act` for rows that lie apart, such as one step of many environments, each in its own slot: the same bits as `act`
   * of each. Every address is the first row's, and the next row's is `stride` bytes on (a multiple of 16; best an odd
   * number of 64-byte lines, or the rows crowd in a few sets of the cache): the observation, the sampling stream, the
   * logits, the value, the action (int32), the log-probability. `activations`, where it is not 0, is where the row's
   * `Kernels.activationBytes(spec)` bytes of activations stay for `gradientsOfActivations`. A workspace of
   * `Kernels.chunkRows` rows is enough for any number of rows.
   */
  readonly actMany: (
    net: number,
    params: number,
    rows: number,
    stride: number,
    observations: number,
    streams: number,
    workspace: number,
    activations: number,
    logits: number,
    values: number,
    actions: number,
    logProbabilities: number
  ) => void
  /**
   * The values of `forward` alone, for rows that lie `stride` bytes apart (see `actMany`): the actor of separate networks
   * is left out.
   */
  readonly valuesMany: (
    net: number,
    params: number,
    rows: number,
    stride: number,
    observations: number,
    workspace: number,
    values: number
  ) => void
  /** The action of each row's largest logit; of equals the first. */
  readonly greedy: (logits: number, rows: number, actionCount: number, actions: number) => void
  /**
   * The loss `scale · Σ rows [−log p(action) · advantage + valueCoefficient · (return − value)² − entropyCoefficient · H]`,
   * advantages held constant; `advantages` 0 takes return − value. Writes its derivatives, adds to the statistics.
   */
  readonly lossA2C: (
    net: number,
    logits: number,
    actions: number,
    values: number,
    advantages: number,
    returns: number,
    rows: number,
    scale: number,
    valueCoefficient: number,
    entropyCoefficient: number,
    dLogits: number,
    dValues: number,
    statistics: number
  ) => void
  /**
   * One-step temporal differences along consecutive steps: with td = reward + gamma · next value − value,
   * `scale · Σ rows [−log p(action) · td + valueCoefficient · td² − entropyCoefficient · H]`, td held constant in the
   * policy's term. `logits`, `values` and their derivatives have one row more than `rows`, the observation that followed
   * the last step; where `lastDone` is 1, its value counts 0. The value's gradient flows through both values, or, where
   * `detachBootstrap` is 1, not through the next one.
   */
  readonly lossTD: (
    net: number,
    logits: number,
    actions: number,
    values: number,
    rewards: number,
    rows: number,
    lastDone: 0 | 1,
    detachBootstrap: 0 | 1,
    gamma: number,
    scale: number,
    valueCoefficient: number,
    entropyCoefficient: number,
    dLogits: number,
    dValues: number,
    statistics: number
  ) => void
  /** Gradients of the parameters, after `forward` of the same rows; added to what is there where `accumulate` is 1. */
  readonly backward: (
    net: number,
    params: number,
    observations: number,
    rows: number,
    workspace: number,
    dLogits: number,
    dValues: number,
    gradients: number,
    accumulate: 0 | 1
  ) => void
  /**
   * `forward`, `lossA2C` and `backward` in one, in chunks that stay in the cache: the same bits, faster. A workspace of
   * `Kernels.chunkRows` rows is enough for any number of rows.
   */
  readonly gradientsA2C: (
    net: number,
    params: number,
    observations: number,
    rows: number,
    workspace: number,
    actions: number,
    advantages: number,
    returns: number,
    scale: number,
    valueCoefficient: number,
    entropyCoefficient: number,
    gradients: number,
    accumulate: 0 | 1,
    statistics: number
  ) => void
  /**
   * `gradientsA2C` of rows that were computed before, with the same parameters: their activations (row t's at
   * `activations + t * Kernels.activationStride(spec)`), logits and values are taken from there, not computed. The same
   * bits as `gradientsA2C`, which it is where `activations` is 0.
   */
  readonly gradientsOfActivations: (
    net: number,
    params: number,
    observations: number,
    activations: number,
    logits: number,
    values: number,
    rows: number,
    workspace: number,
    actions: number,
    advantages: number,
    returns: number,
    scale: number,
    valueCoefficient: number,
    entropyCoefficient: number,
    gradients: number,
    accumulate: 0 | 1,
    statistics: number
  ) => void
  /** total[n] += addend[n] */
  readonly addInto: (total: number, addend: number, n: number) => void
  /** target[n] = the sum of `count` arrays, `stride` bytes apart, in their order: as the first plus the others by `addInto`. */
  readonly sumInto: (target: number, arrays: number, stride: number, count: number, n: number) => void
  /** target[n] *= factor */
  readonly scaleInto: (target: number, factor: number, n: number) => void
  /** Σ g² of n numbers, in float64 and in one fixed order. */
  readonly squaredNorm: (g: number, n: number) => number
  /**
   * Adam on n numbers (any slice of the whole). `In` and `Out` may be the same arrays. `biasCorrection` is 1 − betaᵗ of
   * the t-th step; `gradientScale` multiplies the gradients first.
   */
  readonly adam: (
    paramsIn: number,
    paramsOut: number,
    gradients: number,
    mIn: number,
    mOut: number,
    vIn: number,
    vOut: number,
    n: number,
    gradientScale: number,
    learningRate: number,
    beta1: number,
    beta2: number,
    epsilon: number,
    biasCorrection1: number,
    biasCorrection2: number
  ) => void
  /** RMSProp on n numbers, PyTorch's form; `epsilonInside` 1 is TensorFlow's, epsilon under the root. */
  readonly rmsprop: (
    paramsIn: number,
    paramsOut: number,
    gradients: number,
    squareIn: number,
    squareOut: number,
    n: number,
    gradientScale: number,
    learningRate: number,
    alpha: number,
    epsilon: number,
    epsilonInside: 0 | 1
  ) => void
  /** The next `random()` of a PCG64 stream, whose ten words at `stream` are advanced in place. */
  readonly uniform: (stream: number) => number
  /** exp of n float32 numbers as the kernels compute it (0 below −87.3, capped above 88.3). */
  readonly exponential: (input: number, output: number, n: number) => void
  /** log of n positive normal float32 numbers as the kernels compute it. */
  readonly logarithm: (input: number, output: number, n: number) => void
  /** tanh of n float32 numbers as the kernels compute it. */
  readonly hyperbolicTangent: (input: number, output: number, n: number) => void
}

/** An instance over one memory. */
export interface Kernels extends KernelFunctions {
  readonly memory: SharedMemory
  readonly buffer: SharedArrayBuffer
  /** Writes the description of a network, `Kernels.descriptorBytes(spec)` bytes, that the kernels take as `net`. */
  readonly writeDescriptor: (offset: number, spec: PolicySpec) => void
  /** Allocates a descriptor in the arena and writes it. */
  readonly describe: (arena: Arena, spec: PolicySpec) => Effect.Effect<number, OutOfMemory>
  /** `Kernels.workspaceBytes` */
  readonly workspaceBytes: (spec: PolicySpec, rows: number) => number
}

const names: ReadonlyArray<keyof KernelFunctions> = [
  "forward",
  "act",
  "actMany",
  "valuesMany",
  "greedy",
  "lossA2C",
  "lossTD",
  "backward",
  "gradientsA2C",
  "gradientsOfActivations",
  "addInto",
  "sumInto",
  "scaleInto",
  "squaredNorm",
  "adam",
  "rmsprop",
  "uniform",
  "exponential",
  "logarithm",
  "hyperbolicTangent"
]

const isKernelFunctions = (exports: object): exports is KernelFunctions =>
  names.every((name) => name in exports && typeof Reflect.get(exports, name) === "function")

const file = companion("kernels.wasm", "../dist/kernels.wasm")

const load = (): Effect.Effect<CompiledModule, KernelsUnavailable> =>
  Effect.suspend(() => {
    const wasm = engine()
    if (wasm === undefined) {
      return unavailable("no-webassembly", "This JavaScript engine has no WebAssembly, which Troupe computes with.")
    }
    return Effect.flatMap(
      Effect.try({
        try: () => readFileSync(file),
        catch: (cause) =>
          new KernelsUnavailable({
            reason: "file-missing",
            message: missing(file) ?? `The compiled kernels cannot be read: ${cause}`
          })
      }),
      (bytes) =>
        Effect.try({
          try: () => new wasm.Module(bytes),
          catch: (cause) =>
            new KernelsUnavailable({
              reason: "not-supported",
              message: `This engine cannot compile the kernels; they need WebAssembly with SIMD and threads (${cause}).`
            })
        })
    )
  })

let compiled: CompiledModule | undefined

/** The compiled module, once a thread. */
const module: Effect.Effect<CompiledModule, KernelsUnavailable> = Effect.suspend(() =>
  compiled === undefined ? Effect.tap(load(), (fresh) => Effect.sync(() => compiled = fresh)) : Effect.succeed(compiled)
)

const unavailable = (reason: KernelsUnavailable["reason"], message: string) =>
  Effect.fail(new KernelsUnavailable({ reason, message }))

/** The kernels over a shared memory of any size. Compiling takes about two milliseconds, once a thread. */
const instantiate = (memory: SharedMemory): Effect.Effect<Kernels, KernelsUnavailable> =>
  Effect.flatMap(module, (compiled) => {
    const wasm = engine()
    const buffer = memory.buffer
    if (wasm === undefined || !(buffer instanceof SharedArrayBuffer)) {
      return unavailable("memory-not-shared", "The kernels need a shared WebAssembly.Memory; this one is not.")
    }
    return Effect.flatMap(
      Effect.try({
        try: () => new wasm.Instance(compiled, { env: { memory } }).exports,
        catch: (cause) =>
          new KernelsUnavailable({ reason: "not-supported", message: `The kernels cannot be instantiated: ${cause}` })
      }),
      (exports) =>
        isKernelFunctions(exports)
          ? Effect.succeed(bind(memory, buffer, exports))
          : unavailable("not-supported", `${file.href} is of another version than this program; build it again.`)
    )
  })

const bind = (memory: SharedMemory, buffer: SharedArrayBuffer, functions: KernelFunctions): Kernels => {
  const writeDescriptor = (offset: number, spec: PolicySpec): void => {
    new Int32Array(buffer, offset, descriptorBytes(spec) / 4).set(descriptorWords(spec))
  }
  return {
    memory,
    buffer,
    ...functions,
    writeDescriptor,
    describe: (arena, spec) =>
      Effect.tap(arena.allocate(descriptorBytes(spec)), (offset) => Effect.sync(() => writeDescriptor(offset, spec))),
    workspaceBytes
  }
}

/** Rows the kernels work on at a time. */
const chunkRows = 32

/** What the kernels know the members of each kind by. */
const ids = {
  activation: { tanh: 0, relu: 1 } satisfies { readonly [Name in Activation]: number },
  towers: { separate: 0, shared: 1 } satisfies { readonly [Name in EncoderSpec["towers"]]: number }
}

/** The head's words of a descriptor. */
const headWords = (distribution: DistributionSpec): ReadonlyArray<number> => {
  switch (distribution.kind) {
    case "categorical":
      return [distribution.n]
  }
}

/** The words of a policy's descriptor, as `assembly/net.ts` reads them. */
const descriptorWords = ({ distribution, encoder }: PolicySpec): ReadonlyArray<number> => {
  switch (encoder.kind) {
    case "mlp":
      return [
        ids.towers[encoder.towers],
        encoder.inputs,
        ...headWords(distribution),
        ids.activation[encoder.activation],
        encoder.hidden.length,
        ...encoder.hidden
      ]
  }
}

/** Bytes of a policy's descriptor. */
const descriptorBytes = (spec: PolicySpec): number => 4 * descriptorWords(spec).length

/** An odd number of cache lines that holds `bytes`: see `spread` of the kernels. */
const spread = (bytes: number): number => (Math.ceil(bytes / 64) | 1) * 64

/** Bytes of one row's activations. */
const activationBytes = ({ encoder }: PolicySpec): number =>
  encoderOf(encoder).activationWidths.reduce((bytes, width) => bytes + Math.ceil(width / 4) * 16, 0)

/** Bytes from one row's activations to the next's where rows lie side by side. */
const activationStride = (spec: PolicySpec): number => spread(activationBytes(spec))

/** Bytes of a workspace for `rows` rows: scratch for one chunk, and the activations of every hidden layer. */
const workspaceBytes = (spec: PolicySpec, rows: number): number => {
  const scratchRows = Math.ceil(Math.min(rows, chunkRows) / 4) * 4
  const outputs = scratchRows * (distributionOf(spec.distribution).outputs + 1) * 2 * 4
  const deltas = scratchRows * spread(Math.max(0, ...encoderOf(spec.encoder).activationWidths) * 4)
  return outputs + 2 * deltas + rows * activationStride(spec)
}

export const Kernels = {
  module,
  instantiate,
  chunkRows,
  descriptorBytes,
  activationBytes,
  activationStride,
  workspaceBytes
} as const

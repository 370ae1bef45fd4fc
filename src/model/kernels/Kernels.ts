/**
 * The WebAssembly SIMD kernels as typed functions of one shared memory: the network forward and backward, distributions,
 * losses, optimizers. Their sources are in `assembly/`; the build puts the module at `dist/kernels.wasm`.
 *
 * Every address is a byte offset into the memory (a multiple of 4; of 16 for speed). What takes many of them is a job
 * (`jobs.ts`). The kernels keep no state and allocate nothing, so that any number of threads may each hold an instance over
 * the same memory. They use no relaxed SIMD: the same arguments give the same bits on every machine. A row's results
 * depend neither on the number of rows of a call nor on the row's place among them.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { companion, missing } from "../../companions.ts"
import type { Activation } from "../policy/activations.ts"
import { distributionOf, type DistributionSpec } from "../policy/DistributionSpec.ts"
import { cellOf, encoderOf, type EncoderSpec, type MlpSpec } from "../policy/Encoder.ts"
import type { PolicySpec } from "../policy/PolicySpec.ts"
import type { Arena, OutOfMemory } from "./Arena.ts"
import { checkedJobs } from "./checkedJobs.ts"
import { chunkRows, gatheredBytes, jobBytes, type Jobs, jobs } from "./jobs.ts"
import { type CompiledModule, engine, type SharedMemory } from "./SharedMemory.ts"

/** The kernels cannot run here: why, and what to do about it. */
export class KernelsUnavailable extends Schema.TaggedError<KernelsUnavailable>()("KernelsUnavailable", {
  reason: Schema.Literals(["no-webassembly", "file-missing", "not-supported", "memory-not-shared"]),
  message: Schema.String
}) {}

/**
 * What the module exports. `policy` is the offset of a descriptor (`writeDescriptor`), `parameters` and `gradients` of
 * float32 arrays in the order of `ParameterLayout`, `observations` of float32 [rows][inputs], `outputs` of float32
 * [rows][outputs], `values` of float32 [rows], `workspace` of `workspaceBytes(spec, rows)` bytes, `job` of a workspace with
 * a job record at its start.
 */
export interface KernelFunctions {
  /**
   * Writes outputs and values of each row, and leaves the activations in the workspace for `backward`. `states` is float32
   * [rows][remembered], which advance; of a policy that remembers nothing 0.
   */
  readonly forward: (
    policy: number,
    parameters: number,
    observations: number,
    rows: number,
    workspace: number,
    outputs: number,
    values: number,
    states: number
  ) => void
  /**
   * The values of `forward` alone, for rows that lie `stride` bytes apart (see `act`): the actor of separate towers is
   * left out, and what is remembered stays as it is.
   */
  readonly valuesMany: (
    policy: number,
    parameters: number,
    rows: number,
    stride: number,
    observations: number,
    workspace: number,
    values: number,
    states: number
  ) => void
  /**
   * Gradients of the layers' parameters, after `forward` of the same rows; added to what is there where `accumulate` is 1. Not
   * for policies that remember.
   */
  readonly backward: (
    policy: number,
    parameters: number,
    observations: number,
    rows: number,
    workspace: number,
    dOutputs: number,
    dValues: number,
    gradients: number,
    accumulate: 0 | 1
  ) => void
  /** The most likely action of each row of outputs; of equals the first. */
  readonly mode: (policy: number, outputs: number, rows: number, actions: number) => void
  readonly act: (job: number) => void
  readonly evaluate: (job: number) => void
  readonly differentiate: (job: number) => void
  readonly gradients: (job: number) => void
  /** total[n] += addend[n] */
  readonly addInto: (total: number, addend: number, n: number) => void
  /** target[n] = the sum of `count` arrays, `stride` bytes apart, in their order: as the first plus the others by `addInto`. */
  readonly sumInto: (target: number, arrays: number, stride: number, count: number, n: number) => void
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

/** An instance over one memory. Jobs are written into their workspaces, then done. */
export interface Kernels extends Omit<KernelFunctions, keyof Jobs>, Jobs {
  readonly memory: SharedMemory
  readonly buffer: SharedArrayBuffer
  /** Writes the description of a policy, `Kernels.descriptorBytes(spec)` bytes, that the kernels take as `policy`. */
  readonly writeDescriptor: (offset: number, spec: PolicySpec) => void
  /** Allocates a descriptor in the arena and writes it. */
  readonly describe: (arena: Arena, spec: PolicySpec) => Effect.Effect<number, OutOfMemory>
}

/** How many arguments each function takes. */
const arities: { readonly [Name in keyof KernelFunctions]: Parameters<KernelFunctions[Name]>["length"] } = {
  forward: 8,
  valuesMany: 8,
  backward: 9,
  mode: 4,
  act: 1,
  evaluate: 1,
  differentiate: 1,
  gradients: 1,
  addInto: 3,
  sumInto: 5,
  squaredNorm: 2,
  adam: 15,
  rmsprop: 11,
  uniform: 1,
  exponential: 3,
  logarithm: 3,
  hyperbolicTangent: 3
}

/** The first function that is missing from a module, or takes another number of arguments than it is called with. */
const misfit = (exports: object): string | undefined =>
  Object.entries(arities).find(([name, arity]) => {
    const found: unknown = Reflect.get(exports, name)
    return typeof found !== "function" || found.length !== arity
  })?.[0]

const isKernelFunctions = (exports: object): exports is KernelFunctions => misfit(exports) === undefined

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

/** Whether jobs are looked at before they are done; tests say so to every process and thread by this variable. */
const isChecked = (): boolean => process.env["CHECKED_KERNELS"] === "1"

const bind = (memory: SharedMemory, buffer: SharedArrayBuffer, functions: KernelFunctions): Kernels => {
  const writeDescriptor = (offset: number, spec: PolicySpec): void => {
    new Int32Array(buffer, offset, descriptorBytes(spec) / 4).set(descriptorWords(spec))
  }
  const own = jobs(buffer, functions)
  return {
    memory,
    buffer,
    ...functions,
    ...(isChecked() ? checkedJobs(buffer, own) : own),
    writeDescriptor,
    describe: (arena, spec) =>
      Effect.tap(arena.allocate(descriptorBytes(spec)), (offset) => Effect.sync(() => writeDescriptor(offset, spec)))
  }
}

/** What the kernels know the members of each kind by. */
const ids = {
  encoder: { mlp: 0, gru: 1 } satisfies { readonly [Kind in EncoderSpec["kind"]]: number },
  activation: { tanh: 0, relu: 1 } satisfies { readonly [Name in Activation]: number },
  towers: { separate: 0, shared: 1 } satisfies { readonly [Name in MlpSpec["towers"]]: number },
  // One choice or several: to the kernels these are one distribution, whose parts say how many.
  distribution: { categorical: 0, "multi-categorical": 0, bernoulli: 1, "diagonal-gaussian": 2 } satisfies {
    readonly [Kind in DistributionSpec["kind"]]: number
  }
}

/** How many outputs of the head belong to each of the choices that an action consists of. */
const partsOf = (distribution: DistributionSpec): ReadonlyArray<number> => {
  switch (distribution.kind) {
    case "categorical":
      return [distribution.n]
    case "multi-categorical":
      return distribution.nvec
    case "bernoulli":
    case "diagonal-gaussian":
      return []
  }
}

/** The layers of an encoder as the kernels know them: towers, widths, and what is remembered on top. */
const towersOf = (encoder: EncoderSpec): {
  readonly towers: "separate" | "shared"
  readonly hidden: ReadonlyArray<number>
  readonly activation: Activation
  readonly memory: number
} => {
  switch (encoder.kind) {
    case "mlp":
      return { ...encoder, memory: 0 }
    case "gru": {
      const { below, width } = cellOf(encoder)
      return { towers: "shared", hidden: below, activation: encoder.activation, memory: width }
    }
  }
}

/** The words of a policy's descriptor, as `assembly/net.ts` reads them. */
const descriptorWords = (spec: PolicySpec): ReadonlyArray<number> => {
  const { distribution, encoder } = spec
  const { freeParameters, outputs } = distributionOf(distribution)
  const { activation, hidden, memory, towers } = towersOf(encoder)
  const parts = partsOf(distribution)
  return [
    ids.encoder[encoder.kind],
    ids.towers[towers],
    encoderOf(encoder).inputs,
    outputs,
    ids.activation[activation],
    hidden.length,
    ids.distribution[distribution.kind],
    parts.length,
    freeParameters,
    jobBytes + gatheredBytes(spec),
    memory,
    ...hidden,
    ...parts
  ]
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

/** The rows that a workspace needs room for, to make gradients of segments of up to `maxRows` rows. */
const rowsAtOnce = ({ encoder }: PolicySpec, maxRows: number): number =>
  encoderOf(encoder).stateWords > 0 ? maxRows : Math.min(maxRows, chunkRows)

/** Numbers of a row that stand one array after the other in a chunk's scratch, beside outputs and their derivatives. */
const rowArrays = 7

/**
 * Bytes of a workspace for `rows` rows: a job record and gathered rows, scratch for one chunk, and the activations of every
 * hidden layer.
 */
const workspaceBytes = (spec: PolicySpec, rows: number): number => {
  const scratchRows = Math.ceil(Math.min(rows, chunkRows) / 4) * 4
  const { outputs } = distributionOf(spec.distribution)
  const scratch = scratchRows * (2 * outputs + rowArrays + partsOf(spec.distribution).length) * 4
  const deltas = scratchRows * spread(Math.max(0, ...encoderOf(spec.encoder).activationWidths) * 4)
  return jobBytes + gatheredBytes(spec) + scratch + 2 * deltas + rows * activationStride(spec)
}

export const Kernels = {
  module,
  instantiate,
  chunkRows,
  descriptorBytes,
  activationBytes,
  activationStride,
  rowsAtOnce,
  workspaceBytes
} as const

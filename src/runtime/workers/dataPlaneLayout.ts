/**
 * Where a run's data lies: one shared memory, laid out once, that the trainer and every EnvWorker see. Messages say
 * *what* to do ("collect 5 steps with weights 17"); observations, actions and weights never travel.
 *
 * Each environment owns a slot. In it a *scratch* region holds the environment as it is being stepped. Pieces of work
 * are counted, 1, 2, ...: number r begins from bank (r - 1) % 2 and leaves its whole state in bank r % 2. So what a piece
 * of work begins from stays as it was until the next is handed out, and a worker that dies in the middle of anything has
 * changed nothing that its successor reads.
 *
 * Environments next to each other form *units* whose gradients are summed together, a worker owns whole units. The units
 * depend on the number of environments alone, so no number of workers changes the order in which anything is added.
 *
 * The layout is a pure function of a `DataPlaneSpec`, so only the spec and the memory are ever handed over.
 */
import * as Schema from "effect/Schema"
import { Statistic } from "../../model/kernels/Kernels.ts"
import { Pcg64 } from "../../random/Pcg64.ts"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** The sizes that decide the layout. */
export const DataPlaneSpec = Schema.Struct({
  /** Environments, one slot each. */
  slots: Count,
  /** Steps a fragment may hold. */
  steps: Count,
  /** Numbers of one observation as the network sees it. */
  inputs: Count,
  /** Actions the policy chooses from. */
  actions: Count,
  /** float64 numbers of an environment's state. */
  stateSize: Count,
  /** Parameters of the policy network. */
  parameters: Count,
  /** Bytes of the kernels' network descriptor. */
  descriptorBytes: Count,
  /** EnvWorkers, one region to compute in each. */
  workers: Count,
  /** Bytes the kernels need for what a worker computes. */
  workspaceBytes: Count,
  /** Parameters a worker keeps a copy of: all of them where it works at its own pace, none where all work in step. */
  pulled: Count,
  /** Bytes that acting leaves of a row for its gradient, where they are kept; 0: they are computed again. */
  activationBytes: Count,
  /** Environments whose gradients are summed together. */
  unit: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)),
  /** Parameters a worker computes gradients of: all, or none where experience travels. */
  gradient: Count
})
export type DataPlaneSpec = typeof DataPlaneSpec.Type

/** Hands out offsets, aligned to 16 bytes for the kernels' vector loads, or to whole cache lines. */
class Cursor {
  at: number

  constructor(start = 0) {
    this.at = start
  }

  take(bytes: number, align: 16 | 64 = 16): number {
    const offset = Math.ceil(this.at / align) * align
    this.at = offset + Math.ceil(bytes / 16) * 16
    return offset
  }
}

/** Rounds up to an odd number of 64-byte lines: rows that lie an even number apart crowd in a few sets of the cache. */
const oddLines = (bytes: number): number => (Math.ceil(bytes / 64) | 1) * 64

/** Byte offsets within the part of a slot that a snapshot copies. */
export const stateRegion = (spec: DataPlaneSpec) => {
  const cursor = new Cursor()
  return {
    state: cursor.take(spec.stateSize * 8),
    random: cursor.take(Pcg64.words * 4),
    sampling: cursor.take(Pcg64.words * 4),
    observation: cursor.take(spec.inputs * 4),
    tally: cursor.take(3 * 8),
    bytes: cursor.at
  }
}

/** Gradients are summed in at most this many units. */
const mostUnits = 64

/** How many environments form a unit: one, up to 64 of them; at their own pace always one. */
export const unitSize = (environments: number, ownPace: boolean): number =>
  ownPace ? 1 : Math.ceil(environments / mostUnits)

/** How many units there are. */
export const unitCount = ({ slots, unit }: Pick<DataPlaneSpec, "slots" | "unit">): number => Math.ceil(slots / unit)

type Sharing = Pick<DataPlaneSpec, "slots" | "unit" | "workers">

/** Some environments, or units, next to each other. */
export interface Range {
  readonly first: number
  readonly count: number
}

/** The units of a worker. */
export const unitsOf = (spec: Sharing, worker: number): Range => {
  const boundary = (w: number) => Math.floor(w * unitCount(spec) / spec.workers)
  return { first: boundary(worker), count: boundary(worker + 1) - boundary(worker) }
}

/** The environments of a worker: those of its units. */
export const shareOf = (spec: Sharing, worker: number): Range => {
  const units = unitsOf(spec, worker)
  const first = units.first * spec.unit
  return { first, count: Math.min(spec.slots - first, units.count * spec.unit) }
}

/** Environments that are stepped together, at least: so many rows of a kernel's call are enough. */
const blockSize = 64

/**
 * Cuts a share into blocks of whole units. A worker takes one block after the other, each from its first step to its
 * gradient, so that what it touches stays in the cache however many environments there are.
 */
export const blocksOf = ({ count, first }: Range, unit: number): ReadonlyArray<Range> => {
  const size = Math.ceil(blockSize / unit) * unit
  return Array.from({ length: Math.ceil(count / size) }, (_, k) => ({
    first: first + k * size,
    count: Math.min(size, count - k * size)
  }))
}

/** Byte offsets within the region that a worker computes in. */
const workerRegion = (spec: DataPlaneSpec) => {
  const cursor = new Cursor()
  return {
    workspace: cursor.take(spec.workspaceBytes),
    // Logits and values of a whole fragment with the observation that followed, and their derivatives.
    outputs: cursor.take(spec.gradient === 0 ? 0 : 2 * (spec.steps + 1) * (spec.actions + 1) * 4),
    bytes: oddLines(cursor.at)
  }
}

/** Byte offsets within the region that takes the gradient of a unit. */
const unitRegion = (spec: DataPlaneSpec) => {
  const cursor = new Cursor()
  return {
    gradient: cursor.take(spec.gradient * 4),
    statistics: cursor.take(Statistic.count * 8),
    bytes: oddLines(cursor.at)
  }
}

const slotRegion = (spec: DataPlaneSpec) => {
  const state = stateRegion(spec)
  const cursor = new Cursor()
  return {
    scratch: cursor.take(state.bytes),
    banks: [cursor.take(state.bytes), cursor.take(state.bytes)] as const,
    observations: cursor.take((spec.steps + 1) * spec.inputs * 4),
    actions: cursor.take(spec.steps * 4),
    logits: cursor.take(spec.steps * spec.actions * 4),
    logProbabilities: cursor.take(spec.steps * 4),
    values: cursor.take(spec.steps * 4),
    nextValues: cursor.take(spec.steps * 4),
    rewards: cursor.take(spec.steps * 8),
    terminated: cursor.take(spec.steps),
    truncated: cursor.take(spec.steps),
    episodeReturns: cursor.take(spec.steps * 8),
    episodeLengths: cursor.take(spec.steps * 4),
    advantages: cursor.take(spec.steps * 4),
    returns: cursor.take(spec.steps * 4),
    weights: cursor.take(spec.pulled * 4),
    activations: cursor.take(spec.steps * spec.activationBytes, 64),
    bytes: oddLines(cursor.at)
  }
}

/** Where everything lies, in bytes from the start of the memory. */
export const DataPlaneLayout = Schema.Struct({
  spec: DataPlaneSpec,
  /** Two copies of the weights; version `v` is `weights[v % 2]`. */
  weights: Schema.Tuple([Count, Count]),
  /** The kernels' description of the network. */
  descriptor: Count,
  /** Start of the first slot. */
  slots: Count,
  slotBytes: Count,
  /** Start of the first unit's gradient. */
  units: Count,
  unitBytes: Count,
  /** Start of the first worker's region. */
  workers: Count,
  workerBytes: Count
})
export type DataPlaneLayout = typeof DataPlaneLayout.Type

/** Bytes of a whole data plane. */
export const dataPlaneBytes = (spec: DataPlaneSpec): number => {
  const cursor = new Cursor()
  place(spec, cursor)
  return cursor.at
}

/** The layout of a spec in the `dataPlaneBytes(spec)` bytes that start at `base`. */
export const layOut = (spec: DataPlaneSpec, base: number): DataPlaneLayout => place(spec, new Cursor(base))

const place = (spec: DataPlaneSpec, cursor: Cursor): DataPlaneLayout => {
  const weights = [cursor.take(spec.parameters * 4), cursor.take(spec.parameters * 4)] as const
  const descriptor = cursor.take(spec.descriptorBytes)
  const slotBytes = slotRegion(spec).bytes
  const unitBytes = unitRegion(spec).bytes
  const workerBytes = workerRegion(spec).bytes
  return {
    spec,
    weights,
    descriptor,
    slots: cursor.take(slotBytes * spec.slots, 64),
    slotBytes,
    units: cursor.take(unitBytes * unitCount(spec), 64),
    unitBytes,
    workers: cursor.take(workerBytes * spec.workers, 64),
    workerBytes
  }
}

/** One environment's slot as typed arrays, with the addresses the kernels take. */
export interface EnvSlot {
  /** The state, wherever a step left it: what the environment works on. */
  readonly scratch: {
    readonly state: Float64Array
    /** The environment's own stream. */
    readonly random: Uint32Array
    /** The stream its actions are sampled from. */
    readonly sampling: Uint32Array
    readonly observation: Float32Array
    /** Return and length of the episode under way, and the steps of the environment's whole life. */
    readonly tally: Float64Array
  }
  readonly scratchBytes: Uint8Array
  /** The two banks that hold whole states. */
  readonly banks: readonly [Uint8Array, Uint8Array]
  /** float32 [steps + 1][inputs]: the observation each action was chosen from, and the one after the last. */
  readonly observations: Float32Array
  readonly actions: Int32Array
  readonly logProbabilities: Float32Array
  /** V(s_t) */
  readonly values: Float32Array
  /** V of the observation that followed step t, before any reset; 0 where the step terminated. */
  readonly nextValues: Float32Array
  readonly rewards: Float64Array
  readonly terminated: Uint8Array
  readonly truncated: Uint8Array
  /** Where an episode ended at step t: its return and length; length 0 elsewhere. */
  readonly episodeReturns: Float64Array
  readonly episodeLengths: Int32Array
  /** Written by the learner. */
  readonly advantages: Float32Array
  /** Written by the learner: what the value is regressed on. */
  readonly returns: Float32Array
  /** The worker's own copy of the weights, where it works at its own pace; otherwise empty. */
  readonly weights: Float32Array
  readonly address: {
    readonly observation: number
    readonly sampling: number
    readonly observations: number
    readonly actions: number
    readonly logits: number
    readonly logProbabilities: number
    readonly values: number
    readonly nextValues: number
    readonly advantages: number
    readonly returns: number
    readonly weights: number
    /** 0 where none are kept. */
    readonly activations: number
  }
}

/** What a unit's environments have to say to the Learner, where gradients travel. */
export interface UnitSlot {
  /** The sum over the rows of the unit's fragments; empty where experience travels. */
  readonly gradient: Float32Array
  /** What the kernels summed up of their loss (`model/kernels/Kernels.ts`, `Statistic`). */
  readonly statistics: Float64Array
  readonly address: { readonly gradient: number; readonly statistics: number }
}

/** A piece of experience: `rows` steps that lie in the slot of environment `environment`. */
export interface Fragment {
  readonly environment: number
  readonly rows: number
  /** Steps of the environment's whole life, as its worker left them with this fragment. */
  readonly total: number
  /** The version of the weights that it was collected with. */
  readonly version: number
  readonly slot: EnvSlot
}

/** Views of slot `index`. */
export const envSlot = (buffer: SharedArrayBuffer, layout: DataPlaneLayout, index: number): EnvSlot => {
  const { spec } = layout
  const state = stateRegion(spec)
  const region = slotRegion(spec)
  const base = layout.slots + index * layout.slotBytes
  const scratch = base + region.scratch
  return {
    scratch: {
      state: new Float64Array(buffer, scratch + state.state, spec.stateSize),
      random: new Uint32Array(buffer, scratch + state.random, Pcg64.words),
      sampling: new Uint32Array(buffer, scratch + state.sampling, Pcg64.words),
      observation: new Float32Array(buffer, scratch + state.observation, spec.inputs),
      tally: new Float64Array(buffer, scratch + state.tally, 3)
    },
    scratchBytes: new Uint8Array(buffer, scratch, state.bytes),
    banks: [
      new Uint8Array(buffer, base + region.banks[0], state.bytes),
      new Uint8Array(buffer, base + region.banks[1], state.bytes)
    ],
    observations: new Float32Array(buffer, base + region.observations, (spec.steps + 1) * spec.inputs),
    actions: new Int32Array(buffer, base + region.actions, spec.steps),
    logProbabilities: new Float32Array(buffer, base + region.logProbabilities, spec.steps),
    values: new Float32Array(buffer, base + region.values, spec.steps),
    nextValues: new Float32Array(buffer, base + region.nextValues, spec.steps),
    rewards: new Float64Array(buffer, base + region.rewards, spec.steps),
    terminated: new Uint8Array(buffer, base + region.terminated, spec.steps),
    truncated: new Uint8Array(buffer, base + region.truncated, spec.steps),
    episodeReturns: new Float64Array(buffer, base + region.episodeReturns, spec.steps),
    episodeLengths: new Int32Array(buffer, base + region.episodeLengths, spec.steps),
    advantages: new Float32Array(buffer, base + region.advantages, spec.steps),
    returns: new Float32Array(buffer, base + region.returns, spec.steps),
    weights: new Float32Array(buffer, base + region.weights, spec.pulled),
    address: {
      observation: scratch + state.observation,
      sampling: scratch + state.sampling,
      observations: base + region.observations,
      actions: base + region.actions,
      logits: base + region.logits,
      logProbabilities: base + region.logProbabilities,
      values: base + region.values,
      nextValues: base + region.nextValues,
      advantages: base + region.advantages,
      returns: base + region.returns,
      weights: base + region.weights,
      activations: spec.activationBytes === 0 ? 0 : base + region.activations
    }
  }
}

/** Views of unit `index`. */
export const unitSlot = (buffer: SharedArrayBuffer, layout: DataPlaneLayout, index: number): UnitSlot => {
  const region = unitRegion(layout.spec)
  const base = layout.units + index * layout.unitBytes
  const gradient = base + region.gradient
  const statistics = base + region.statistics
  return {
    gradient: new Float32Array(buffer, gradient, layout.spec.gradient),
    statistics: new Float64Array(buffer, statistics, Statistic.count),
    address: { gradient, statistics }
  }
}

/** Addresses of what worker `index` computes in: its workspace, and the outputs of a whole fragment. */
export const workerAddresses = (
  layout: DataPlaneLayout,
  index: number
): { readonly workspace: number; readonly outputs: number } => {
  const region = workerRegion(layout.spec)
  const base = layout.workers + index * layout.workerBytes
  return { workspace: base + region.workspace, outputs: base + region.outputs }
}

/** Which of two copies holds a version of the weights, or the state after a piece of work: they go by turns. */
export const bankOf = (count: number): 0 | 1 => count % 2 === 0 ? 0 : 1

/** The two copies of the weights as typed arrays. */
export const weightBanks = (
  buffer: SharedArrayBuffer,
  layout: DataPlaneLayout
): readonly [Float32Array, Float32Array] => [
  new Float32Array(buffer, layout.weights[0], layout.spec.parameters),
  new Float32Array(buffer, layout.weights[1], layout.spec.parameters)
]

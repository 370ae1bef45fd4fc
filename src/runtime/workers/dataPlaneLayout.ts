/**
 * Where a run's data lies: one shared memory, laid out once, that the trainer and every EnvWorker see. Messages say
 * *what* to do ("collect 5 steps with weights 17"); observations, actions and weights never travel.
 *
 * Each environment owns a slot; `columns.ts` says what is in it. Its state lies there three times: *live*, as it is being
 * stepped, and in two banks. Pieces of work are counted, 1, 2, ...: number r begins from bank (r - 1) % 2 and leaves its
 * whole state in bank r % 2. So what a piece of work begins from stays as it was until the next is handed out, and a worker
 * that dies in the middle of anything has changed nothing that its successor reads.
 *
 * Environments next to each other form *units* whose gradients are summed together, a worker owns whole units. The units
 * depend on the number of environments alone, so no number of workers changes the order in which anything is added.
 *
 * The layout is a pure function of a `DataPlaneSpec`, so only the spec and the memory are ever handed over.
 */
import * as Schema from "effect/Schema"
import { Statistic } from "../../model/losses/Loss.ts"
import {
  addressesAt,
  bytesOf,
  type ColumnsOf,
  type Offsets,
  place as placeColumns,
  type Views,
  viewsAt
} from "./columns.ts"
import { DataPlaneSpec, weightsLength } from "./DataPlaneSpec.ts"
import { meetingBytes } from "./Meeting.ts"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

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
export const stateLayout = (spec: DataPlaneSpec) => {
  const cursor = new Cursor()
  const offsets = placeColumns("state", spec, (bytes, align) => cursor.take(bytes, align))
  return { offsets, bytes: cursor.at }
}

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

/** Byte offsets within what a worker computes in. */
const workerLayout = (spec: DataPlaneSpec) => {
  const cursor = new Cursor()
  return {
    workspace: cursor.take(spec.workspaceBytes),
    // Logits and values of a whole fragment with the observation that followed, and their derivatives.
    outputs: cursor.take(spec.gradient === 0 ? 0 : 2 * (spec.steps + 1) * (spec.actions + 1) * 4),
    replica: cursor.take(spec.replicaBytes, 64),
    bytes: oddLines(cursor.at)
  }
}

/** Byte offsets within what takes the gradient of a unit. */
const unitLayout = (spec: DataPlaneSpec) => {
  const cursor = new Cursor()
  return {
    gradient: cursor.take(spec.gradient * 4),
    statistics: cursor.take(Statistic.count * 8),
    bytes: oddLines(cursor.at)
  }
}

/** Byte offsets within a slot. */
const slotLayout = (spec: DataPlaneSpec) => {
  const state = stateLayout(spec).bytes
  const cursor = new Cursor()
  const take = (bytes: number, align?: 16 | 64) => cursor.take(bytes, align)
  return {
    live: take(state),
    banks: [take(state), take(state)] as const,
    pulled: placeColumns("pulled", spec, take),
    experience: placeColumns("experience", spec, take),
    stretch: placeColumns("stretch", spec, take),
    bytes: oddLines(cursor.at)
  }
}

/** Some bytes of a slot, counted from its start. */
export interface Span {
  readonly at: number
  readonly bytes: number
}

/** Where parts of a slot lie in it. */
export const slotSpans = (spec: DataPlaneSpec) => {
  const { banks, experience, live, pulled } = slotLayout(spec)
  const { bytes } = stateLayout(spec)
  return {
    live: { at: live, bytes },
    banks: [{ at: banks[0], bytes }, { at: banks[1], bytes }] as const,
    pulled: { at: pulled.weights, bytes: bytesOf("weights", spec) },
    experience: (name: ColumnsOf<"experience">): Span => ({ at: experience[name], bytes: bytesOf(name, spec) })
  }
}

/** Bytes of the memory that a unit takes. */
export const unitBytesOf = (spec: DataPlaneSpec): number => unitLayout(spec).bytes

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
  /** Start of the first worker's offsets. */
  workers: Count,
  workerBytes: Count,
  /** Where the workers meet in a stretch. */
  meeting: Count,
  /** What a Learner remembers, handed over at the beginning of a stretch and at its end: see `learnerNumbers`. */
  learner: Count
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
  const weights = [cursor.take(weightsLength(spec) * 4), cursor.take(weightsLength(spec) * 4)] as const
  const descriptor = cursor.take(spec.descriptorBytes)
  const slotBytes = slotLayout(spec).bytes
  const unitBytes = unitLayout(spec).bytes
  const workerBytes = workerLayout(spec).bytes
  return {
    spec,
    weights,
    descriptor,
    slots: cursor.take(slotBytes * spec.slots, 64),
    slotBytes,
    units: cursor.take(unitBytes * unitCount(spec), 64),
    unitBytes,
    workers: cursor.take(workerBytes * spec.workers, 64),
    workerBytes,
    meeting: cursor.take(spec.stretch === 0 ? 0 : meetingBytes(spec.workers), 64),
    learner: cursor.take(spec.stretch === 0 ? 0 : learnerArrays * learnerBytes(spec), 64)
  }
}

/** So many arrays a Learner remembers at most: the parameters, and two of the optimizer's. */
const learnerArrays = 3
/** Bytes from one of them to the next. */
const learnerBytes = ({ parameters }: DataPlaneSpec): number => Math.ceil(parameters / 16) * 64

/** One environment's slot as typed arrays, with the addresses the kernels take. */
export interface EnvSlot extends Views<"pulled">, Views<"experience">, Views<"stretch"> {
  /** The state, wherever a step left it: what the environment works on. */
  readonly live: Views<"state">
  readonly liveBytes: Uint8Array
  /** The two banks that hold whole states. */
  readonly banks: readonly [Uint8Array, Uint8Array]
  /** The actions, as the numbers that they are: integers, or where the run is continuous real numbers. */
  readonly taken: Int32Array | Float32Array
  readonly address: Offsets<"state"> & Offsets<"pulled"> & Offsets<"experience">
}

/** What a unit's environments have to say to the Learner, where gradients travel. */
export interface UnitSlot {
  /** The sum over the rows of the unit's fragments; empty where experience travels. */
  readonly gradient: Float32Array
  /** What the kernels summed up of their loss (`model/losses/Loss.ts`, `Statistic`). */
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

/** What a slot holds now, as a piece of experience. */
export const fragmentIn = (slot: EnvSlot, environment: number, rows: number, version: number): Fragment => ({
  environment,
  rows,
  total: slot.live.tally[2]!,
  version,
  slot
})

/** Views of slot `index`. */
export const envSlot = (buffer: SharedArrayBuffer, layout: DataPlaneLayout, index: number): EnvSlot => {
  const { spec } = layout
  const state = stateLayout(spec)
  const { banks, experience, live, pulled, stretch } = slotLayout(spec)
  const base = layout.slots + index * layout.slotBytes
  const views = viewsAt("experience", spec, buffer, base, experience)
  const { actions } = views
  return {
    live: viewsAt("state", spec, buffer, base + live, state.offsets),
    liveBytes: new Uint8Array(buffer, base + live, state.bytes),
    banks: [
      new Uint8Array(buffer, base + banks[0], state.bytes),
      new Uint8Array(buffer, base + banks[1], state.bytes)
    ],
    ...viewsAt("pulled", spec, buffer, base, pulled),
    ...viewsAt("stretch", spec, buffer, base, stretch),
    ...views,
    taken: spec.continuous ? new Float32Array(buffer, actions.byteOffset, actions.length) : actions,
    address: {
      ...addressesAt("state", spec, base + live, state.offsets),
      ...addressesAt("pulled", spec, base, pulled),
      ...addressesAt("experience", spec, base, experience)
    }
  }
}

/** Views of unit `index`. */
export const unitSlot = (buffer: SharedArrayBuffer, layout: DataPlaneLayout, index: number): UnitSlot => {
  const offsets = unitLayout(layout.spec)
  const base = layout.units + index * layout.unitBytes
  const gradient = base + offsets.gradient
  const statistics = base + offsets.statistics
  return {
    gradient: new Float32Array(buffer, gradient, layout.spec.gradient),
    statistics: new Float64Array(buffer, statistics, Statistic.count),
    address: { gradient, statistics }
  }
}

/** Addresses of what worker `index` computes in: its workspace, the outputs of a whole fragment, its replica of the Learner. */
export const workerAddresses = (
  layout: DataPlaneLayout,
  index: number
): { readonly workspace: number; readonly outputs: number; readonly replica: number } => {
  const offsets = workerLayout(layout.spec)
  const base = layout.workers + index * layout.workerBytes
  return { workspace: base + offsets.workspace, outputs: base + offsets.outputs, replica: base + offsets.replica }
}

/** Where the workers of a run meet. */
export const meetingWords = (buffer: SharedArrayBuffer, { meeting, spec }: DataPlaneLayout): Int32Array =>
  new Int32Array(buffer, meeting, spec.stretch === 0 ? 0 : meetingBytes(spec.workers) / 4)

/** Arrays of what a Learner remembers, where they are handed over. */
export const learnerNumbers = (
  buffer: SharedArrayBuffer,
  { learner, spec }: DataPlaneLayout
): ReadonlyArray<Float32Array> =>
  Array.from(
    { length: spec.stretch === 0 ? 0 : learnerArrays },
    (_, k) => new Float32Array(buffer, learner + k * learnerBytes(spec), spec.parameters)
  )

/** Which of two copies holds a version of the weights, or the state after a piece of work: they go by turns. */
export const bankOf = (count: number): 0 | 1 => count % 2 === 0 ? 0 : 1

/** The two copies of the weights as typed arrays. */
export const weightBanks = (
  buffer: SharedArrayBuffer,
  layout: DataPlaneLayout
): readonly [Float32Array, Float32Array] => [
  new Float32Array(buffer, layout.weights[0], weightsLength(layout.spec)),
  new Float32Array(buffer, layout.weights[1], weightsLength(layout.spec))
]

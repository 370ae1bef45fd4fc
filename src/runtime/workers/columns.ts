/**
 * What is known of an environment and its experience, as one table: a column is a name, a type, how many numbers, and how
 * often. Where it lies in shared memory, its typed views and addresses, and what a checkpoint keeps of it all follow from
 * its row here, so that a further column is one row.
 */
import { Pcg64 } from "../../random/Pcg64.ts"
import { type DataPlaneSpec, statisticsLength } from "./DataPlaneSpec.ts"

const arrays = { f64: Float64Array, f32: Float32Array, i32: Int32Array, u32: Uint32Array, u8: Uint8Array }
type ElementType = keyof typeof arrays
interface ViewTypes {
  readonly f64: Float64Array
  readonly f32: Float32Array
  readonly i32: Int32Array
  readonly u32: Uint32Array
  readonly u8: Uint8Array
}
type ViewOf<T extends ElementType> = ViewTypes[T]

/**
 * What a column is for, and with that where it lies.
 *
 * - `state`: what a piece of work begins from. It lies in a slot three times, live and in both banks; checkpoints keep it.
 * - `pulled`: what a worker at its own pace works with. It lies in a slot once; checkpoints keep it.
 * - `experience`: what a piece of work leaves behind. It lies in a slot once, until the next.
 * - `stretch`: what is counted of each iteration of a stretch, iteration by iteration.
 */
type Role = "state" | "pulled" | "experience" | "stretch"

interface Column {
  readonly type: ElementType
  readonly role: Role
  /** How often: once an environment, at every step, or at every step and after the last. */
  readonly per: "environment" | "step" | "step + 1"
  /** How many numbers each time; 0: this run has no such column. */
  readonly width: (spec: DataPlaneSpec) => number
  /** A column of whole cache lines. */
  readonly align?: 64
  /** Checkpoints from before this column was do not have it: then it is empty. */
  readonly later?: true
}

const one = () => 1

export const columns = {
  /** The environment's own state. */
  state: { type: "f64", role: "state", per: "environment", width: ({ stateSize }) => stateSize },
  /** The environment's own stream. */
  random: { type: "u32", role: "state", per: "environment", width: () => Pcg64.words },
  /** The stream its actions are sampled from. */
  sampling: { type: "u32", role: "state", per: "environment", width: () => Pcg64.words },
  /** The present observation. */
  observation: { type: "f32", role: "state", per: "environment", width: ({ inputs }) => inputs },
  /** What the policy remembers. */
  memory: { type: "f32", role: "state", per: "environment", width: ({ memory }) => memory, later: true },
  /** Return and length of the episode under way, and the steps of the environment's whole life. */
  tally: { type: "f64", role: "state", per: "environment", width: () => 3 },
  /** The discounted return so far, by whose variance rewards are normalized. */
  discounted: {
    type: "f64",
    role: "state",
    per: "environment",
    width: ({ normalization }) => normalization.rewards ? 1 : 0,
    later: true
  },

  /** The worker's own copy of the weights, where it works at its own pace. */
  weights: { type: "f32", role: "pulled", per: "environment", width: ({ pulled }) => pulled },

  /** What the policy sees of the present observation, where that is not the observation itself. */
  seen: {
    type: "f32",
    role: "experience",
    per: "environment",
    width: ({ inputs, normalization }) => normalization.observations ? inputs : 0
  },
  /** Moments of what was seen and paid in the fragment, before it was normalized. */
  moments: { type: "f64", role: "experience", per: "environment", width: statisticsLength },
  /** What the policy remembered before the first step, and whether an episode began with a step. */
  memoryBefore: { type: "f32", role: "experience", per: "environment", width: ({ memory }) => memory },
  starts: { type: "u8", role: "experience", per: "step", width: ({ memory }) => memory > 0 ? 1 : 0 },
  /** What each action was chosen from, and what followed the last. */
  observations: { type: "f32", role: "experience", per: "step + 1", width: ({ inputs }) => inputs },
  /** 32-bit words: integers, or real numbers where the run is continuous. `EnvSlot.taken` has them as what they are. */
  actions: { type: "i32", role: "experience", per: "step", width: ({ actionWidth }) => actionWidth },
  /** Which actions were legal. */
  masks: { type: "u8", role: "experience", per: "step", width: ({ masks }) => masks },
  logits: { type: "f32", role: "experience", per: "step", width: ({ actions }) => actions },
  /** log π(a|s) of the action, under the policy that chose it. */
  logProbabilities: { type: "f32", role: "experience", per: "step", width: one },
  /** V(s_t) */
  values: { type: "f32", role: "experience", per: "step", width: one },
  /** V of the observation that followed step t, before any reset; 0 where the step terminated. */
  nextValues: { type: "f32", role: "experience", per: "step", width: one },
  rewards: { type: "f64", role: "experience", per: "step", width: one },
  terminated: { type: "u8", role: "experience", per: "step", width: one },
  truncated: { type: "u8", role: "experience", per: "step", width: one },
  /** Where an episode ended at step t: its return and length; length 0 elsewhere. */
  episodeReturns: { type: "f64", role: "experience", per: "step", width: one },
  episodeLengths: { type: "i32", role: "experience", per: "step", width: one },
  /** Written by whoever makes the targets. */
  advantages: { type: "f32", role: "experience", per: "step", width: one },
  /** Likewise: what the value is regressed on. */
  returns: { type: "f32", role: "experience", per: "step", width: one },
  /** What acting leaves of a row for its gradient, where that is kept. */
  activations: {
    type: "u8",
    role: "experience",
    per: "step",
    width: ({ activationBytes }) => activationBytes,
    align: 64
  },

  /** Of each iteration of a stretch: `episodeReturns`, `episodeLengths` and `terminated`, and the steps of the life then. */
  pastReturns: { type: "f64", role: "stretch", per: "step", width: ({ stretch }) => stretch },
  pastLengths: { type: "i32", role: "stretch", per: "step", width: ({ stretch }) => stretch },
  pastTerminated: { type: "u8", role: "stretch", per: "step", width: ({ stretch }) => stretch },
  pastTotals: { type: "f64", role: "stretch", per: "environment", width: ({ stretch }) => stretch }
} as const satisfies Readonly<Record<string, Column>>

type Columns = typeof columns
export type ColumnName = keyof Columns

/** The columns of a role. */
export type ColumnsOf<R extends Role> = {
  [Name in ColumnName]: Columns[Name]["role"] extends R ? Name : never
}[ColumnName]

/** Columns of a role as typed arrays. */
export type Views<R extends Role> = { readonly [Name in ColumnsOf<R>]: ViewOf<Columns[Name]["type"]> }
/** Byte offsets, or addresses, of the columns of a role. */
export type Offsets<R extends Role> = { readonly [Name in ColumnsOf<R>]: number }

/** The names of a role's columns, in the order of the table. */
export const namesOf = <R extends Role>(role: R): ReadonlyArray<ColumnsOf<R>> =>
  // The table's type says the same as this filter.
  Object.keys(columns).filter((name) => columns[name as ColumnName].role === role) as unknown as ReadonlyArray<
    ColumnsOf<R>
  >

/** A record of what `f` makes of each of these columns. */
const recordOf = <Name extends ColumnName, A>(names: ReadonlyArray<Name>, f: (name: Name) => A) =>
  // Every name has an entry: `fromEntries` cannot say so.
  Object.fromEntries(names.map((name) => [name, f(name)])) as { readonly [N in Name]: A }

/** Whether a checkpoint may be from before this column was. */
export const isLater = (name: ColumnName): boolean => {
  const { later }: Column = columns[name]
  return later === true
}

/** How many numbers a column holds for one environment. */
export const lengthOf = (name: ColumnName, spec: DataPlaneSpec): number => {
  const { per, width }: Column = columns[name]
  const times = { "environment": 1, "step": spec.steps, "step + 1": spec.steps + 1 }
  return width(spec) * times[per]
}

/** How many bytes a column takes for one environment. */
export const bytesOf = (name: ColumnName, spec: DataPlaneSpec): number => {
  const { type }: Column = columns[name]
  return lengthOf(name, spec) * arrays[type].BYTES_PER_ELEMENT
}

/** Places a role's columns one after the other. */
export const place = <R extends Role>(
  role: R,
  spec: DataPlaneSpec,
  take: (bytes: number, align?: 16 | 64) => number
): Offsets<R> =>
  recordOf(namesOf(role), (name) => {
    const { align }: Column = columns[name]
    return take(bytesOf(name, spec), align)
  })

const viewOf = (type: ElementType, buffer: ArrayBufferLike, at: number, length: number): ViewOf<ElementType> => {
  const Type: new(buffer: ArrayBufferLike, at: number, length: number) => ViewOf<ElementType> = arrays[type]
  return new Type(buffer, at, length)
}

/** The typed arrays of a role's columns whose offsets count from `base`. */
export const viewsAt = <R extends Role>(
  role: R,
  spec: DataPlaneSpec,
  buffer: ArrayBufferLike,
  base: number,
  offsets: Offsets<R>
): Views<R> =>
  recordOf(
    namesOf(role),
    (name) => viewOf(columns[name].type, buffer, base + offsets[name], lengthOf(name, spec))
    // Each array is of its column's own type.
  ) as unknown as Views<R>

/** Addresses of a role's columns; 0 of a column that this run does not have, which the kernels take for none. */
export const addressesAt = <R extends Role>(
  role: R,
  spec: DataPlaneSpec,
  base: number,
  offsets: Offsets<R>
): Offsets<R> => recordOf(namesOf(role), (name) => lengthOf(name, spec) === 0 ? 0 : base + offsets[name])

/** The typed arrays of a role's columns, each made by `make`. */
export const viewsBy = <R extends Role>(
  role: R,
  make: (name: ColumnsOf<R>, type: new(length: number) => ViewOf<ElementType>) => ViewOf<ElementType>
): Views<R> =>
  // `make` is given the column's own type of array.
  recordOf(namesOf(role), (name) => make(name, arrays[columns[name].type])) as unknown as Views<R>

/** Copies of a role's columns, of their first `rows` steps. */
export const copiesOf = <R extends Role>(role: R, spec: DataPlaneSpec, views: Views<R>, rows: number): Views<R> =>
  // A copy is of the type of what it was copied from.
  recordOf(namesOf(role), (name) => {
    const view: ViewOf<ElementType> = views[name]
    return view.slice(0, lengthOf(name, { ...spec, steps: rows }))
  }) as unknown as Views<R>

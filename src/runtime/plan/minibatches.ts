/**
 * Which rows a minibatch takes. The rows are permuted within each unit of environments, by a stream of the unit's own, and
 * every minibatch takes its share of each unit. So whoever has a unit, a worker or the Learner, knows its part of every
 * minibatch without the others, and no layout changes a bit; as statistics it is the usual shuffle, stratified by unit.
 *
 * The order is a function of (seed, unit, steps consumed before, epoch): nothing of it has to be kept.
 */
import { encoderOf } from "../../model/policy/Encoder.ts"
import type { PolicySpec } from "../../model/policy/PolicySpec.ts"
import type { Pcg64 } from "../../random/Pcg64.ts"
import { minibatchStream, sequencesStream } from "../../random/streams.ts"

/** Where in a run a minibatch stands. */
interface Epoch {
  /** Environment steps that were consumed before its experience. */
  readonly consumed: number
  readonly epoch: number
}

interface Minibatch extends Epoch {
  readonly index: number
  readonly of: number
}

/** Which rows of a unit a minibatch takes, of all that it has. */
export interface MinibatchOrder {
  readonly pick: (rows: Int32Array, minibatch: Minibatch) => Int32Array
}

/** Permutations of some things, another in each epoch. */
class Permutations {
  private readonly stream: (consumed: number) => Pcg64
  private consumed = -1
  private epoch = -1
  private random: Pcg64 | undefined
  private order: Int32Array = new Int32Array(0)

  constructor(stream: (consumed: number) => Pcg64) {
    this.stream = stream
  }

  /** The order of `count` things in an epoch; good until the next call. */
  of(count: number, { consumed, epoch }: Epoch): Int32Array {
    const same = this.random !== undefined && this.consumed === consumed && this.order.length === count
    if (same && this.epoch === epoch) return this.order
    if (!same || this.epoch > epoch || this.random === undefined) {
      this.random = this.stream(consumed)
      this.consumed = consumed
      this.epoch = -1
    }
    // One epoch after the other: each draws on from where the last left the stream.
    for (; this.epoch < epoch; this.epoch++) this.order = this.random.permutation(count)
    return this.order
  }
}

/** The orders of one unit's rows: every minibatch takes some of them. */
export class UnitOrder implements MinibatchOrder {
  private readonly permutations: Permutations

  constructor(seed: number, unit: number) {
    this.permutations = new Permutations((consumed) => minibatchStream(seed, unit, consumed))
  }

  /** The order of `rows` rows in an epoch; good until the next call. */
  of(rows: number, epoch: Epoch): Int32Array {
    return this.permutations.of(rows, epoch)
  }

  pick(rows: Int32Array, minibatch: Minibatch): Int32Array {
    return shareOf(this.of(rows.length, minibatch), minibatch).map((k) => rows[k]!)
  }
}

/**
 * The orders of the `units` units of a run, whose fragments stay whole, for a policy that remembers learns along them: of a
 * unit a minibatch takes all rows or none.
 */
export class SequenceOrder implements MinibatchOrder {
  private readonly permutations: Permutations
  private readonly unit: number
  private readonly units: number

  constructor(seed: number, unit: number, units: number) {
    this.permutations = new Permutations((consumed) => sequencesStream(seed, consumed))
    this.unit = unit
    this.units = units
  }

  pick(rows: Int32Array, minibatch: Minibatch): Int32Array {
    const taken = shareOf(this.permutations.of(this.units, minibatch), minibatch)
    return taken.includes(this.unit) ? rows : rows.subarray(0, 0)
  }
}

/** The orders of unit `unit` of `units`, for a policy. */
export const orderOf = ({ encoder }: PolicySpec, seed: number, unit: number, units: number): MinibatchOrder =>
  encoderOf(encoder).stateWords > 0 ? new SequenceOrder(seed, unit, units) : new UnitOrder(seed, unit)

/** The share of minibatch `index` of `of` in a unit's order: the shares are as even as can be, and every row is in one. */
export const shareOf = (
  order: Int32Array,
  { index, of }: { readonly index: number; readonly of: number }
): Int32Array => order.subarray(Math.floor(index * order.length / of), Math.floor((index + 1) * order.length / of))

/**
 * The rows of a unit that a minibatch takes, in their order, each as `fragment · stride + step`: what a device and a kernel
 * are given. `fragments` are the unit's, of `rows` rows each.
 */
export const rowsOf = (
  order: MinibatchOrder,
  fragments: ReadonlyArray<{ readonly rows: number }>,
  stride: number,
  minibatch: Minibatch
): Int32Array => order.pick(allRows(fragments, stride), minibatch)

/** 0, 1, 2, ... by how many: what all rows of whole fragments are, which are asked for at every pass. */
const counts = new Map<number, Int32Array>()
const countTo = (length: number): Int32Array => {
  const known = counts.get(length)
  if (known !== undefined) return known
  const made = Int32Array.from({ length }, (_, k) => k)
  counts.set(length, made)
  return made
}

/** All rows of a unit, in the same way; not to be changed. */
export const allRows = (fragments: ReadonlyArray<{ readonly rows: number }>, stride: number): Int32Array => {
  let count = 0
  let whole = true
  for (let f = 0; f < fragments.length; f++) {
    const { rows } = fragments[f]!
    count += rows
    whole &&= rows === stride
  }
  if (whole) return countTo(count)
  const all = new Int32Array(count)
  let k = 0
  for (let f = 0; f < fragments.length; f++) {
    for (let t = 0; t < fragments[f]!.rows; t++) all[k++] = f * stride + t
  }
  return all
}

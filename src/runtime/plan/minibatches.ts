/**
 * Which rows a minibatch takes. The rows are permuted within each unit of environments, by a stream of the unit's own, and
 * every minibatch takes its share of each unit. So whoever has a unit, a worker or the Learner, knows its part of every
 * minibatch without the others, and no layout changes a bit; as statistics it is the usual shuffle, stratified by unit.
 *
 * The order is a function of (seed, unit, steps consumed before, epoch): nothing of it has to be kept.
 */
import type { Pcg64 } from "../../random/Pcg64.ts"
import { minibatchStream } from "../../random/streams.ts"

/** The orders of one unit's rows. */
export class UnitOrder {
  private readonly seed: number
  private readonly unit: number
  private consumed = -1
  private epoch = -1
  private random: Pcg64 | undefined
  private order: Int32Array = new Int32Array(0)

  constructor(seed: number, unit: number) {
    this.seed = seed
    this.unit = unit
  }

  /** The order of `rows` rows in an epoch; good until the next call. */
  of(rows: number, { consumed, epoch }: { readonly consumed: number; readonly epoch: number }): Int32Array {
    const same = this.random !== undefined && this.consumed === consumed && this.order.length === rows
    if (same && this.epoch === epoch) return this.order
    if (!same || this.epoch > epoch || this.random === undefined) {
      this.random = minibatchStream(this.seed, this.unit, consumed)
      this.consumed = consumed
      this.epoch = -1
    }
    // One epoch after the other: each draws on from where the last left the stream.
    for (; this.epoch < epoch; this.epoch++) this.order = this.random.permutation(rows)
    return this.order
  }
}

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
  order: UnitOrder,
  fragments: ReadonlyArray<{ readonly rows: number }>,
  stride: number,
  minibatch: { readonly consumed: number; readonly epoch: number; readonly index: number; readonly of: number }
): Int32Array => {
  const all = allRows(fragments, stride)
  return shareOf(order.of(all.length, minibatch), minibatch).map((k) => all[k]!)
}

/** All rows of a unit, in the same way. */
export const allRows = (fragments: ReadonlyArray<{ readonly rows: number }>, stride: number): Int32Array =>
  Int32Array.from(fragments.flatMap(({ rows }, f) => Array.from({ length: rows }, (_, t) => f * stride + t)))

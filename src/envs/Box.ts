/** A space of fixed-length vectors of reals with a lower and an upper bound each (Gymnasium's `spaces.Box`). */
import type { Pcg64 } from "../random/index.ts"

export interface BoxOptions {
  /** One bound for all elements, or one each. May be -Infinity. */
  readonly low: number | ReadonlyArray<number>
  /** One bound for all elements, or one each. May be Infinity. */
  readonly high: number | ReadonlyArray<number>
  /** Lengths of the dimensions, row-major. By default one dimension, as long as the bounds. */
  readonly shape?: ReadonlyArray<number>
  /** What bounds and samples are rounded to; "float32" by default, as in Gymnasium. */
  readonly dtype?: "float32" | "float64"
}

/** One number where all bounds are the same, the list of them otherwise. */
const shown = (bounds: Float64Array): string =>
  new Set(bounds).size === 1
    ? `${bounds[0]}`
    : `[${Array.from(bounds, (bound) => Number(bound.toPrecision(8))).join(", ")}]`

export class Box {
  readonly _tag = "Box"
  readonly shape: ReadonlyArray<number>
  readonly dtype: "float32" | "float64"
  /** How many numbers an element has, flattened. */
  readonly size: number
  readonly low: Float64Array
  readonly high: Float64Array

  constructor(options: BoxOptions) {
    const { low, high } = options
    this.dtype = options.dtype ?? "float32"
    this.shape = options.shape ?? [typeof low !== "number" ? low.length : typeof high !== "number" ? high.length : 1]
    this.size = this.shape.reduce((product, length) => product * length, 1)
    const bound = (value: number | ReadonlyArray<number>): Float64Array => {
      const values = typeof value === "number" ? Array.from({ length: this.size }, () => value) : value
      return Float64Array.from(values, (entry) => this.dtype === "float32" ? Math.fround(entry) : entry)
    }
    this.low = bound(low)
    this.high = bound(high)
  }

  /** Whether `value` is a vector of this space. An unbounded side still wants a finite number. */
  contains(value: unknown): value is ArrayLike<number> {
    if (!(Array.isArray(value) || value instanceof Float32Array || value instanceof Float64Array)) return false
    if (value.length !== this.size) return false
    for (let i = 0; i < this.size; i++) {
      const entry: unknown = value[i]
      if (typeof entry !== "number" || !Number.isFinite(entry)) return false
      if (entry < this.low[i]! || entry > this.high[i]!) return false
    }
    return true
  }

  /**
   * Draws an element as Gymnasium does: uniform between two bounds, exponential beyond one, normal where there is none,
   * in the order normal, lower-bounded, upper-bounded, bounded.
   */
  sample(random: Pcg64, out: Float64Array = new Float64Array(this.size)): Float64Array {
    const { high, low, size } = this
    for (let i = 0; i < size; i++) {
      if (!Number.isFinite(low[i]) && !Number.isFinite(high[i])) out[i] = random.standardNormal()
    }
    for (let i = 0; i < size; i++) {
      if (Number.isFinite(low[i]) && !Number.isFinite(high[i])) out[i] = random.standardExponential() + low[i]!
    }
    for (let i = 0; i < size; i++) {
      if (!Number.isFinite(low[i]) && Number.isFinite(high[i])) out[i] = -random.standardExponential() + high[i]!
    }
    for (let i = 0; i < size; i++) {
      if (Number.isFinite(low[i]) && Number.isFinite(high[i])) out[i] = random.uniform(low[i]!, high[i]!)
    }
    if (this.dtype === "float32") { for (let i = 0; i < size; i++) out[i] = Math.fround(out[i]!) }
    return out
  }

  /** Writes `value` as the `size` numbers a network is given. */
  encode(value: ArrayLike<number>, out: Float32Array): void {
    for (let i = 0; i < this.size; i++) out[i] = value[i]!
  }

  /** The element those numbers stand for, in memory of its own. */
  decode(flat: Float32Array): Float32Array {
    return flat.slice(0, this.size)
  }

  toString(): string {
    return `Box(${shown(this.low)}, ${shown(this.high)}, [${this.shape.join(", ")}], ${this.dtype})`
  }
}

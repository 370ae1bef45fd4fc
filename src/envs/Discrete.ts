/** A space of finitely many integers: start, start + 1, ..., start + n - 1 (Gymnasium's `spaces.Discrete`). */
import type { Pcg64 } from "../random/index.ts"

export class Discrete {
  readonly _tag = "Discrete"
  /** How many elements. */
  readonly n: number
  /** The smallest. */
  readonly start: number

  constructor(n: number, options?: { readonly start?: number }) {
    this.n = n
    this.start = options?.start ?? 0
  }

  /** How many numbers an element has, flattened: it is given to networks as a one-hot vector. */
  get size(): number {
    return this.n
  }

  contains(value: unknown): value is number {
    return typeof value === "number" && Number.isInteger(value) && value >= this.start && value < this.start + this.n
  }

  /** Draws an element as Gymnasium does: the stream of `random` is that of `space.seed`. */
  sample(random: Pcg64): number {
    return this.start + random.integers(0, this.n)
  }

  /** Writes `value` as a one-hot vector of `n` numbers. */
  encode(value: number, out: Float32Array): void {
    for (let i = 0; i < this.n; i++) out[i] = i === value - this.start ? 1 : 0
  }

  /** The element a one-hot vector stands for; NaN where it is none. */
  decode(flat: Float32Array): number {
    let found = NaN
    for (let i = 0; i < this.n; i++) {
      if (flat[i] === 1 && found !== found) found = this.start + i
      else if (flat[i] !== 0) return NaN
    }
    return found
  }

  toString(): string {
    return this.start === 0 ? `Discrete(${this.n})` : `Discrete(${this.n}, start=${this.start})`
  }
}

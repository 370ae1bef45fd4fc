/** A space of finitely many integers: start, start + 1, ..., start + n - 1 (Gymnasium's `spaces.Discrete`). */
import * as Schema from "effect/Schema"
import type { Entropy, Pcg64 } from "../../random/index.ts"
import { drawAllowed, type Mask } from "./masks.ts"
import { type Sampler, streamSampler } from "./Sampler.ts"
import { type AnySpace, type FlatArray, isPositiveInteger, registerSpace } from "./Space.ts"

declare module "./Space.ts" {
  interface Spaces {
    readonly Discrete: Discrete
  }
}

export class Discrete implements AnySpace {
  readonly _tag = "Discrete"
  readonly streams = 1
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

  /**
   * Draws an element as Gymnasium does: the stream of `random` is that of `space.seed`. With a mask of `n` numbers only
   * elements where it is 1; `start` where it is 0 for all.
   */
  sample(random: Pcg64, mask?: Mask): number {
    return this.start + (mask === undefined ? random.integers(0, this.n) : drawAllowed(random, mask, this.n))
  }

  sampler(seed: Entropy, into?: Uint32Array): Sampler<number, Mask> {
    return streamSampler((random, mask) => this.sample(random, mask), seed, into)
  }

  /** Writes `value` as a one-hot vector of `n` numbers. */
  encode(value: number, out: FlatArray): void {
    const { n, start } = this
    for (let i = 0; i < n; i++) out[i] = 0
    const at = value - start
    if (at >= 0 && at < n) out[at] = 1
  }

  /** The element a one-hot vector stands for; NaN where it is none. */
  decode(flat: FlatArray): number {
    let found = NaN
    for (let i = 0; i < this.n; i++) {
      if (flat[i] === 1 && found !== found) found = this.start + i
      else if (flat[i] !== 0) return NaN
    }
    return found
  }

  decodeProblem(flat: FlatArray): string | undefined {
    const element = this.decode(flat)
    return element === element ? undefined : "is no one-hot vector"
  }

  float32Loss(): undefined {
    return undefined
  }

  encodeJson(value: number): number {
    return value
  }

  decodeJson(json: unknown): number | undefined {
    return this.contains(json) ? json : undefined
  }

  toJSON(): Schema.JsonObject {
    return { type: "Discrete", n: this.n, start: this.start }
  }

  toString(): string {
    return this.start === 0 ? `Discrete(${this.n})` : `Discrete(${this.n}, start=${this.start})`
  }
}

const DiscreteJson = Schema.Struct({ n: Schema.Int, start: Schema.Int })

registerSpace({
  tag: "Discrete",
  problem: ({ n, start }) => {
    if (!isPositiveInteger(n)) return `has n = ${String(n)}: give a positive integer`
    if (!Number.isSafeInteger(start)) return `starts at ${String(start)}: give an integer`
    return undefined
  },
  fromJson: (json) => {
    const { n, start } = Schema.decodeUnknownSync(DiscreteJson)(json)
    return new Discrete(n, { start })
  }
})

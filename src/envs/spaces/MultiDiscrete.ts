/** A space of vectors of integers, each with its own count and start (Gymnasium's `spaces.MultiDiscrete`). */
import * as Schema from "effect/Schema"
import type { Entropy, Pcg64 } from "../../random/index.ts"
import { drawAllowed, type Mask } from "./masks.ts"
import { type Sampler, streamSampler } from "./Sampler.ts"
import { flatten, isList, nest, shownShape, sizeOf } from "./shapes.ts"
import { type AnySpace, type FlatArray, isPositiveInteger, registerSpace } from "./Space.ts"

declare module "./Space.ts" {
  interface Spaces {
    readonly MultiDiscrete: MultiDiscrete
  }
}

export interface MultiDiscreteOptions {
  /** The smallest of each; 0 by default. */
  readonly start?: ArrayLike<number>
  /** Lengths of the dimensions, row-major. By default one dimension, as long as the counts. */
  readonly shape?: ReadonlyArray<number>
}

export class MultiDiscrete implements AnySpace {
  readonly _tag = "MultiDiscrete"
  readonly streams = 1
  readonly shape: ReadonlyArray<number>
  /** How many integers each number may be, row-major. */
  readonly nvec: ReadonlyArray<number>
  /** The smallest of each. */
  readonly start: ReadonlyArray<number>
  /** How many numbers an element has, flattened: a one-hot vector for each, one after another. */
  readonly size: number

  constructor(nvec: ArrayLike<number>, options?: MultiDiscreteOptions) {
    this.nvec = Array.from(nvec)
    this.start = options?.start === undefined ? this.nvec.map(() => 0) : Array.from(options.start)
    this.shape = options?.shape ?? [this.nvec.length]
    this.size = this.nvec.reduce((sum, n) => sum + n, 0)
  }

  contains(value: unknown): value is ArrayLike<number> {
    if (!isList(value) || value.length !== this.nvec.length) return false
    for (let i = 0; i < this.nvec.length; i++) {
      const entry = value[i]
      if (typeof entry !== "number" || !Number.isInteger(entry)) return false
      if (entry < this.start[i]! || entry >= this.start[i]! + this.nvec[i]!) return false
    }
    return true
  }

  /**
   * Draws an element as Gymnasium does: each number from one uniform draw. With a mask for each number, of as many
   * entries as it has values, only values where it is 1; the smallest where it is 0 for all.
   */
  sample(random: Pcg64, masks?: ArrayLike<Mask>): Int32Array {
    const { nvec, start } = this
    if (masks !== undefined && masks.length !== nvec.length) {
      throw new RangeError(`There are ${masks.length} masks where the space has ${nvec.length} numbers: give one each.`)
    }
    return Int32Array.from(
      nvec,
      (n, i) => start[i]! + (masks === undefined ? Math.floor(random.random() * n) : drawAllowed(random, masks[i]!, n))
    )
  }

  sampler(seed: Entropy, into?: Uint32Array): Sampler<Int32Array, ArrayLike<Mask>> {
    return streamSampler((random, masks) => this.sample(random, masks), seed, into)
  }

  /** Writes `value` as a one-hot vector for each number. */
  encode(value: ArrayLike<number>, out: FlatArray): void {
    for (let i = 0; i < this.size; i++) out[i] = 0
    let from = 0
    for (let part = 0; part < this.nvec.length; part++) {
      out[from + value[part]! - this.start[part]!] = 1
      from += this.nvec[part]!
    }
  }

  /** Where in each part the one is; undefined for a part that is no one-hot vector. */
  #found(flat: FlatArray): ReadonlyArray<number | undefined> {
    let from = 0
    return this.nvec.map((n) => {
      let found: number | undefined
      let ones = 0
      for (let i = 0; i < n; i++) {
        const entry = flat[from + i]
        if (entry === 0) continue
        ones += entry === 1 ? 1 : 2
        found = i
      }
      from += n
      return ones === 1 ? found : undefined
    })
  }

  /** The element those one-hot vectors stand for; one that is outside the space where they are none. */
  decode(flat: FlatArray): Int32Array {
    return Int32Array.from(this.#found(flat), (found, i) => this.start[i]! + (found ?? -1))
  }

  decodeProblem(flat: FlatArray): string | undefined {
    const part = this.#found(flat).indexOf(undefined)
    return part < 0 ? undefined : `has no one-hot vector for number ${part}`
  }

  float32Loss(): undefined {
    return undefined
  }

  encodeJson(value: ArrayLike<number>): Schema.Json {
    return nest(value, this.shape)
  }

  decodeJson(json: unknown): Int32Array | undefined {
    const values = flatten(json, this.shape)
    return this.contains(values) ? Int32Array.from(values) : undefined
  }

  toJSON(): Schema.JsonObject {
    return { type: "MultiDiscrete", nvec: [...this.nvec], start: [...this.start], shape: [...this.shape] }
  }

  toString(): string {
    const start = this.start.some((smallest) => smallest !== 0) ? `, start=[${this.start.join(" ")}]` : ""
    const shape = this.shape.length === 1 ? "" : `, shape=${shownShape(this.shape)}`
    return `MultiDiscrete([${this.nvec.join(" ")}]${start}${shape})`
  }
}

const Integers = Schema.Array(Schema.Int)
const MultiDiscreteJson = Schema.Struct({ nvec: Integers, start: Integers, shape: Integers })

registerSpace({
  tag: "MultiDiscrete",
  problem: ({ nvec, shape, start }) => {
    if (!Array.isArray(nvec) || nvec.length === 0 || !nvec.every(isPositiveInteger)) {
      return `has nvec = [${String(nvec)}]: give positive integers`
    }
    if (!Array.isArray(shape) || !shape.every(isPositiveInteger) || sizeOf(shape) !== nvec.length) {
      return `has the shape [${String(shape)}] for ${nvec.length} numbers: give positive integers whose product that is`
    }
    if (!Array.isArray(start) || start.length !== nvec.length || !start.every(Number.isSafeInteger)) {
      return `starts at [${String(start)}]: give ${nvec.length} integers`
    }
    return undefined
  },
  fromJson: (json) => {
    const { nvec, shape, start } = Schema.decodeUnknownSync(MultiDiscreteJson)(json)
    return new MultiDiscrete(nvec, { start, shape })
  }
})

/** A space of vectors of zeros and ones (Gymnasium's `spaces.MultiBinary`). */
import * as Schema from "effect/Schema"
import type { Entropy, Pcg64 } from "../../random/index.ts"
import { type Sampler, streamSampler } from "./Sampler.ts"
import { flatten, isList, nest, shownShape, sizeOf } from "./shapes.ts"
import { type AnySpace, type FlatArray, isPositiveInteger, registerSpace } from "./Space.ts"

declare module "./Space.ts" {
  interface Spaces {
    readonly MultiBinary: MultiBinary
  }
}

const isBit = (value: unknown): boolean => value === 0 || value === 1

export class MultiBinary implements AnySpace {
  readonly _tag = "MultiBinary"
  readonly streams = 1
  /** Lengths of the dimensions, row-major. */
  readonly shape: ReadonlyArray<number>
  /** How many numbers an element has. */
  readonly size: number

  /** @param n how many numbers, or the lengths of several dimensions */
  constructor(n: number | ReadonlyArray<number>) {
    this.shape = typeof n === "number" ? [n] : n
    this.size = sizeOf(this.shape)
  }

  contains(value: unknown): value is ArrayLike<number> {
    if (!isList(value) || value.length !== this.size) return false
    for (let i = 0; i < this.size; i++) if (!isBit(value[i])) return false
    return true
  }

  /**
   * Draws an element as Gymnasium does: a byte of the stream each, four of one 32-bit draw. A mask has as many numbers:
   * 0 and 1 are what comes out, 2 leaves it to the draw.
   */
  sample(random: Pcg64, mask?: ArrayLike<number>): Int8Array {
    if (mask !== undefined && mask.length !== this.size) {
      throw new RangeError(`The mask has ${mask.length} numbers where the space has ${this.size}: give one each.`)
    }
    const out = new Int8Array(this.size)
    let bytes = 0
    for (let i = 0; i < this.size; i++) {
      bytes = i % 4 === 0 ? random.integers(0, 4294967296) : bytes >>> 8
      const drawn = (bytes >>> 7) & 1
      const said = mask?.[i] ?? 2
      if (said !== 2 && !isBit(said)) throw new RangeError(`The mask is ${said} at ${i}: give 0, 1, or 2 (drawn).`)
      out[i] = said === 2 ? drawn : said
    }
    return out
  }

  sampler(seed: Entropy, into?: Uint32Array): Sampler<Int8Array, ArrayLike<number>> {
    return streamSampler((random, mask) => this.sample(random, mask), seed, into)
  }

  encode(value: ArrayLike<number>, out: FlatArray): void {
    for (let i = 0; i < this.size; i++) out[i] = value[i]!
  }

  /** The element those numbers stand for; one that is outside the space where they are neither 0 nor 1. */
  decode(flat: FlatArray): Int8Array {
    return Int8Array.from(flat.subarray(0, this.size), (entry) => isBit(entry) ? entry : -1)
  }

  decodeProblem(flat: FlatArray): string | undefined {
    for (let i = 0; i < this.size; i++) if (!isBit(flat[i])) return `is ${flat[i]} at ${i}, neither 0 nor 1`
    return undefined
  }

  float32Loss(): undefined {
    return undefined
  }

  encodeJson(value: ArrayLike<number>): Schema.Json {
    return nest(value, this.shape)
  }

  decodeJson(json: unknown): Int8Array | undefined {
    const values = flatten(json, this.shape)
    return this.contains(values) ? Int8Array.from(values) : undefined
  }

  toJSON(): Schema.JsonObject {
    return { type: "MultiBinary", shape: [...this.shape] }
  }

  toString(): string {
    return `MultiBinary(${this.shape.length === 1 ? this.shape[0] : shownShape(this.shape)})`
  }
}

const MultiBinaryJson = Schema.Struct({ shape: Schema.Array(Schema.Int) })

registerSpace({
  tag: "MultiBinary",
  problem: ({ shape }) =>
    Array.isArray(shape) && shape.length > 0 && shape.every(isPositiveInteger)
      ? undefined
      : `has the shape [${String(shape)}]: give positive integers`,
  fromJson: (json) => new MultiBinary(Schema.decodeUnknownSync(MultiBinaryJson)(json).shape)
})

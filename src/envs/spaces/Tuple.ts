/** A space of lists with one element of each of several spaces (Gymnasium's `spaces.Tuple`). */
import * as Schema from "effect/Schema"
import type { Entropy } from "../../random/index.ts"
import { partSamplers, type Sampler } from "./Sampler.ts"
import {
  type ActionOf,
  type AnySpace,
  type FlatArray,
  type ObservationOf,
  registerSpace,
  spaceFromJson,
  spaceProblem
} from "./Space.ts"

declare module "./Space.ts" {
  interface Spaces {
    readonly Tuple: Tuple
  }
}

/** What the parts' samplers give, what they decode, and their masks. */
type Sampled<Parts> = { [Part in keyof Parts]: Parts[Part] extends AnySpace ? ActionOf<Parts[Part]> : never }
type Decoded<Parts> = { [Part in keyof Parts]: Parts[Part] extends AnySpace ? ObservationOf<Parts[Part]> : never }

export class Tuple<const Parts extends ReadonlyArray<AnySpace> = ReadonlyArray<AnySpace>> implements AnySpace {
  readonly _tag = "Tuple"
  readonly spaces: Parts

  constructor(spaces: Parts) {
    this.spaces = spaces
  }

  get size(): number {
    return this.spaces.reduce((sum, space) => sum + space.size, 0)
  }

  get streams(): number {
    return this.spaces.reduce((sum, space) => sum + space.streams, 0)
  }

  contains(value: unknown): value is Sampled<Parts> {
    return Array.isArray(value) && value.length === this.spaces.length &&
      this.spaces.every((space, i) => space.contains(value[i]))
  }

  /** Each part from its own stream. A mask is a list with one for each part, undefined where it has none. */
  sampler(seed: Entropy, into?: Uint32Array): Sampler<Sampled<Parts>, ReadonlyArray<unknown>>
  sampler(seed: Entropy, into?: Uint32Array): Sampler<ReadonlyArray<unknown>, ReadonlyArray<unknown>> {
    const { parts, reseed, state } = partSamplers(this.spaces, seed, into)
    return {
      state,
      reseed,
      sample: (masks) => {
        if (masks !== undefined && masks.length !== parts.length) {
          throw new RangeError(
            `There are ${masks.length} masks where the space has ${parts.length} parts: give one each.`
          )
        }
        return parts.map((part, i) => part.sample(masks?.[i]))
      }
    }
  }

  /** Writes the parts one after another. */
  encode(value: Readonly<Record<number, unknown>>, out: FlatArray): void {
    let from = 0
    for (let i = 0; i < this.spaces.length; i++) {
      const space = this.spaces[i]!
      space.encode(value[i], out.subarray(from, from + space.size))
      from += space.size
    }
  }

  #eachPart<Result>(flat: FlatArray, read: (space: AnySpace, flat: FlatArray, index: number) => Result): Array<Result> {
    let from = 0
    return this.spaces.map((space, i) => read(space, flat.subarray(from, from += space.size), i))
  }

  decode(flat: FlatArray): Decoded<Parts>
  decode(flat: FlatArray): ReadonlyArray<unknown> {
    return this.#eachPart(flat, (space, part) => space.decode(part))
  }

  decodeProblem(flat: FlatArray): string | undefined {
    const problems = this.#eachPart(flat, (space, part, i) => {
      const problem = space.decodeProblem(part)
      return problem === undefined ? undefined : `has a part ${i} that ${problem}`
    })
    return problems.find((problem) => problem !== undefined)
  }

  float32Loss(): string | undefined {
    for (const [i, space] of this.spaces.entries()) {
      const loss = space.float32Loss()
      if (loss !== undefined) return `has a part ${i} that ${loss}`
    }
    return undefined
  }

  encodeJson(value: Readonly<Record<number, unknown>>): Schema.Json {
    return this.spaces.map((space, i) => space.encodeJson(value[i]))
  }

  decodeJson(json: unknown): Sampled<Parts> | undefined {
    if (!Array.isArray(json) || json.length !== this.spaces.length) return undefined
    const value: unknown = this.spaces.map((space, i) => space.decodeJson(json[i]))
    return this.contains(value) ? value : undefined
  }

  toJSON(): Schema.JsonObject {
    return { type: "Tuple", spaces: this.spaces.map((space) => space.toJSON()) }
  }

  toString(): string {
    return `Tuple(${this.spaces.join(", ")})`
  }
}

const TupleJson = Schema.Struct({ spaces: Schema.Array(Schema.Unknown) })

registerSpace({
  tag: "Tuple",
  problem: ({ spaces }) => {
    if (!Array.isArray(spaces) || spaces.length === 0) return "has no parts: give a list of spaces"
    for (const [i, space] of spaces.entries()) {
      const problem = spaceProblem(space)
      if (problem !== undefined) return `has a part ${i} that ${problem}`
    }
    return undefined
  },
  fromJson: (json) => new Tuple(Schema.decodeUnknownSync(TupleJson)(json).spaces.map(spaceFromJson))
})

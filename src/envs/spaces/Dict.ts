/** A space of records with one element of each of several named spaces (Gymnasium's `spaces.Dict`). */
import * as Schema from "effect/Schema"
import type { Entropy } from "../../random/index.ts"
import { partSamplers, type Sampler } from "./Sampler.ts"
import {
  type ActionOf,
  type AnySpace,
  type FlatArray,
  isFields,
  type ObservationOf,
  registerSpace,
  spaceFromJson,
  spaceProblem
} from "./Space.ts"

declare module "./Space.ts" {
  interface Spaces {
    readonly Dict: Dict
  }
}

type Parts = Readonly<Record<string, AnySpace>>
type Sampled<P extends Parts> = { readonly [Key in keyof P]: ActionOf<P[Key]> }
type Decoded<P extends Parts> = { readonly [Key in keyof P]: ObservationOf<P[Key]> }
type Named = Readonly<Record<string, unknown>>

/** By code point, as Python sorts strings. */
const byCodePoint = (a: string, b: string): number => {
  const [left, right] = [[...a], [...b]]
  for (let i = 0; i < Math.min(left.length, right.length); i++) {
    const difference = left[i]!.codePointAt(0)! - right[i]!.codePointAt(0)!
    if (difference !== 0) return difference
  }
  return left.length - right.length
}

export class Dict<const P extends Parts = Parts> implements AnySpace {
  readonly _tag = "Dict"
  readonly spaces: P
  /** The names in the order in which parts are seeded and flattened. */
  readonly keys: ReadonlyArray<string>
  readonly #parts: ReadonlyArray<readonly [string, AnySpace]>

  /**
   * @param spaces the parts by name, in the order of their names as in Gymnasium
   * @param options `keys`: every name once, where another order is wanted
   */
  constructor(spaces: P, options?: { readonly keys?: ReadonlyArray<string> }) {
    this.spaces = spaces
    this.keys = options?.keys ?? Object.keys(spaces).toSorted(byCodePoint)
    this.#parts = this.keys.map((key) => [key, spaces[key]!])
  }

  get size(): number {
    return this.#parts.reduce((sum, [, space]) => sum + space.size, 0)
  }

  get streams(): number {
    return this.#parts.reduce((sum, [, space]) => sum + space.streams, 0)
  }

  contains(value: unknown): value is Sampled<P> {
    return isFields(value) && !Array.isArray(value) && Object.keys(value).length === this.keys.length &&
      this.#parts.every(([key, space]) => Object.hasOwn(value, key) && space.contains(value[key]))
  }

  /** Each part from its own stream. A mask is a record with one for each part, undefined where it has none. */
  sampler(seed: Entropy, into?: Uint32Array): Sampler<Sampled<P>, Named>
  sampler(seed: Entropy, into?: Uint32Array): Sampler<Named, Named> {
    const { parts, reseed, state } = partSamplers(this.#parts.map(([, space]) => space), seed, into)
    return {
      state,
      reseed,
      sample: (masks) => {
        const unknown = Object.keys(masks ?? {}).find((key) => !this.keys.includes(key))
        if (unknown !== undefined) {
          throw new RangeError(`There is a mask for "${unknown}": give masks for ${this.keys.join(", ")}.`)
        }
        return Object.fromEntries(this.keys.map((key, i) => [key, parts[i]!.sample(masks?.[key])]))
      }
    }
  }

  /** Writes the parts one after another, in the order of `keys`. */
  encode(value: Named, out: FlatArray): void {
    let from = 0
    for (const [key, space] of this.#parts) {
      space.encode(value[key], out.subarray(from, from + space.size))
      from += space.size
    }
  }

  #eachPart<Result>(flat: FlatArray, read: (key: string, space: AnySpace, flat: FlatArray) => Result): Array<Result> {
    let from = 0
    return this.#parts.map(([key, space]) => read(key, space, flat.subarray(from, from += space.size)))
  }

  decode(flat: FlatArray): Decoded<P>
  decode(flat: FlatArray): Named {
    return Object.fromEntries(this.#eachPart(flat, (key, space, part) => [key, space.decode(part)]))
  }

  decodeProblem(flat: FlatArray): string | undefined {
    const problems = this.#eachPart(flat, (key, space, part) => {
      const problem = space.decodeProblem(part)
      return problem === undefined ? undefined : `has a part "${key}" that ${problem}`
    })
    return problems.find((problem) => problem !== undefined)
  }

  float32Loss(): string | undefined {
    for (const [key, space] of this.#parts) {
      const loss = space.float32Loss()
      if (loss !== undefined) return `has a part "${key}" that ${loss}`
    }
    return undefined
  }

  encodeJson(value: Named): Schema.Json {
    return Object.fromEntries(this.#parts.map(([key, space]) => [key, space.encodeJson(value[key])]))
  }

  decodeJson(json: unknown): Sampled<P> | undefined {
    if (!isFields(json) || Object.keys(json).length !== this.keys.length) return undefined
    const value: unknown = Object.fromEntries(this.#parts.map(([key, space]) => [key, space.decodeJson(json[key])]))
    return this.contains(value) ? value : undefined
  }

  /** The parts as pairs, since a JSON object does not keep the order of names such as "10" and "9". */
  toJSON(): Schema.JsonObject {
    return { type: "Dict", spaces: this.#parts.map(([key, space]) => [key, space.toJSON()]) }
  }

  toString(): string {
    return `Dict(${this.#parts.map(([key, space]) => `'${key}': ${space}`).join(", ")})`
  }
}

const DictJson = Schema.Struct({ spaces: Schema.Array(Schema.Tuple([Schema.String, Schema.Unknown])) })

registerSpace({
  tag: "Dict",
  problem: ({ keys, spaces }) => {
    if (!isFields(spaces) || Object.keys(spaces).length === 0) return "has no parts: give a record of spaces"
    const names = Object.keys(spaces)
    if (!Array.isArray(keys) || keys.length !== names.length || !names.every((name) => keys.includes(name))) {
      return `has the keys [${String(keys)}]: give each of ${names.join(", ")} once`
    }
    for (const [key, space] of Object.entries(spaces)) {
      const problem = spaceProblem(space)
      if (problem !== undefined) return `has a part "${key}" that ${problem}`
    }
    return undefined
  },
  fromJson: (json) => {
    const { spaces } = Schema.decodeUnknownSync(DictJson)(json)
    const parts = Object.fromEntries(spaces.map(([key, space]) => [key, spaceFromJson(space)]))
    return new Dict(parts, { keys: spaces.map(([key]) => key) })
  }
})

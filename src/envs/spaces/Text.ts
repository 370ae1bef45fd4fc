/** A space of strings of bounded length over some characters (Gymnasium's `spaces.Text`). */
import * as Schema from "effect/Schema"
import type { Entropy, Pcg64 } from "../../random/index.ts"
import type { Mask } from "./masks.ts"
import { type Sampler, streamSampler } from "./Sampler.ts"
import { type AnySpace, type FlatArray, isPositiveInteger, registerSpace } from "./Space.ts"

declare module "./Space.ts" {
  interface Spaces {
    readonly Text: Text
  }
}

const alphanumeric = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"

export interface TextOptions {
  /** The fewest characters; 1 by default. */
  readonly minLength?: number
  /** The characters, in the order in which they are numbered; digits and the English letters by default. */
  readonly charset?: string
}

/** What a sample may be. */
export interface TextMask {
  /** How many characters; drawn where it is left out. */
  readonly length?: number
  /** Of each character whether it may be drawn: 1, or 0. */
  readonly characters?: Mask
}

export class Text implements AnySpace {
  readonly _tag = "Text"
  readonly streams = 1
  readonly minLength: number
  readonly maxLength: number
  /** The characters (code points), each once. */
  readonly characters: ReadonlyArray<string>
  readonly #index: ReadonlyMap<string, number>

  constructor(maxLength: number, options?: TextOptions) {
    this.maxLength = maxLength
    this.minLength = options?.minLength ?? 1
    this.characters = [...new Set(options?.charset ?? alphanumeric)]
    this.#index = new Map(this.characters.map((character, i) => [character, i]))
  }

  /** How many numbers an element has, flattened: the number of each character, then as many times how many there are. */
  get size(): number {
    return this.maxLength
  }

  contains(value: unknown): value is string {
    if (typeof value !== "string") return false
    const characters = [...value]
    return characters.length >= this.minLength && characters.length <= this.maxLength &&
      characters.every((character) => this.#index.has(character))
  }

  /** Draws an element as Gymnasium does: its length, then each character from one uniform draw. */
  sample(random: Pcg64, mask?: TextMask): string {
    const { characters, maxLength, minLength } = this
    const allowed = mask?.characters
    const wanted = mask?.length
    if (wanted !== undefined && !(Number.isInteger(wanted) && wanted >= minLength && wanted <= maxLength)) {
      throw new RangeError(`The mask wants ${wanted} characters: give an integer from ${minLength} to ${maxLength}.`)
    }
    if (allowed !== undefined && allowed.length !== characters.length) {
      throw new RangeError(
        `The mask has ${allowed.length} numbers where the space has ${characters.length} characters: give one each.`
      )
    }
    const length = wanted ?? random.integers(minLength, maxLength + 1)
    // Sums of probabilities, in the order and with the divisions of `Generator.choice`: others would round differently.
    let count = 0
    for (let i = 0; i < characters.length; i++) {
      const weight = allowed?.[i] ?? 1
      if (weight !== 0 && weight !== 1) {
        throw new RangeError(`The mask is ${weight} at ${i}: give 1 (may be drawn) or 0.`)
      }
      count += weight
    }
    if (count === 0) {
      if (minLength === 0) return ""
      throw new RangeError(`The mask leaves no character, but a text has at least ${minLength}: leave some.`)
    }
    const sums: Array<number> = []
    let sum = 0
    for (let i = 0; i < characters.length; i++) sums.push(sum += (allowed?.[i] ?? 1) / count)
    let text = ""
    for (let drawn = 0; drawn < length; drawn++) {
      const at = random.random()
      text += characters[sums.findIndex((upTo) => upTo / sum > at)]!
    }
    return text
  }

  sampler(seed: Entropy, into?: Uint32Array): Sampler<string, TextMask> {
    return streamSampler((random, mask) => this.sample(random, mask), seed, into)
  }

  encode(value: string, out: FlatArray): void {
    let at = 0
    for (const character of value) out[at++] = this.#index.get(character) ?? this.characters.length
    while (at < this.maxLength) out[at++] = this.characters.length
  }

  /** The text those numbers stand for; numbers that are no character's are left out. */
  decode(flat: FlatArray): string {
    let text = ""
    for (let i = 0; i < this.maxLength; i++) text += this.characters[flat[i]!] ?? ""
    return text
  }

  decodeProblem(flat: FlatArray): string | undefined {
    const { characters, maxLength, minLength } = this
    let length = 0
    for (let i = 0; i < maxLength; i++) {
      const entry = flat[i]!
      if (!(Number.isInteger(entry) && entry >= 0 && entry <= characters.length)) {
        return `is ${entry} at ${i}, no number from 0 to ${characters.length}`
      }
      if (entry < characters.length && i > length) return `has a character after its end, at ${i}`
      if (entry < characters.length) length += 1
    }
    return length < minLength ? `has ${length} characters, fewer than ${minLength}` : undefined
  }

  float32Loss(): undefined {
    return undefined
  }

  encodeJson(value: string): string {
    return value
  }

  decodeJson(json: unknown): string | undefined {
    return this.contains(json) ? json : undefined
  }

  toJSON(): Schema.JsonObject {
    const { characters, maxLength, minLength } = this
    return { type: "Text", minLength, maxLength, charset: characters.join("") }
  }

  toString(): string {
    return `Text(${this.minLength}, ${this.maxLength}, charset=${this.characters.toSorted().join("")})`
  }
}

const TextJson = Schema.Struct({ minLength: Schema.Int, maxLength: Schema.Int, charset: Schema.String })

registerSpace({
  tag: "Text",
  problem: ({ characters, maxLength, minLength }) => {
    if (!isPositiveInteger(maxLength)) return `has maxLength = ${String(maxLength)}: give a positive integer`
    if (!(minLength === 0 || isPositiveInteger(minLength)) || minLength > maxLength) {
      return `has minLength = ${String(minLength)}: give an integer from 0 to maxLength, ${maxLength}`
    }
    if (!Array.isArray(characters) || characters.length === 0) return "has no characters: give a charset"
    return undefined
  },
  fromJson: (json) => {
    const { charset, maxLength, minLength } = Schema.decodeUnknownSync(TextJson)(json)
    return new Text(maxLength, { minLength, charset })
  }
})

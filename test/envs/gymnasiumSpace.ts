/** Spaces and elements as the reference recordings write them: Gymnasium's `repr`, and arrays with dtype and shape. */
import { Schema } from "effect"
import { Box, Dict, Discrete, MultiBinary, MultiDiscrete, type Space, Text, Tuple } from "../../src/envs/index.ts"

/** A cursor over a `repr`. */
class Reader {
  #at = 0
  readonly #text: string

  constructor(text: string) {
    this.#text = text
  }

  /** What matches here, which must be something. */
  take(pattern: RegExp): string {
    const found = this.maybe(pattern)
    if (found === undefined) throw new Error(`${this.#text}: ${pattern} expected at ${this.#at}`)
    return found
  }

  maybe(pattern: RegExp): string | undefined {
    const sticky = new RegExp(`\\s*(${pattern.source})`, "ys")
    sticky.lastIndex = this.#at
    const found = sticky.exec(this.#text)
    if (found === null) return undefined
    this.#at = sticky.lastIndex
    return found[1]
  }
}

const numberPattern = /-?(?:inf|\d+\.?\d*(?:e[-+]?\d+)?|\.\d+)/

const numberOf = (text: string): number => Number(text.replace("inf", "Infinity"))

/** A NumPy array or a Python tuple: its numbers, row-major, and its shape. */
const readArray = (reader: Reader): { readonly data: Array<number>; readonly shape: Array<number> } => {
  const data: Array<number> = []
  const level = (): Array<number> => {
    if (reader.maybe(/[[(]/) === undefined) {
      data.push(numberOf(reader.take(numberPattern)))
      return []
    }
    let inner: Array<number> = []
    let length = 0
    while (reader.maybe(/[\])]/) === undefined) {
      inner = level()
      length += 1
      reader.maybe(/,/)
    }
    return [length, ...inner]
  }
  const shape = level()
  return { data, shape }
}

const dtypeNames = [
  "float16",
  "float32",
  "float64",
  "int8",
  "int16",
  "int32",
  "int64",
  "uint8",
  "uint16",
  "uint32",
  "uint64",
  "bool"
] as const

const readBox = (reader: Reader): Space => {
  const bound = (): number | ReadonlyArray<number> => {
    const word = reader.maybe(/True|False/)
    if (word !== undefined) return word === "True" ? 1 : 0
    const { data, shape } = readArray(reader)
    return shape.length === 0 ? data[0]! : data
  }
  const low = bound()
  reader.take(/,/)
  const high = bound()
  reader.take(/,/)
  const { data: shape } = readArray(reader)
  reader.take(/,/)
  const name = reader.take(/\w+/)
  const dtype = dtypeNames.find((known) => known === name)
  if (dtype === undefined) throw new Error(`no such dtype: ${name}`)
  return new Box({ low, high, shape, dtype })
}

const readSpace = (reader: Reader): Space => {
  const kind = reader.take(/\w+(?=\()/)
  reader.take(/\(/)
  const space = ((): Space => {
    switch (kind) {
      case "Box":
        return readBox(reader)
      case "Discrete": {
        const n = Number(reader.take(/\d+/))
        const start = reader.maybe(/, start=/) === undefined ? 0 : Number(reader.take(/-?\d+/))
        reader.maybe(/, dtype=\w+/)
        return new Discrete(n, { start })
      }
      case "MultiDiscrete": {
        const { data, shape } = readArray(reader)
        const start = reader.maybe(/, start=/) === undefined ? undefined : readArray(reader).data
        return new MultiDiscrete(data, start === undefined ? { shape } : { shape, start })
      }
      case "MultiBinary": {
        const { data, shape } = readArray(reader)
        return new MultiBinary(shape.length === 0 ? data[0]! : data)
      }
      case "Text": {
        const [minLength, maxLength] = reader.take(/\d+, \d+/).split(", ").map(Number)
        reader.take(/, charset=/)
        return new Text(maxLength!, { minLength: minLength!, charset: reader.take(/[^)]*/) })
      }
      case "Tuple": {
        const spaces: Array<Space> = []
        do spaces.push(readSpace(reader))
        while (reader.maybe(/,/) !== undefined)
        return new Tuple(spaces)
      }
      case "Dict": {
        const keys: Array<string> = []
        const spaces: Record<string, Space> = {}
        do {
          const key = reader.take(/'[^']*'/).slice(1, -1)
          reader.take(/:/)
          keys.push(key)
          spaces[key] = readSpace(reader)
        } while (reader.maybe(/,/) !== undefined)
        return new Dict(spaces, { keys })
      }
      default:
        throw new Error(`no such space: ${kind}`)
    }
  })()
  reader.take(/\)/)
  return space
}

/** The space of a `repr`: "Discrete(2)", "Box(-2.0, 2.0, (1,), float32)". */
export const gymnasiumSpace = (repr: string): Space => readSpace(new Reader(repr))

/** Numbers of an array, or the truth values of one of dtype bool. */
export const Recorded = Schema.Struct({
  dtype: Schema.String,
  shape: Schema.Array(Schema.Int),
  data: Schema.Array(Schema.Union([Schema.Finite, Schema.Boolean]))
})
const isRecorded = Schema.is(Recorded)

/** An element, recorded or ours, as plain numbers, strings, lists and records. */
export const plain = (value: unknown): unknown => {
  if (isRecorded(value)) return value.data.map(Number)
  if (ArrayBuffer.isView(value) && Symbol.iterator in value) return [...(value as Iterable<number>)]
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== "object" || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plain(entry)]))
}

const Masks = Schema.Array(Schema.Unknown)

/** A recorded mask in the form that the space takes. */
export const maskOf = (
  space: { readonly _tag: Space["_tag"]; readonly spaces?: unknown },
  recorded: unknown
): unknown => {
  if (recorded === null) return undefined
  switch (space._tag) {
    case "Box":
    case "Discrete":
    case "MultiBinary":
      return plain(recorded)
    case "MultiDiscrete": {
      // The masks of several dimensions are lists within lists; ours lie one after another.
      const flat = (masks: unknown): Array<unknown> =>
        Array.isArray(masks) ? masks.flatMap((mask) => isRecorded(mask) ? [mask.data] : flat(mask)) : []
      return flat(recorded)
    }
    case "Text": {
      const [length, characters] = Schema.decodeUnknownSync(Masks)(recorded)
      return {
        ...(typeof length === "number" ? { length } : {}),
        ...(isRecorded(characters) ? { characters: characters.data } : {})
      }
    }
    case "Tuple": {
      const parts = space.spaces as ReadonlyArray<Space>
      return Schema.decodeUnknownSync(Masks)(recorded).map((mask, i) => maskOf(parts[i]!, mask))
    }
    case "Dict": {
      const parts = space.spaces as Readonly<Record<string, Space>>
      const masks = Schema.decodeUnknownSync(Schema.Record(Schema.String, Schema.Unknown))(recorded)
      return Object.fromEntries(Object.entries(masks).map(([key, mask]) => [key, maskOf(parts[key]!, mask)]))
    }
  }
}

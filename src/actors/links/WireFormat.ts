/**
 * How a value made only of JSON-like data is written as bytes, and read again as the very value: `undefined`, `-0`, `NaN`
 * and lone surrogates included, which JSON text would lose.
 *
 * A value is a tag of one byte and what belongs to it; the format is private to the two ends of a link, which are of one
 * build. Everything else (shared memory, dates, class instances, functions, nesting deeper than `deepest`) is foreign: the
 * writer says so, and the link posts it instead. Typed arrays are foreign too, unless the link has no other way for them:
 * then their bytes are written as they lie in memory, so both ends must have the same endianness.
 *
 * A reader believes nothing that it reads: what no writer has written is `Malformed`, and takes neither time nor memory
 * beyond the bytes that there are.
 *
 * Short strings are mostly the same few (names of methods, keys), so the reader keeps those it has seen and compares bytes,
 * which is quicker than to make a string anew.
 */
import { Buffer } from "node:buffer"
import { typedArrays } from "../messages/typedArrays.ts"

const tags = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  int32: 4,
  float64: 5,
  short: 6,
  latin1: 7,
  utf16: 8,
  array: 9,
  object: 10,
  typed: 11,
  /** From here on: the whole numbers 0 to 127. */
  small: 128
} as const

/** Values nested deeper than this are foreign; so is what contains itself. */
const deepest = 32

/** Strings up to this length are compared with known ones. */
const shortest = 40

/** What takes more than a byte. The engine keeps strings without it apart, and need not look through them. */
const wide = /[\u0100-\uffff]/

interface TypedArrayKind {
  new(buffer: ArrayBuffer): ArrayBufferView
  readonly BYTES_PER_ELEMENT: number
}

/** The kinds of typed arrays, by the number that stands for each. */
const arrays: ReadonlyArray<TypedArrayKind> = Object.values(typedArrays)

/** Bytes that no writer has written. */
export class Malformed extends Error {
  override readonly name = "Malformed"
}

/** What came of writing a value. */
export type Written = "written" | "full" | "foreign"

/** Writes values into `bytes`, from `at` up to `end`. What was written is whole only when all of it was `"written"`. */
export class WireWriter {
  at = 0
  end = 0
  private readonly bytes: Uint8Array
  private readonly view: DataView
  private readonly buffer: Buffer
  private readonly typedArrays: boolean

  /** `typedArrays`: whether these are written as bytes. */
  constructor(bytes: Uint8Array, typedArrays = false) {
    this.bytes = bytes
    this.typedArrays = typedArrays
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.end = bytes.length
  }

  write(value: unknown, depth = 0): Written {
    switch (typeof value) {
      case "number":
        return this.number(value)
      case "string":
        return this.string(value)
      case "object":
        if (value === null) return this.tag(tags.null)
        if (depth >= deepest) return "foreign"
        return Array.isArray(value) ? this.array(value, depth) : this.object(value, depth)
      case "boolean":
        return this.tag(value ? tags.true : tags.false)
      case "undefined":
        return this.tag(tags.undefined)
      default:
        return "foreign"
    }
  }

  /** The elements of `values` alone, without their number. */
  elements(values: ReadonlyArray<unknown>, depth: number): Written {
    for (let i = 0; i < values.length; i++) {
      const value = values[i]
      // A hole is not the same as an undefined element.
      if (value === undefined && !(i in values)) return "foreign"
      const written = this.write(value, depth)
      if (written !== "written") return written
    }
    return "written"
  }

  private tag(tag: number): Written {
    if (this.at >= this.end) return "full"
    this.bytes[this.at++] = tag
    return "written"
  }

  private number(value: number): Written {
    if (this.at + 9 > this.end) return "full"
    if ((value | 0) === value && (value !== 0 || 1 / value > 0)) {
      if (value >= 0 && value < 128) {
        this.bytes[this.at++] = tags.small + value
        return "written"
      }
      this.bytes[this.at] = tags.int32
      this.view.setInt32(this.at + 1, value, true)
      this.at += 5
      return "written"
    }
    this.bytes[this.at] = tags.float64
    this.view.setFloat64(this.at + 1, value, true)
    this.at += 9
    return "written"
  }

  private string(text: string): Written {
    const { length } = text
    if (this.at + 5 + length > this.end) return "full"
    if (length > shortest) return wide.test(text) ? this.utf16(text) : this.latin1(text)
    let at = this.at + 2
    for (let i = 0; i < length; i++) {
      const code = text.charCodeAt(i)
      if (code > 0xff) return this.utf16(text)
      this.bytes[at++] = code
    }
    this.bytes[this.at] = tags.short
    this.bytes[this.at + 1] = length
    this.at = at
    return "written"
  }

  private latin1(text: string): Written {
    this.head(tags.latin1, text.length)
    this.at += this.buffer.write(text, this.at, "latin1")
    return "written"
  }

  private utf16(text: string): Written {
    if (this.at + 5 + 2 * text.length > this.end) return "full"
    this.head(tags.utf16, text.length)
    this.at += this.buffer.write(text, this.at, "utf16le")
    return "written"
  }

  private head(tag: number, length: number): void {
    this.bytes[this.at] = tag
    this.view.setUint32(this.at + 1, length, true)
    this.at += 5
  }

  private array(values: ReadonlyArray<unknown>, depth: number): Written {
    if (this.at + 5 > this.end) return "full"
    this.head(tags.array, values.length)
    return this.elements(values, depth + 1)
  }

  private object(value: object, depth: number): Written {
    const prototype: unknown = Object.getPrototypeOf(value)
    if (prototype !== Object.prototype && prototype !== null) return this.typed(value)
    if (this.at + 5 > this.end) return "full"
    const keys = Object.keys(value)
    this.head(tags.object, keys.length)
    for (const key of keys) {
      // To set this key would set the prototype.
      if (key === "__proto__") return "foreign"
      const named = this.string(key)
      if (named !== "written") return named
      const written = this.write((value as Readonly<Record<string, unknown>>)[key], depth + 1)
      if (written !== "written") return written
    }
    return "written"
  }

  private typed(value: object): Written {
    if (!this.typedArrays || !ArrayBuffer.isView(value)) return "foreign"
    const kind = arrays.findIndex((kind) => value instanceof kind)
    if (kind < 0) return "foreign"
    if (this.at + 6 + value.byteLength > this.end) return "full"
    this.head(tags.typed, value.byteLength)
    this.bytes[this.at++] = kind
    this.bytes.set(new Uint8Array(value.buffer, value.byteOffset, value.byteLength), this.at)
    this.at += value.byteLength
    return "written"
  }
}

/** Reads what a `WireWriter` wrote, from `at` on. Throws `Malformed`. */
export class WireReader {
  at = 0
  private readonly bytes: Uint8Array
  private readonly view: DataView
  private readonly buffer: Buffer
  private readonly known: Array<string> = Array.from({ length: 512 }, () => "")

  constructor(bytes: Uint8Array) {
    this.bytes = bytes
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    this.buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  }

  read(depth = 0): unknown {
    const tag = this.bytes[this.at++]
    if (tag === undefined) throw new Malformed("a value is cut off")
    if (tag >= tags.small) return tag - tags.small
    switch (tag) {
      case tags.int32:
        return this.view.getInt32(this.take(4), true)
      case tags.float64:
        return this.view.getFloat64(this.take(8), true)
      case tags.short:
        return this.short(this.bytes[this.take(1)]!)
      case tags.latin1: {
        const start = this.take(this.length())
        return this.buffer.toString("latin1", start, this.at)
      }
      case tags.utf16: {
        const start = this.take(2 * this.length())
        return this.buffer.toString("utf16le", start, this.at)
      }
      case tags.array: {
        if (depth >= deepest) throw new Malformed("too deep")
        const values: Array<unknown> = []
        // Each takes a byte at least.
        for (let left = this.atMost(this.length()); left > 0; left--) values.push(this.read(depth + 1))
        return values
      }
      case tags.object: {
        if (depth >= deepest) throw new Malformed("too deep")
        const value: Record<string, unknown> = {}
        for (let left = this.atMost(this.length()); left > 0; left--) {
          const key = this.read(depth + 1)
          if (typeof key !== "string" || key === "__proto__") throw new Malformed("no key")
          value[key] = this.read(depth + 1)
        }
        return value
      }
      case tags.typed: {
        const length = this.length()
        const kind = arrays[this.bytes[this.take(1)]!]
        const start = this.take(length)
        if (kind === undefined || length % kind.BYTES_PER_ELEMENT !== 0) throw new Malformed("no typed array")
        // In memory of its own: whoever gets it may keep it, and may move it on.
        const copy = new Uint8Array(length)
        copy.set(this.bytes.subarray(start, this.at))
        return new kind(copy.buffer)
      }
      case tags.true:
        return true
      case tags.false:
        return false
      case tags.null:
        return null
      case tags.undefined:
        return undefined
      default:
        throw new Malformed(`${tag} is no tag`)
    }
  }

  /** Passes so many bytes; answers where they begin. */
  private take(length: number): number {
    const start = this.at
    this.at += this.atMost(length)
    return start
  }

  /** A number of bytes, of which there must be so many. */
  private atMost(length: number): number {
    if (length > this.bytes.length - this.at) throw new Malformed("a value is longer than what is there")
    return length
  }

  private length(): number {
    return this.view.getUint32(this.take(4), true)
  }

  private short(length: number): string {
    const { bytes } = this
    const at = this.take(length)
    const end = this.at
    let hash = length
    for (let i = at; i < end; i++) hash = (Math.imul(hash, 31) + bytes[i]!) | 0
    const slot = hash & (this.known.length - 1)
    const known = this.known[slot]!
    if (known.length === length) {
      let i = 0
      while (i < length && known.charCodeAt(i) === bytes[at + i]) i++
      if (i === length) return known
    }
    return this.known[slot] = this.buffer.toString("latin1", at, end)
  }
}

/**
 * Plain data: what states, messages, arguments and answers are made of, since only that can be copied, kept in a
 * checkpoint and sent to another host. Undefined, null, booleans, numbers (to the bit), bigints, strings, arrays, objects
 * without a class, typed arrays.
 */

type Bytes = Uint8Array<ArrayBuffer>

/** Constructors of the arrays that are plain data; an array's kind is its index, so new ones come last. */
const arrayKinds = [
  Int8Array,
  Uint8Array,
  Uint8ClampedArray,
  Int16Array,
  Uint16Array,
  Int32Array,
  Uint32Array,
  Float32Array,
  Float64Array,
  BigInt64Array,
  BigUint64Array
] as const

type PlainArray = InstanceType<(typeof arrayKinds)[number]>

const kindOfArray = (value: object): number => arrayKinds.findIndex((kind) => value instanceof kind)

const isRecord = (value: object): value is Record<string, unknown> => {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

/** Deeper than this is refused: what refers to itself is. */
const deepest = 200

/** What is no plain data, and where it lies. */
export class NotPlain extends Error {
  /** By a mark: a definition may have these lines from another file than the engine has. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && "~notPlain" in value
  }

  readonly "~notPlain" = true
}

const refused = (value: unknown, path: string): NotPlain => {
  const kind = typeof value === "object" && value !== null
    ? `a ${Object.getPrototypeOf(value)?.constructor?.name ?? "strange object"}`
    : `a ${typeof value}`
  return new NotPlain(`${path === "" ? "it is" : `its ${path.slice(1)} is`} ${kind}`)
}

/** A copy that shares nothing with the value. Throws a `NotPlain`. */
export const copied = <T>(value: T): T =>
  // The copy has the type of what is copied.
  (typeof value === "object" && value !== null ? copiedObject(value, "", 0) : copiedScalar(value, "")) as T

const copiedScalar = (value: unknown, path: string): unknown => {
  if (typeof value === "function" || typeof value === "symbol") throw refused(value, path)
  return value
}

const copiedObject = (value: object, path: string, depth: number): unknown => {
  if (depth > deepest) throw new NotPlain("it is nested too deeply, or refers to itself")
  if (Array.isArray(value)) {
    const entries: ReadonlyArray<unknown> = value
    const copy: Array<unknown> = []
    for (let i = 0; i < entries.length; i++) {
      const entry = entries[i]
      copy.push(
        typeof entry === "object" && entry !== null
          ? copiedObject(entry, `${path}.${i}`, depth + 1)
          : copiedScalar(entry, path)
      )
    }
    return copy
  }
  if (isRecord(value)) {
    const copy: Record<string, unknown> = {}
    for (const key in value) {
      const entry = value[key]
      copy[key] = typeof entry === "object" && entry !== null
        ? copiedObject(entry, `${path}.${key}`, depth + 1)
        : copiedScalar(entry, `${path}.${key}`)
    }
    return copy
  }
  const kind = kindOfArray(value)
  if (kind < 0) throw refused(value, path)
  return (value as PlainArray).slice()
}

const tag = {
  undefined: 0,
  null: 1,
  false: 2,
  true: 3,
  int: 4,
  number: 5,
  string: 6,
  bigint: 7,
  array: 8,
  object: 9,
  /** And the kinds of arrays from here on. */
  typed: 16
} as const

const encoder = new TextEncoder()
const decoder = new TextDecoder("utf-8", { fatal: true })

/** Writes plain data as bytes, the same for the same data. */
export class PlainWriter {
  #bytes: Bytes = new Uint8Array(1024)
  #view = new DataView(this.#bytes.buffer)
  length = 0

  /** What was written. A view, good until the next write. */
  get bytes(): Bytes {
    return this.#bytes.subarray(0, this.length)
  }

  clear(): void {
    this.length = 0
  }

  #room(more: number): void {
    if (this.length + more <= this.#bytes.length) return
    const grown = new Uint8Array(Math.max(2 * this.#bytes.length, this.length + more))
    grown.set(this.bytes)
    this.#bytes = grown
    this.#view = new DataView(grown.buffer)
  }

  byte(value: number): void {
    this.#room(1)
    this.#bytes[this.length++] = value
  }

  word(value: number): void {
    this.#room(4)
    this.#view.setUint32(this.length, value, true)
    this.length += 4
  }

  float(value: number): void {
    this.#room(8)
    this.#view.setFloat64(this.length, value, true)
    this.length += 8
  }

  text(value: string): void {
    this.#room(4 + 3 * value.length)
    const { written } = encoder.encodeInto(value, this.#bytes.subarray(this.length + 4))
    this.#view.setUint32(this.length, written, true)
    this.length += 4 + written
  }

  raw(value: ArrayBufferView): void {
    this.#room(value.byteLength)
    this.#bytes.set(new Uint8Array(value.buffer, value.byteOffset, value.byteLength), this.length)
    this.length += value.byteLength
  }

  /** Throws a `NotPlain`. */
  value(value: unknown, path = "", depth = 0): void {
    switch (typeof value) {
      case "undefined":
        return this.byte(tag.undefined)
      case "boolean":
        return this.byte(value ? tag.true : tag.false)
      case "number":
        if ((value | 0) === value && !Object.is(value, -0)) {
          this.byte(tag.int)
          return this.word(value)
        }
        this.byte(tag.number)
        return this.float(value)
      case "string":
        this.byte(tag.string)
        return this.text(value)
      case "bigint":
        this.byte(tag.bigint)
        return this.text(value.toString())
      case "object":
        return value === null ? this.byte(tag.null) : this.#object(value, path, depth)
      default:
        throw refused(value, path)
    }
  }

  #object(value: object, path: string, depth: number): void {
    if (depth > deepest) throw new NotPlain("it is nested too deeply, or refers to itself")
    if (Array.isArray(value)) {
      this.byte(tag.array)
      this.word(value.length)
      for (let i = 0; i < value.length; i++) this.value(value[i], `${path}.${i}`, depth + 1)
      return
    }
    if (isRecord(value)) {
      const keys = Object.keys(value)
      this.byte(tag.object)
      this.word(keys.length)
      for (const key of keys) {
        this.text(key)
        this.value(value[key], `${path}.${key}`, depth + 1)
      }
      return
    }
    const kind = kindOfArray(value)
    if (kind < 0) throw refused(value, path)
    const array = value as PlainArray
    this.byte(tag.typed + kind)
    this.word(array.length)
    this.raw(array)
  }
}

/** The bytes are no plain data, or end too early. */
export class NotReadable extends Error {}

/** Reads what a `PlainWriter` wrote. All methods throw a `NotReadable` where the bytes are something else. */
export class PlainReader {
  readonly #bytes: Bytes
  readonly #view: DataView
  at = 0

  constructor(bytes: Uint8Array) {
    // A copy where the bytes are shared with others, who might change them meanwhile.
    // And a view of its own: a slice of Node's Buffer is no copy.
    this.#bytes = bytes.buffer instanceof ArrayBuffer
      ? new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      : Uint8Array.from(bytes)
    this.#view = new DataView(this.#bytes.buffer, this.#bytes.byteOffset, this.#bytes.byteLength)
  }

  get done(): boolean {
    return this.at === this.#bytes.length
  }

  #take(count: number): number {
    const at = this.at
    if (at + count > this.#bytes.length) throw new NotReadable(`it ends within a value, at byte ${at}`)
    this.at += count
    return at
  }

  byte(): number {
    return this.#bytes[this.#take(1)]!
  }

  word(): number {
    return this.#view.getUint32(this.#take(4), true)
  }

  float(): number {
    return this.#view.getFloat64(this.#take(8), true)
  }

  text(): string {
    const length = this.word()
    const at = this.#take(length)
    try {
      return decoder.decode(this.#bytes.subarray(at, at + length))
    } catch {
      throw new NotReadable(`what should be text at byte ${at} is none`)
    }
  }

  raw(length: number): Bytes {
    const at = this.#take(length)
    return this.#bytes.slice(at, at + length)
  }

  value(depth = 0): unknown {
    if (depth > deepest) throw new NotReadable("it is nested too deeply")
    const kind = this.byte()
    switch (kind) {
      case tag.undefined:
        return undefined
      case tag.null:
        return null
      case tag.false:
        return false
      case tag.true:
        return true
      case tag.int:
        return this.word() | 0
      case tag.number:
        return this.float()
      case tag.string:
        return this.text()
      case tag.bigint: {
        const digits = this.text()
        if (!/^-?\d+$/.test(digits)) throw new NotReadable("what should be a bigint is none")
        return BigInt(digits)
      }
      case tag.array: {
        const length = this.word()
        const entries: Array<unknown> = []
        for (let i = 0; i < length; i++) entries.push(this.value(depth + 1))
        return entries
      }
      case tag.object: {
        const size = this.word()
        const record: Record<string, unknown> = {}
        for (let i = 0; i < size; i++) {
          const key = this.text()
          if (key === "__proto__") throw new NotReadable("it has a key of no plain object")
          record[key] = this.value(depth + 1)
        }
        return record
      }
      default: {
        const constructor = arrayKinds[kind - tag.typed]
        if (constructor === undefined) throw new NotReadable(`what lies at byte ${this.at - 1} is no plain data`)
        const length = this.word()
        const bytes = this.raw(length * constructor.BYTES_PER_ELEMENT)
        return new constructor(bytes.buffer)
      }
    }
  }
}

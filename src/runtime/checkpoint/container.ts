/**
 * The file format of a checkpoint: a header that people can read, the bulk of the numbers behind it, and a digest over
 * all of it. Pure, and without any notion of what the numbers mean (`RunState.ts` has that).
 *
 *     "troupe checkpoint 1\n"   the format and its version
 *     JSON "\n"                 the header: `sections`, and whatever the writer has to say
 *     sections                  their numbers one after the other, little-endian, without gaps
 *     32 bytes                  SHA-256 of everything before
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import { fromJson } from "../../text/json.ts"

/** Bytes that are no checkpoint this program can read: why, as the end of a sentence. */
export class UnreadableCheckpoint extends Schema.TaggedError<UnreadableCheckpoint>()("UnreadableCheckpoint", {
  reason: Schema.String
}) {
  override get message(): string {
    return `This is not a usable checkpoint: ${this.reason}.`
  }
}

/** The version of the format that this program writes. It reads all up to it. */
export const format = 1

const magic = "troupe checkpoint "
const digestBytes = 32

/** The numbers of a section. */
export type Numbers = Float64Array | Float32Array | Int32Array | Uint32Array | Uint8Array

const kinds = { f64: Float64Array, f32: Float32Array, i32: Int32Array, u32: Uint32Array, u8: Uint8Array }
type Kind = keyof typeof kinds

const kindOf = (numbers: Numbers): Kind =>
  numbers instanceof Float64Array
    ? "f64"
    : numbers instanceof Float32Array
    ? "f32"
    : numbers instanceof Int32Array
    ? "i32"
    : numbers instanceof Uint32Array
    ? "u32"
    : "u8"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

const Header = fromJson(Schema.StructWithRest(
  Schema.Struct({
    sections: Schema.Array(Schema.Struct({
      name: Schema.String,
      kind: Schema.Literals(["f64", "f32", "i32", "u32", "u8"]),
      length: Count
    }))
  }),
  [Schema.Record(Schema.String, Schema.Unknown)]
))
const decodeHeader = Schema.decodeUnknownEffect(Header)

/** A checkpoint as header and sections. */
export interface Container {
  /** A JSON value; the name `sections` is the format's own. */
  readonly header: Readonly<Record<string, unknown>>
  readonly sections: Readonly<Record<string, Numbers>>
}

/** The bytes before the digest. */
const body = ({ header, sections }: Container): Uint8Array => {
  const table = Object.entries(sections).map(([name, numbers]) => ({
    name,
    kind: kindOf(numbers),
    length: numbers.length
  }))
  const text = new TextEncoder().encode(`${magic}${format}\n${JSON.stringify({ ...header, sections: table })}\n`)
  const size = Object.values(sections).reduce((sum, { byteLength }) => sum + byteLength, text.length)
  const bytes = new Uint8Array(size + digestBytes)
  bytes.set(text)
  let at = text.length
  // As the WebAssembly memory that they come from, the numbers are little-endian wherever this runs.
  for (const numbers of Object.values(sections)) {
    bytes.set(new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength), at)
    at += numbers.byteLength
  }
  return bytes
}

/** Bytes hashed at a time, so that a large checkpoint does not hold the run up. */
const chunk = 1_048_576

/** The file's bytes. */
export const encode = Effect.fnUntraced(function*(container: Container) {
  const bytes = body(container)
  const end = bytes.length - digestBytes
  const hash = createHash("sha256")
  for (let at = 0; at < end; at += chunk) {
    hash.update(bytes.subarray(at, Math.min(end, at + chunk)))
    if (at + chunk < end) yield* Effect.yieldNow
  }
  bytes.set(hash.digest(), end)
  return bytes
})

/** Reads a file's bytes: format, digest, and every length. */
export const decode = Effect.fnUntraced(function*(bytes: Uint8Array) {
  const refuse = (reason: string) => new UnreadableCheckpoint({ reason })
  const text = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const firstLine = text.indexOf("\n")
  const version = /^troupe checkpoint (\d+)$/.exec(text.subarray(0, Math.max(0, firstLine)).toString("latin1"))?.[1]
  if (firstLine > 64 || version === undefined) return yield* refuse("it does not begin as a checkpoint does")
  if (Number(version) > format) {
    return yield* refuse(
      `it was written by a newer version of this program, in format ${version}; this one reads up to ${format}`
    )
  }
  const end = bytes.length - digestBytes
  const headerEnd = text.indexOf("\n", firstLine + 1)
  const whole = headerEnd > 0 && headerEnd < end &&
    createHash("sha256").update(text.subarray(0, end)).digest().equals(text.subarray(end))
  if (!whole) return yield* refuse("it is cut off or was changed after it was written")
  const { sections: table, ...header } = yield* Effect.mapError(
    decodeHeader(text.subarray(firstLine + 1, headerEnd).toString()),
    () => refuse("its header is not readable")
  )
  // A Buffer's `slice` is a view, and would lie anywhere.
  const plain = new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const sections: Record<string, Numbers> = {}
  let at = headerEnd + 1
  for (const { kind, length, name } of table) {
    const size = length * kinds[kind].BYTES_PER_ELEMENT
    if (name === "__proto__" || Object.hasOwn(sections, name)) return yield* refuse(`no section can be named "${name}"`)
    if (at + size > end) return yield* refuse(`its section "${name}" is cut off`)
    sections[name] = new kinds[kind](plain.slice(at, at + size).buffer)
    at += size
  }
  if (at !== end) return yield* refuse("it holds more than its header says")
  const container: Container = { header, sections }
  return container
})

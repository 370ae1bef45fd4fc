/**
 * As much of Protocol Buffers' wire format (protobuf.dev, "Encoding") as writing a message takes: fields one after
 * another, each a number with its kind, then its value.
 */

/** The bytes of one field, or of several. */
export type Bytes = ReadonlyArray<Uint8Array>

/** Seven bits a byte, the lowest first; the eighth says that more follow. For whole numbers from 0 to 2^53. */
const varint = (value: number): Uint8Array => {
  const bytes: Array<number> = []
  let rest = value
  while (rest >= 128) {
    bytes.push(rest % 128 + 128)
    rest = Math.floor(rest / 128)
  }
  bytes.push(rest)
  return Uint8Array.from(bytes)
}

const lengthOf = (parts: Bytes): number => parts.reduce((sum, part) => sum + part.length, 0)

/** A field of whole numbers: int32, int64, bool, enum. Not for negative ones. */
export const integer = (field: number, value: number): Bytes => [varint(field * 8), varint(value)]

/** A field of a float64. */
export const double = (field: number, value: number): Bytes => {
  const bytes = new Uint8Array(8)
  new DataView(bytes.buffer).setFloat64(0, value, true)
  return [varint(field * 8 + 1), bytes]
}

/** A field of bytes. */
export const bytes = (field: number, value: Uint8Array): Bytes => message(field, [value])

/** A field of text. */
export const text = (field: number, value: string): Bytes => bytes(field, new TextEncoder().encode(value))

/** A field that is a message itself. */
export const message = (field: number, ...fields: ReadonlyArray<Bytes>): Bytes => {
  const parts = fields.flat()
  return [varint(field * 8 + 2), varint(lengthOf(parts)), ...parts]
}

/** A whole message. */
export const encode = (...fields: ReadonlyArray<Bytes>): Uint8Array<ArrayBuffer> => {
  const parts = fields.flat()
  const out = new Uint8Array(lengthOf(parts))
  let at = 0
  for (const part of parts) {
    out.set(part, at)
    at += part.length
  }
  return out
}

/** A small reader of TensorBoard event files, written from the format's description and independent of our writer. */
import { assert } from "@effect/vitest"

export interface ReadEvent {
  readonly wallTime: number
  readonly step: number
  readonly fileVersion: string | undefined
  readonly scalars: Readonly<Record<string, number>>
  /** What plugins read, by tag: the plugin's name, its own bytes, and the text of the tensor. */
  readonly plugins: Readonly<
    Record<string, { readonly plugin: string; readonly content: Uint8Array; readonly text: string }>
  >
}

/** CRC-32C a bit at a time. */
const crc = (bytes: Uint8Array): number => {
  let sum = 0xffffffff
  for (const byte of bytes) {
    sum ^= byte
    for (let i = 0; i < 8; i++) sum = sum & 1 ? (sum >>> 1) ^ 0x82f63b78 : sum >>> 1
  }
  return ~sum >>> 0
}

const unmask = (masked: number): number => {
  const rotated = (masked - 0xa282ead8) >>> 0
  return ((rotated >>> 17) | (rotated << 15)) >>> 0
}

type Field = readonly [number: number, value: number | bigint | Uint8Array]

/** The fields of a protobuf message: varints as bigint, fixed-width ones as numbers, the rest as bytes. */
const fields = (bytes: Uint8Array): Array<Field> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const found: Array<Field> = []
  let at = 0
  const varint = (): bigint => {
    let value = 0n
    for (let shift = 0n;; shift += 7n) {
      const byte = bytes[at++]
      assert(byte !== undefined, "a varint runs past the end")
      value |= BigInt(byte & 0x7f) << shift
      if (byte < 128) return value
    }
  }
  while (at < bytes.length) {
    const key = Number(varint())
    const number = key >> 3
    switch (key & 7) {
      case 0:
        found.push([number, varint()])
        break
      case 1:
        found.push([number, view.getFloat64(at, true)])
        at += 8
        break
      case 2: {
        const length = Number(varint())
        found.push([number, bytes.subarray(at, at += length)])
        break
      }
      case 5:
        found.push([number, view.getFloat32(at, true)])
        at += 4
        break
      default:
        assert.fail(`wire type ${key & 7}`)
    }
  }
  assert.strictEqual(at, bytes.length)
  return found
}

const text = (value: Field[1] | undefined): string => {
  assert(value instanceof Uint8Array)
  return new TextDecoder().decode(value)
}

const message = (bytes: Uint8Array): ReadEvent => {
  const event = new Map(fields(bytes))
  const scalars: Record<string, number> = {}
  const plugins: Record<string, ReadEvent["plugins"][string]> = {}
  const summary = event.get(5)
  if (summary instanceof Uint8Array) {
    for (const [number, value] of fields(summary)) {
      assert.strictEqual(number, 1)
      assert(value instanceof Uint8Array)
      const scalar = new Map(fields(value))
      const metadata = scalar.get(9)
      if (metadata === undefined) {
        scalars[text(scalar.get(1))] = Number(scalar.get(2))
        continue
      }
      const tensor = scalar.get(8)
      assert(metadata instanceof Uint8Array && tensor instanceof Uint8Array)
      const data = new Map(fields(metadata)).get(1)
      assert(data instanceof Uint8Array)
      const plugin = new Map(fields(data))
      const content = plugin.get(2)
      const held = new Map(fields(tensor)).get(8)
      plugins[text(scalar.get(1))] = {
        plugin: text(plugin.get(1)),
        content: content instanceof Uint8Array ? content : new Uint8Array(),
        text: held === undefined ? "" : text(held)
      }
    }
  }
  return {
    wallTime: Number(event.get(1)),
    step: Number(event.get(2) ?? 0n),
    fileVersion: event.has(3) ? text(event.get(3)) : undefined,
    scalars,
    plugins
  }
}

/** All events of a file; fails the test on a wrong checksum or a record cut short. */
export const readEvents = (bytes: Uint8Array): Array<ReadEvent> => {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  const events: Array<ReadEvent> = []
  let at = 0
  while (at < bytes.length) {
    const length = Number(view.getBigUint64(at, true))
    assert.strictEqual(unmask(view.getUint32(at + 8, true)), crc(bytes.subarray(at, at + 8)))
    const data = bytes.subarray(at + 12, at + 12 + length)
    assert.strictEqual(data.length, length)
    assert.strictEqual(unmask(view.getUint32(at + 12 + length, true)), crc(data))
    events.push(message(data))
    at += 16 + length
  }
  assert.strictEqual(at, bytes.length)
  return events
}

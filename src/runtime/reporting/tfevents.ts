/**
 * The bytes of a TensorBoard event file: protobuf messages (`Event` of tensorflow/core/util/event.proto, `Summary` of
 * tensorflow/core/framework/summary.proto) in TFRecord frames. Pure; `TensorBoard.ts` writes them to a file.
 *
 * A frame is: length (8 bytes, little-endian), masked CRC-32C of those 8 bytes, the message, masked CRC-32C of it.
 */
import type * as Schema from "effect/Schema"
import * as proto from "../../model/protobuf.ts"
import { crc32c, masked } from "./crc32c.ts"

/** A field's number and wire type, as protobuf's key byte. */
const key = { wallTime: 0x09, step: 0x10, fileVersion: 0x1a, summary: 0x2a, value: 0x0a, tag: 0x0a, simpleValue: 0x15 }

const varintLength = (value: number): number => {
  let length = 1
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) length++
  return length
}

/** Writes a whole number from 0 to 2^53 - 1 seven bits a byte; returns the offset after it. */
const writeVarint = (into: Uint8Array, at: number, value: number): number => {
  let rest = value
  while (rest >= 128) {
    into[at++] = (rest % 128) | 0x80
    rest = Math.floor(rest / 128)
  }
  into[at++] = rest
  return at
}

const encoder = new TextEncoder()

const headerLength = 12
const footerLength = 4

/** A frame with room for a message of `length` bytes, which `write` fills from offset 12 on. */
const frame = (length: number, write: (bytes: Uint8Array, view: DataView) => void): Uint8Array => {
  const bytes = new Uint8Array(headerLength + length + footerLength)
  const view = new DataView(bytes.buffer)
  view.setUint32(0, length, true)
  view.setUint32(8, masked(crc32c(bytes, 0, 8)), true)
  write(bytes, view)
  view.setUint32(headerLength + length, masked(crc32c(bytes, headerLength, headerLength + length)), true)
  return bytes
}

/** The first record of every event file. `wallTime` in seconds since 1970. */
export const versionRecord = (wallTime: number): Uint8Array => {
  const version = encoder.encode("brain.Event:2")
  return frame(9 + 2 + version.length, (bytes, view) => {
    bytes[12] = key.wallTime
    view.setFloat64(13, wallTime, true)
    bytes[21] = key.fileVersion
    bytes[22] = version.length
    bytes.set(version, 23)
  })
}

/** An `Event` of one value that a plugin of TensorBoard reads; `tensor` are the fields of its TensorProto. */
const pluginRecord = (
  wallTime: number,
  name: string,
  { content, plugin, tensor }: { readonly plugin: string; readonly content?: Uint8Array; readonly tensor: proto.Bytes }
): Uint8Array => {
  const data = [proto.text(1, plugin), ...(content === undefined ? [] : [proto.bytes(2, content)])]
  /** DATA_CLASS_TENSOR. */
  const metadata = proto.message(9, proto.message(1, ...data), proto.integer(4, 2))
  const value = proto.message(1, proto.text(1, name), metadata, proto.message(8, tensor))
  const event = proto.encode(proto.double(1, wallTime), proto.message(5, value))
  return frame(event.length, (bytes) => bytes.set(event, headerLength))
}

/** Markdown under "Text". */
export const textRecord = (wallTime: number, name: string, markdown: string): Uint8Array =>
  pluginRecord(wallTime, name, {
    plugin: "text",
    // DT_STRING, of shape [1].
    tensor: [proto.integer(1, 7), proto.message(2, proto.message(2, proto.integer(1, 1))), proto.text(8, markdown)]
      .flat()
  })

/** A google.protobuf.Value. */
const valueOf = (value: Schema.Json): proto.Bytes =>
  typeof value === "number"
    ? proto.double(2, value)
    : typeof value === "boolean"
    ? proto.integer(4, value ? 1 : 0)
    : proto.text(3, typeof value === "string" ? value : JSON.stringify(value))

/** DT_FLOAT, of no shape: hparams are in the metadata alone. */
const nothing: proto.Bytes = [...proto.integer(1, 1), ...proto.message(2)]

const hparamsRecord = (wallTime: number, name: string, data: proto.Bytes): Uint8Array =>
  pluginRecord(wallTime, `_hparams_/${name}`, {
    plugin: "hparams",
    content: proto.encode(proto.integer(1, 0), data),
    tensor: nothing
  })

/**
 * The settings of a run under "HParams" (`SessionStartInfo` of tensorboard/plugins/hparams/plugin_data.proto). `group` names what
 * differs by the seed alone.
 */
export const settingsRecord = (wallTime: number, settings: Schema.JsonObject, group: string): Uint8Array => {
  const entries = Object.entries(settings).map(([name, value]) =>
    proto.message(1, proto.text(1, name), proto.message(2, valueOf(value)))
  )
  return hparamsRecord(
    wallTime,
    "session_start_info",
    proto.message(3, ...entries, proto.text(4, group), proto.double(5, wallTime))
  )
}

/** The run is over, and succeeded (`SessionEndInfo`). */
export const endRecord = (wallTime: number): Uint8Array =>
  hparamsRecord(wallTime, "session_end_info", proto.message(4, proto.integer(1, 1), proto.double(2, wallTime)))

/** A name of `scalarRecord`, encoded once. */
export const tag = (name: string): Uint8Array => encoder.encode(name)

/**
 * One event with several scalars at a step. `wallTime` in seconds since 1970, `step` a whole number from 0 to 2^53 - 1,
 * values as float32. Tags come from `tag` and are shorter than 2^20 bytes.
 */
export const scalarRecord = (
  wallTime: number,
  step: number,
  scalars: ReadonlyArray<readonly [tag: Uint8Array, value: number]>
): Uint8Array => {
  let summaryLength = 0
  for (const [tag] of scalars) {
    const valueLength = 1 + varintLength(tag.length) + tag.length + 5
    summaryLength += 1 + varintLength(valueLength) + valueLength
  }
  // A step of 0 is the default of proto3, which the reference writer leaves out.
  const stepLength = step === 0 ? 0 : 1 + varintLength(step)
  const length = 9 + stepLength + 1 + varintLength(summaryLength) + summaryLength
  return frame(length, (bytes, view) => {
    let at = headerLength
    bytes[at++] = key.wallTime
    view.setFloat64(at, wallTime, true)
    at += 8
    if (step !== 0) {
      bytes[at++] = key.step
      at = writeVarint(bytes, at, step)
    }
    bytes[at++] = key.summary
    at = writeVarint(bytes, at, summaryLength)
    for (const [tag, value] of scalars) {
      bytes[at++] = key.value
      at = writeVarint(bytes, at, 1 + varintLength(tag.length) + tag.length + 5)
      bytes[at++] = key.tag
      at = writeVarint(bytes, at, tag.length)
      bytes.set(tag, at)
      at += tag.length
      bytes[at++] = key.simpleValue
      view.setFloat32(at, value, true)
      at += 4
    }
  })
}

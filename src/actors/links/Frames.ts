/**
 * What goes through a connection to another machine: frames, each four bytes of length (little-endian), one byte that says
 * what it is, and its body.
 *
 * Nothing that comes is believed: a frame longer than what is allowed at the time is `Malformed`, and memory is taken for
 * the bytes that have come, never for those that are announced.
 */
import { Buffer } from "node:buffer"
import type { Socket } from "node:net"
import { Malformed, WireReader, WireWriter } from "./WireFormat.ts"

/** What a frame is. */
export const kinds = {
  /** Words between the two ends themselves: JSON. */
  words: 1,
  /** A batch of commands or reports, in `WireFormat`. */
  batch: 2,
  /** A sign of life; no body. */
  beat: 3
} as const

/** Bytes of a frame before its body. */
export const head = 5

/** Bytes of a frame before both sides have proved who they are. */
export const shortFrame = 1 << 16
/** Bytes of a frame. */
export const longFrame = 1 << 28

type Tuple = ReadonlyArray<unknown>

/** Cuts what comes into frames. */
export class Deframer {
  /** Bytes that a frame may have now. */
  limit = shortFrame
  private readonly onFrame: (kind: number, body: Uint8Array) => void
  private readonly chunks: Array<Uint8Array> = []
  private held = 0
  /** Of the frame that comes; -1 where its head has not come yet. */
  private length = -1
  private kind = 0

  constructor(onFrame: (kind: number, body: Uint8Array) => void) {
    this.onFrame = onFrame
  }

  /** Takes what has come. Throws `Malformed`; then nothing that comes after it can be read. */
  push(chunk: Uint8Array): void {
    this.chunks.push(chunk)
    this.held += chunk.length
    for (;;) {
      if (this.length < 0) {
        if (this.held < head) return
        const start = this.take(head)
        this.length = new DataView(start.buffer, start.byteOffset).getUint32(0, true)
        this.kind = start[4]!
        if (this.length > this.limit) throw new Malformed(`a frame of ${this.length} bytes`)
      }
      if (this.held < this.length) return
      const body = this.take(this.length)
      this.length = -1
      this.onFrame(this.kind, body)
    }
  }

  private take(count: number): Uint8Array {
    this.held -= count
    const [first] = this.chunks
    if (count === 0 || first === undefined) return new Uint8Array(0)
    if (first.length > count) {
      this.chunks[0] = first.subarray(count)
      return first.subarray(0, count)
    }
    if (first.length === count) {
      this.chunks.shift()
      return first
    }
    const whole = new Uint8Array(count)
    let at = 0
    let used = 0
    while (at < count) {
      const chunk = this.chunks[used]!
      const part = chunk.subarray(0, count - at)
      whole.set(part, at)
      at += part.length
      if (part.length === chunk.length) used++
      else this.chunks[used] = chunk.subarray(part.length)
    }
    this.chunks.splice(0, used)
    return whole
  }
}

const empty = new Uint8Array(0)

const send = (socket: Socket, kind: number, body: Uint8Array): void => {
  if (socket.destroyed || !socket.writable) return
  const start = Buffer.allocUnsafe(head)
  start.writeUInt32LE(body.length, 0)
  start[4] = kind
  if (body.length === 0) return void socket.write(start)
  socket.cork()
  socket.write(start)
  socket.write(body)
  socket.uncork()
}

export const sendWords = (socket: Socket, words: unknown): void =>
  send(socket, kinds.words, Buffer.from(JSON.stringify(words)))

export const sendBeat = (socket: Socket): void => send(socket, kinds.beat, empty)

export const sendBatch = (socket: Socket, body: Uint8Array): void => send(socket, kinds.batch, body)

/** Bytes that a writer begins with, and those that it may grow to. */
const firstScratch = 1 << 16

/** Writes batches as bytes. */
export class BatchWriter {
  private bytes = new Uint8Array(firstScratch)
  private writer = new WireWriter(this.bytes, true)

  /** The bytes of a batch; undefined where something in it cannot leave this machine, or is too large. */
  write(batch: ReadonlyArray<Tuple>): Uint8Array | undefined {
    for (;;) {
      this.writer.at = 0
      const written = this.writer.elements(batch, 0)
      if (written === "written") return this.bytes.slice(0, this.writer.at)
      if (written === "foreign" || this.bytes.length >= longFrame) return undefined
      this.bytes = new Uint8Array(2 * this.bytes.length)
      this.writer = new WireWriter(this.bytes, true)
    }
  }

  /** As `write`; throws what its sender is told. */
  bytesOf(batch: ReadonlyArray<Tuple>): Uint8Array {
    const bytes = this.write(batch)
    if (bytes !== undefined) return bytes
    throw new Error(
      "it holds what cannot go to another machine: shared memory, a function, an instance of a class; " +
        "send plain data and typed arrays"
    )
  }
}

/** Reads a batch. Throws `Malformed`. */
export const readBatch = (body: Uint8Array): ReadonlyArray<Tuple> => {
  const reader = new WireReader(body)
  const batch: Array<Tuple> = []
  while (reader.at < body.length) {
    const tuple = reader.read()
    if (!Array.isArray(tuple)) throw new Malformed("no tuple")
    batch.push(tuple)
  }
  return batch
}

/**
 * One end of the connection between two threads: batches of tuples, in order, through two rings in shared memory.
 *
 * A batch made only of JSON-like data is written into the ring as bytes. What cannot be written so, or is too large, is
 * posted through a `MessagePort` instead, and a sign in the ring says when its turn is: the other end then takes it from
 * the port at once. A batch that finds the ring full waits here, in memory, until the reader has made room: nothing is lost,
 * and nobody blocks.
 */
import { type MessagePort, receiveMessageOnPort } from "node:worker_threads"
import { Mailbox } from "../Mailbox.ts"
import { byteLength, RingReader, RingWriter } from "./ByteRing.ts"
import { type Bells, ring } from "./Doorbell.ts"
import * as HandOvers from "./HandOvers.ts"
import type { Line } from "./Poller.ts"
import { WireReader, WireWriter } from "./WireFormat.ts"

/** Bytes of each ring. What is longer than half of it is posted. */
const capacity = 1 << 18

/** Both ends must speak the same; raise it with every change of `WireFormat`, `ByteRing` or this file. */
export const format = "troupe-link-2"

/** What a thread is given to find its end by. */
export interface Ends {
  readonly format: string
  readonly memory: SharedArrayBuffer
  readonly port: MessagePort
  readonly bells: Bells
  /** The bells of owner and host. */
  readonly places: readonly [owner: number, host: number]
  /** How long waiting for a message may spin, in milliseconds. */
  readonly spinMillis: number
  /** Where it is counted how long messages lie, if anywhere. */
  readonly handOvers: HandOvers.HandOvers | undefined
}

export const allocate = (): SharedArrayBuffer => new SharedArrayBuffer(2 * byteLength(capacity))

type Tuple = ReadonlyArray<unknown>

export interface LinkOptions {
  readonly ends: Ends
  readonly side: "owner" | "host"
  /** Whether something is likely to come soon. */
  readonly expecting: () => boolean
  /** How many answers are owed to this side. */
  readonly owed: () => number
  readonly received: (batch: ReadonlyArray<Tuple>) => void
  /** The other end sent what cannot be read here. */
  readonly failed: (error: unknown) => void
}

/** What waits for room in the ring: bytes, or the sign for what was posted. */
type Held = { readonly frame: Uint8Array | "marker" }

/** Marks the last message of a port whose thread ends with frames that had found no room. */
const spilt = "troupe/spilt"

export class SharedLink implements Line {
  readonly spinMillis: number
  private readonly writer: RingWriter
  private readonly reader: RingReader
  private readonly wireWriter: WireWriter
  private readonly wireReader: WireReader
  private readonly held = new Mailbox<Held>()
  private scratch: { readonly bytes: Uint8Array; readonly writer: WireWriter } | undefined
  private readonly options: LinkOptions

  constructor(options: LinkOptions) {
    const { ends: { memory, spinMillis }, side } = options
    const second = byteLength(capacity)
    this.options = options
    this.spinMillis = spinMillis
    this.writer = new RingWriter(memory, side === "owner" ? 0 : second, capacity)
    this.reader = new RingReader(memory, side === "owner" ? second : 0, capacity)
    this.wireWriter = new WireWriter(this.writer.bytes)
    this.wireReader = new WireReader(this.reader.bytes)
  }

  /** Sends a batch. Throws, and sends nothing, when a value in it cannot be sent. */
  send(batch: ReadonlyArray<Tuple>, moved: ReadonlyArray<ArrayBuffer> = []): void {
    const { ends: { handOvers }, side } = this.options
    if (handOvers !== undefined) HandOvers.sent(handOvers, side === "owner" ? "host" : "owner")
    if (moved.length > 0 || !this.writeInPlace(batch) && !this.writeFrames(batch)) {
      this.options.ends.port.postMessage(batch, moved)
      this.enter("marker")
    }
    this.ring()
  }

  get owed(): number {
    return this.options.owed()
  }

  get expecting(): boolean {
    return this.options.expecting()
  }

  get ready(): boolean {
    return this.reader.ready || this.canUnload
  }

  hear(way: HandOvers.Way = "busy"): number {
    const { ends: { handOvers }, side } = this.options
    if (handOvers !== undefined) HandOvers.heard(handOvers, side, way)
    this.unload()
    const frame = this.reader.next()
    if (frame === undefined) return 0
    let batch: ReadonlyArray<Tuple>
    try {
      batch = frame === "marker" ? this.takePosted() : this.decode(this.wireReader, this.reader.offset, frame)
    } catch (error) {
      this.options.failed(error)
      return 0
    }
    if (this.reader.release()) this.ring()
    this.options.received(batch)
    return batch.length
  }

  /** At the end of this thread: what found no room goes another way. */
  spill(): void {
    this.unload()
    if (this.held.size === 0) return
    this.options.ends.port.postMessage([spilt, this.held.toArray().map(({ frame }) => frame)], [])
  }

  /** Hears all that is left of a thread that has ended, in order. */
  finish(): void {
    while (this.reader.ready) this.hear()
    const posted: Array<ReadonlyArray<Tuple>> = []
    try {
      for (;;) posted.push(this.takePosted())
    } catch {
      // Nothing more, or nothing that can be read.
    }
    const last: unknown = posted.pop()
    // Without this last word there is no telling what came before them: such frames died with their thread.
    if (!Array.isArray(last) || last[0] !== spilt) return
    for (const frame of last[1] as ReadonlyArray<Held["frame"]>) {
      const batch = frame === "marker" ? posted.shift() : this.decode(new WireReader(frame), 0, frame.length)
      if (batch !== undefined) this.options.received(batch)
    }
  }

  private writeInPlace(batch: ReadonlyArray<Tuple>): boolean {
    if (this.held.size > 0) return false
    const { offset, room } = this.writer
    this.wireWriter.at = offset
    this.wireWriter.end = offset + room
    if (this.wireWriter.elements(batch, 0) !== "written") return false
    this.writer.commit(this.wireWriter.at - offset)
    return true
  }

  /** In as many frames as it takes; false when something in the batch cannot go that way. */
  private writeFrames(batch: ReadonlyArray<Tuple>): boolean {
    const { bytes, writer } = this.scratch ??= makeScratch(this.writer.longest)
    const frames: Array<Uint8Array> = []
    writer.at = 0
    for (const tuple of batch) {
      const before = writer.at
      let written = writer.write(tuple)
      if (written === "full" && before > 0) {
        frames.push(bytes.slice(0, before))
        writer.at = 0
        written = writer.write(tuple)
      }
      if (written !== "written") return false
    }
    frames.push(bytes.slice(0, writer.at))
    for (const frame of frames) this.enter(frame)
    return true
  }

  private enter(frame: Held["frame"]): void {
    this.held.push({ frame })
    this.unload()
  }

  private unload(): void {
    while (this.canUnload) {
      const frame = this.held.shift()!.frame
      if (frame === "marker") this.writer.mark()
      else this.writer.put(frame)
    }
  }

  /** Whether what waits longest has room. If not, the reader has been asked to say when it has. */
  private get canUnload(): boolean {
    const held = this.held.at(0)
    if (held === undefined) return false
    const length = held.frame === "marker" ? 0 : held.frame.length
    if (this.writer.fits(length)) return true
    this.writer.starve()
    return this.writer.fits(length)
  }

  private takePosted(): ReadonlyArray<Tuple> {
    const taken: { readonly message: ReadonlyArray<Tuple> } | undefined = receiveMessageOnPort(this.options.ends.port)
    if (taken === undefined) throw new Error("a posted message is missing")
    return taken.message
  }

  private decode(reader: WireReader, offset: number, length: number): ReadonlyArray<Tuple> {
    const batch: Array<Tuple> = []
    reader.at = offset
    // What the other end writes at this level are tuples.
    while (reader.at < offset + length) batch.push(reader.read() as Tuple)
    return batch
  }

  private ring(): void {
    const { ends: { bells, places }, side } = this.options
    ring(bells, places[side === "owner" ? 1 : 0])
  }
}

const makeScratch = (length: number) => {
  const bytes = new Uint8Array(length)
  return { bytes, writer: new WireWriter(bytes) }
}

/**
 * What hosts tell each other between two windows, in shared memory: what is sent from each to each, when the next event
 * of each happens, and whether all have arrived. A host never waits for another within a window.
 *
 * All is there twice, for even and odd exchanges: while a slow host still reads one, a quick one may write the other, and
 * nobody gets further ahead than that.
 *
 * Hosts that share no memory (processes, runners) have each a memory of its own, of which only the host's own boxes are there;
 * what is in these is carried from one to the other as bytes.
 */
import type { Engine } from "../Engine.ts"
import { PlainReader, PlainWriter } from "../plainData.ts"

/** Numbers of an event: time, priority, sender, count, target, kind, and its payload, if that is a number. */
const stride = 8
const payloadIs = { number: 0, bytes: 1, nothing: 2 } as const

/** Events that one host may send another in one exchange; what is more follows in the next. */
const boxEvents = 16_384
/** Bytes for payloads that are no numbers. Those of a larger one come in several exchanges, and their event with the last. */
const boxBytes = 1024 * 1024

/** 64-bit words of a box: the number of its events and of its bytes, then these. */
const boxWords = 2 + boxEvents * stride + boxBytes / 8

/** Words of `control`, each in a cache line of its own. */
const control = { arrived: 0, passes: 16, abort: 32, stop: 48 } as const
const controlWords = 64

/** What a host says of itself, in `facts`: when its next event is, and whether it has more to send. */
const factWords = 2

/**
 * 64-bit words of a host's clock: the time of the event that happens there, whose turn it is, and whether it is in a window. Two cache
 * lines, since it is written at every event: hosts whose clocks lie in one line would wait for each other.
 */
export const clockWords = 16

/** Memory for so many hosts: shared by all, or of one alone. */
export interface ExchangeMemory {
  readonly hosts: number
  /** Whether there are the boxes of all hosts, and not only those from and to one. */
  readonly shared: boolean
  readonly control: SharedArrayBuffer
  readonly facts: SharedArrayBuffer
  readonly boxes: SharedArrayBuffer
  readonly clocks: SharedArrayBuffer
}

const allocated = (hosts: number, shared: boolean, boxes: number): ExchangeMemory => ({
  hosts,
  shared,
  control: new SharedArrayBuffer(4 * controlWords),
  facts: new SharedArrayBuffer(8 * 2 * hosts * factWords),
  boxes: new SharedArrayBuffer(hosts === 1 ? 8 : 8 * 2 * boxes * boxWords),
  clocks: new SharedArrayBuffer(8 * hosts * clockWords)
})

/** Memory that all hosts share. */
export const allocate = (hosts: number): ExchangeMemory => allocated(hosts, true, hosts * hosts)

/** Memory of a host that shares none. */
export const apart = (hosts: number): ExchangeMemory => allocated(hosts, false, 2 * hosts)

/** What a host tells one other in an exchange. */
export interface Told {
  /** When the next event of the host that tells happens, or of what it sends. */
  readonly next: number
  /** Whether it has more to tell before that. */
  readonly more: boolean
  /** What it sends. */
  readonly box: Uint8Array
}

/** The clock of one host, as its engine keeps it. */
export const clockOf = ({ clocks }: ExchangeMemory, host: number): Float64Array =>
  new Float64Array(clocks, 8 * clockWords * host, clockWords)

/** Before a round: nobody has arrived, and nobody is to stop. */
export const reset = ({ control: memory }: ExchangeMemory): void => {
  new Int32Array(memory).fill(0)
}

/** Whoever waits for the others, or would, no longer does. */
export const abort = ({ control: memory }: ExchangeMemory): void => {
  const words = new Int32Array(memory)
  Atomics.store(words, control.abort, 1)
  Atomics.add(words, control.passes, 1)
  Atomics.notify(words, control.passes)
}

interface Box {
  readonly head: Float64Array
  readonly numbers: Float64Array
  readonly bytes: Uint8Array
}

const bytesOf = ({ buffer, byteOffset }: Float64Array, length: number) => new Uint8Array(buffer, byteOffset, length)

/** Bytes of a head. */
const headBytes = 16

/** What is in a box, as bytes: no more than there is. */
const packed = ({ bytes, head, numbers }: Box): Uint8Array => {
  const size = 8 * stride * head[0]!
  const whole = new Uint8Array(headBytes + size + head[1]!)
  whole.set(bytesOf(head, headBytes))
  whole.set(bytesOf(numbers, size), headBytes)
  whole.set(bytes.subarray(0, head[1]), headBytes + size)
  return whole
}

/** Puts that into another box. */
const unpack = (whole: Uint8Array, { bytes, head, numbers }: Box): void => {
  bytesOf(head, headBytes).set(whole.subarray(0, headBytes))
  const size = 8 * stride * head[0]!
  bytesOf(numbers, size).set(whole.subarray(headBytes, headBytes + size))
  bytes.set(whole.subarray(headBytes + size))
}

/** Puts an event's numbers where they belong; of a payload that is bytes, where these end. */
const put = (numbers: Float64Array, at: number, entry: Float64Array, kind: number, payload: unknown, end: number) => {
  for (let i = 0; i < 5; i++) numbers[at + i] = entry[i]!
  if (typeof payload === "number") {
    numbers[at + 5] = 4 * kind + payloadIs.number
    numbers[at + 6] = payload
  } else if (payload === undefined) numbers[at + 5] = 4 * kind + payloadIs.nothing
  else {
    numbers[at + 5] = 4 * kind + payloadIs.bytes
    numbers[at + 6] = end
  }
}

/**
 * What is for one other host. An event's numbers go into the box of the next exchange at once, as long as there is room in it;
 * those for which there is none wait for the exchange after it. The bytes of payloads follow when the box is closed.
 */
class Outbox {
  /** The earliest of what is in the box or waits. */
  earliest = Infinity
  #box: Box
  #inBox = 0
  readonly #payloads = new PlainWriter()
  /** Bytes of earlier exchanges, and those that belong to the events in the box. */
  #sent = 0
  #bytesInBox = 0
  #waiting = new Float64Array(256 * stride)
  #waits = 0

  constructor(box: Box) {
    this.#box = box
  }

  /** Whether there is more than the box has room for. */
  get isOverfull(): boolean {
    return this.#waits > 0
  }

  push(entry: Float64Array, kind: number, payload: unknown): void {
    if (entry[0]! < this.earliest) this.earliest = entry[0]!
    const isBytes = typeof payload !== "number" && payload !== undefined
    if (isBytes) this.#payloads.value(payload)
    const end = this.#payloads.length
    if (this.#waits === 0 && this.#inBox < boxEvents && (!isBytes || end - this.#sent <= boxBytes)) {
      put(this.#box.numbers, this.#inBox++ * stride, entry, kind, payload, end)
      if (isBytes) this.#bytesInBox = end
      return
    }
    const at = this.#waits++ * stride
    if (at === this.#waiting.length) {
      const grown = new Float64Array(2 * at)
      grown.set(this.#waiting)
      this.#waiting = grown
    }
    put(this.#waiting, at, entry, kind, payload, end)
  }

  /** The other host may have what is in the box. Where that is nothing, it gets a part of the bytes of the first that waits. */
  close(): void {
    const { bytes, head } = this.#box
    if (this.#inBox === 0 && this.#waits > 0) this.#bytesInBox = this.#sent + boxBytes
    const end = Math.max(this.#sent, this.#bytesInBox)
    bytes.set(this.#payloads.bytes.subarray(this.#sent, end))
    head[0] = this.#inBox
    head[1] = end - this.#sent
    this.#sent = end
  }

  /** From now on things go into this box: first what waits, as much as there is room for. */
  open(box: Box): void {
    this.#box = box
    this.#inBox = 0
    if (this.#waits === 0) return this.clear()
    const numbers = this.#waiting
    let moved = 0
    for (; moved < Math.min(this.#waits, boxEvents); moved++) {
      if (numbers[moved * stride + 5]! % 4 !== payloadIs.bytes) continue
      const end = numbers[moved * stride + 6]!
      if (end - this.#sent > boxBytes) break
      this.#bytesInBox = end
    }
    box.numbers.set(numbers.subarray(0, moved * stride))
    numbers.copyWithin(0, moved * stride, this.#waits * stride)
    this.#inBox = moved
    this.#waits -= moved
  }

  clear(): void {
    this.earliest = Infinity
    this.#inBox = 0
    this.#sent = 0
    this.#bytesInBox = 0
    this.#waits = 0
    this.#payloads.clear()
  }
}

/** How often a host looks whether all have arrived before it sleeps, and for how long it sleeps at most. */
const looks = 2000
const napMillis = 5

/** A host's side. */
export class Exchange {
  readonly #memory: ExchangeMemory
  readonly #host: number
  readonly #control: Int32Array
  readonly #facts: Float64Array
  readonly #outboxes: ReadonlyArray<Outbox>
  /** By parity, then by the other host. */
  readonly #outgoing: ReadonlyArray<ReadonlyArray<Box>>
  readonly #incoming: ReadonlyArray<ReadonlyArray<Box>>
  /** By other host: the bytes so far of a payload that has not all come. */
  readonly #begun: Array<Array<Uint8Array>>
  #parity = 0

  constructor(memory: ExchangeMemory, host: number) {
    const { boxes, hosts, shared } = memory
    this.#memory = memory
    this.#host = host
    this.#control = new Int32Array(memory.control)
    this.#facts = new Float64Array(memory.facts)
    const others = Array.from({ length: hosts }, (_, other) => other)
    const box = (from: number, to: number, parity: number): Box => {
      const index = shared ? from * hosts + to : from === host ? to : hosts + from
      const start = hosts === 1 ? 0 : 8 * (index * 2 + parity) * boxWords
      const size = hosts === 1 ? 0 : boxEvents * stride
      return {
        head: new Float64Array(boxes, start, hosts === 1 ? 1 : 2),
        numbers: new Float64Array(boxes, start + (hosts === 1 ? 0 : 16), size),
        bytes: new Uint8Array(boxes, start + (hosts === 1 ? 0 : 16) + 8 * size, hosts === 1 ? 0 : boxBytes)
      }
    }
    this.#begun = others.map(() => [])
    this.#outgoing = [0, 1].map((parity) => others.map((other) => box(host, other, parity)))
    this.#outboxes = this.#outgoing[0]!.map((box) => new Outbox(box))
    this.#incoming = [0, 1].map((parity) => others.map((other) => box(other, host, parity)))
  }

  /** What was sent and not delivered is forgotten; the next exchange is even. */
  clear(): void {
    for (const [other, outbox] of this.#outboxes.entries()) {
      outbox.clear()
      outbox.open(this.#outgoing[0]![other]!)
    }
    for (const begun of this.#begun) begun.length = 0
    this.#parity = 0
  }

  /** Takes an event for another host. */
  post(host: number, entry: Float64Array, kind: number, payload: unknown): void {
    this.#outboxes[host]!.push(entry, kind, payload)
  }

  /** Tells the others what is for them, and when this host's next event happens. `stop`: whether this is to be the last exchange. */
  publish(next: number, stop: boolean): void {
    let earliest = next
    let more = 0
    for (const [other, outbox] of this.#outboxes.entries()) {
      if (other === this.#host) continue
      earliest = Math.min(earliest, outbox.earliest)
      outbox.close()
      if (outbox.isOverfull) more = 1
    }
    const at = (this.#parity * this.#memory.hosts + this.#host) * factWords
    this.#facts[at] = earliest
    this.#facts[at + 1] = more
    if (stop) Atomics.store(this.#control, control.stop + this.#parity, 1)
  }

  /** What this host has published, for whoever carries it: by the host that it is for. */
  told(): ReadonlyArray<Told> {
    const at = (this.#parity * this.#memory.hosts + this.#host) * factWords
    const [next = Infinity, more] = this.#facts.subarray(at, at + factWords)
    return this.#outgoing[this.#parity]!.map((box, other) => ({
      next,
      more: more === 1,
      box: other === this.#host ? new Uint8Array(0) : packed(box)
    }))
  }

  /** Takes what others have published for this host, by host, and whether this is to be the last exchange. */
  hear(told: ReadonlyArray<Told>, stop: boolean): void {
    for (const [other, { box, more, next }] of told.entries()) {
      if (other === this.#host) continue
      const at = (this.#parity * this.#memory.hosts + other) * factWords
      this.#facts[at] = next
      this.#facts[at + 1] = more ? 1 : 0
      unpack(box, this.#incoming[this.#parity]![other]!)
    }
    Atomics.store(this.#control, control.stop + this.#parity, stop ? 1 : 0)
  }

  /**
   * When all have published: takes what is for this host. Answers when the next event of all hosts happens, whether some
   * have more to tell before that, and whether the round is to stop here.
   */
  collect(engine: Engine): { readonly next: number; readonly more: boolean; readonly stop: boolean } {
    const { hosts } = this.#memory
    const parity = this.#parity
    let next = Infinity
    let more = false
    for (let other = 0; other < hosts; other++) {
      const at = (parity * hosts + other) * factWords
      next = Math.min(next, this.#facts[at]!)
      if (this.#facts[at + 1] === 1) more = true
      if (other !== this.#host) read(this.#incoming[parity]![other]!, this.#begun[other]!, engine)
    }
    this.#parity = 1 - parity
    for (const [other, outbox] of this.#outboxes.entries()) outbox.open(this.#outgoing[1 - parity]![other]!)
    return { next, more, stop: Atomics.load(this.#control, control.stop + parity) === 1 }
  }

  /** Waits until all hosts are here. False where the round was aborted. */
  arrive(): boolean {
    const words = this.#control
    const { hosts } = this.#memory
    if (hosts === 1) return Atomics.load(words, control.abort) === 0
    const pass = Atomics.load(words, control.passes)
    if (Atomics.load(words, control.abort) !== 0) return false
    if (Atomics.add(words, control.arrived, 1) === hosts - 1) {
      Atomics.store(words, control.arrived, 0)
      Atomics.add(words, control.passes, 1)
      Atomics.notify(words, control.passes)
    } else {
      for (let look = 0; Atomics.load(words, control.passes) === pass; look++) {
        if (look > looks) Atomics.wait(words, control.passes, pass, napMillis)
      }
    }
    return Atomics.load(words, control.abort) === 0
  }
}

const read = ({ bytes, head, numbers }: Box, begun: Array<Uint8Array>, engine: Engine): void => {
  const size = head[0]!
  const length = head[1]!
  if (size === 0) {
    if (length > 0) begun.push(bytes.slice(0, length))
    return
  }
  const here = bytes.subarray(0, length)
  const payloads = new PlainReader(begun.length === 0 ? here : Buffer.concat([...begun, here]))
  begun.length = 0
  const { entry } = engine.queue
  for (let i = 0, at = 0; i < size; i++, at += stride) {
    const tagged = numbers[at + 5]!
    const kind = Math.floor(tagged / 4)
    const is = tagged - 4 * kind
    const payload = is === payloadIs.number
      ? numbers[at + 6]!
      : is === payloadIs.nothing
      ? undefined
      : payloads.value()
    for (let k = 0; k < 5; k++) entry[k] = numbers[at + k]!
    engine.accept(kind, payload)
  }
}

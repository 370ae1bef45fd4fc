/**
 * Frames of bytes from one thread to another, in order, through a ring in shared memory: one side writes, one reads.
 *
 * Two words, each written by one side only, say how far each has come; both count bytes, modulo 2^32. A frame becomes
 * readable in the moment in which the writer's word moves past it, so that what a thread was writing when it died is never
 * read. A frame lies in one piece: where it does not fit before the end of the memory, the rest is padded over.
 *
 * A third word is set by a writer that found no room; the reader then tells it when there is some.
 */

/** A header of a frame's length, or one of these. */
const padding = -1
const marker = -2

const tailWord = 0
const headWord = 16
const starvedWord = 32
const controlBytes = 192

/** Frames and their headers start at multiples of this. */
const alignment = 8
const align = (bytes: number): number => (bytes + alignment - 1) & -alignment

/** Bytes of shared memory for a ring of `capacity` bytes, a power of two and at least 64. */
export const byteLength = (capacity: number): number => controlBytes + capacity

/** A length, or the sign for a message that waits elsewhere. */
export type Frame = number | "marker"

class Side {
  protected readonly control: Int32Array
  protected readonly headers: Int32Array
  /** The ring itself; offsets of frames count from its start. */
  readonly bytes: Uint8Array
  protected readonly capacity: number

  constructor(memory: SharedArrayBuffer, byteOffset: number, capacity: number) {
    this.control = new Int32Array(memory, byteOffset, controlBytes / 4)
    this.headers = new Int32Array(memory, byteOffset + controlBytes, capacity / 4)
    this.bytes = new Uint8Array(memory, byteOffset + controlBytes, capacity)
    this.capacity = capacity
  }
}

export class RingWriter extends Side {
  private tail = 0
  /** How far the reader was when we last looked. */
  private head = 0

  /** The longest frame: one that fits wherever the ring stands, once it is empty. */
  get longest(): number {
    return this.capacity / 2 - alignment
  }

  /** The offset at which the next frame's content may be written in place, to be `commit`ted. */
  get offset(): number {
    return (this.tail & (this.capacity - 1)) + 4
  }

  /** Bytes that may be written from `offset` on; none, or fewer than there could be, when the ring is full or near its end. */
  get room(): number {
    this.head = Atomics.load(this.control, headWord)
    return Math.min(this.free, this.ahead, this.longest + 4) - 4
  }

  /** Makes the frame of `length` bytes at `offset` readable. */
  commit(length: number): void {
    this.header(length)
    this.publish(align(4 + length))
  }

  /** Whether a frame of `length` bytes has room now. */
  fits(length: number): boolean {
    const needed = this.needed(align(4 + length))
    if (this.free >= needed) return true
    this.head = Atomics.load(this.control, headWord)
    return this.free >= needed
  }

  /** Copies in a frame that `fits`. */
  put(frame: Uint8Array): void {
    this.pad(align(4 + frame.length))
    this.bytes.set(frame, this.offset)
    this.commit(frame.length)
  }

  /** Writes the sign for a message that waits elsewhere; a frame of no length must fit. */
  mark(): void {
    this.header(marker)
    this.publish(alignment)
  }

  /** Asks the reader to say when it has made room; whoever asks must look once more before waiting. */
  starve(): void {
    Atomics.store(this.control, starvedWord, 1)
  }

  private get free(): number {
    return this.capacity - ((this.tail - this.head) | 0)
  }

  /** Bytes before the ring's end. */
  private get ahead(): number {
    return this.capacity - (this.tail & (this.capacity - 1))
  }

  private needed(size: number): number {
    return this.ahead < size ? this.ahead + size : size
  }

  private pad(size: number): void {
    if (this.ahead >= size) return
    this.header(padding)
    this.tail = (this.tail + this.ahead) | 0
  }

  private header(value: number): void {
    this.headers[(this.tail & (this.capacity - 1)) >> 2] = value
  }

  private publish(size: number): void {
    this.tail = (this.tail + size) | 0
    Atomics.store(this.control, tailWord, this.tail)
  }
}

export class RingReader extends Side {
  private head = 0
  private size = 0

  /** Whether there is something to read. */
  get ready(): boolean {
    return Atomics.load(this.control, tailWord) !== this.head
  }

  /** The next frame, whose content lies at `offset` until `release`. */
  next(): Frame | undefined {
    while (this.ready) {
      const header = this.headers[(this.head & (this.capacity - 1)) >> 2]!
      if (header === padding) {
        this.head = (this.head + this.capacity - (this.head & (this.capacity - 1))) | 0
        continue
      }
      this.size = header === marker ? alignment : align(4 + header)
      return header === marker ? "marker" : header
    }
    return undefined
  }

  get offset(): number {
    return (this.head & (this.capacity - 1)) + 4
  }

  /** Gives the last frame's room back; true when the writer asked to be told. */
  release(): boolean {
    this.head = (this.head + this.size) | 0
    Atomics.store(this.control, headWord, this.head)
    return Atomics.load(this.control, starvedWord) !== 0 && Atomics.exchange(this.control, starvedWord, 0) !== 0
  }
}

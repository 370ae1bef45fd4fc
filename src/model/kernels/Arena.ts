/**
 * A bump allocator over one shared memory: where parameters, fragments and workspaces of the kernels lie.
 *
 * What `allocate` answers is a plain number, a byte offset, so that a layout can be sent to another thread as a value;
 * there `Arena.attach` gives views of the same memory. Nothing is ever freed but the whole. The memory cannot grow (views
 * of shared memory would not follow it), so its size is the caller's choice; what is never touched costs no real memory.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { engine, pageBytes, type SharedMemory } from "./SharedMemory.ts"

/** A memory that could not be made, or that is full. */
export class OutOfMemory extends Schema.TaggedError<OutOfMemory>()("OutOfMemory", {
  /** Bytes that were asked for. */
  bytes: Schema.Number,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.bytes} bytes of shared memory cannot be had: ${this.reason}`
  }
}

/** Something given as an arena's memory that is not shared between threads. */
export class NotShared extends Schema.TaggedError<NotShared>()("NotShared", { message: Schema.String }) {}

/** Bytes at the start that are never handed out, so that 0 can mean "nothing". The first word is the next free offset. */
const reserved = 64

/** See the file's comment. */
export interface Arena {
  readonly memory: SharedMemory
  readonly buffer: SharedArrayBuffer
  /** Bytes of the whole memory. */
  readonly size: number
  /** Bytes handed out so far, those kept back at the start included. */
  readonly used: () => number
  /**
   * Hands out `bytes` bytes, zeroed, at a multiple of `align` (a power of two; 16, a vector of the kernels, unless said).
   * Safe from several threads at once, though only one of them deciding makes a layout the same in every run.
   */
  readonly allocate: (bytes: number, align?: number) => Effect.Effect<number, OutOfMemory>
  readonly float32: (offset: number, length: number) => Float32Array<SharedArrayBuffer>
  readonly float64: (offset: number, length: number) => Float64Array<SharedArrayBuffer>
  readonly int32: (offset: number, length: number) => Int32Array<SharedArrayBuffer>
  readonly uint32: (offset: number, length: number) => Uint32Array<SharedArrayBuffer>
  readonly uint8: (offset: number, length: number) => Uint8Array<SharedArrayBuffer>
}

/** An arena whose next free offset is the first word of `next`, and that ends at `size`. */
const over = (memory: SharedMemory, buffer: SharedArrayBuffer, next: Uint32Array, size: number): Arena => {
  const allocate = (bytes: number, align = 16): number | undefined => {
    while (true) {
      const top = Atomics.load(next, 0)
      const offset = Math.ceil(top / align) * align
      if (offset + bytes > size) return undefined
      // The end of a 4 GiB memory does not fit the word; the last bytes are not worth a wider one.
      if (Atomics.compareExchange(next, 0, top, Math.min(offset + bytes, 0xffffffff)) === top) return offset
    }
  }
  return {
    memory,
    buffer,
    size,
    used: () => Atomics.load(next, 0),
    allocate: (bytes, align) =>
      Effect.suspend(() => {
        const offset = allocate(bytes, align)
        return offset === undefined
          ? Effect.fail(
            new OutOfMemory({ bytes, reason: `${Atomics.load(next, 0)} of the arena's ${size} bytes are in use` })
          )
          : Effect.succeed(offset)
      }),
    float32: (offset, length) => new Float32Array(buffer, offset, length),
    float64: (offset, length) => new Float64Array(buffer, offset, length),
    int32: (offset, length) => new Int32Array(buffer, offset, length),
    uint32: (offset, length) => new Uint32Array(buffer, offset, length),
    uint8: (offset, length) => new Uint8Array(buffer, offset, length)
  }
}

/** An arena of at least `bytes` usable bytes (whole pages of 64 KiB, at most 4 GiB) in a new shared memory. */
const make = (options: { readonly bytes: number }): Effect.Effect<Arena, OutOfMemory> =>
  Effect.suspend(() => {
    const bytes = options.bytes
    const wasm = engine()
    if (wasm === undefined) return Effect.fail(new OutOfMemory({ bytes, reason: "this engine has no WebAssembly" }))
    return Effect.try({
      try: () => {
        const pages = Math.ceil((bytes + reserved) / pageBytes)
        const memory = new wasm.Memory({ initial: pages, maximum: pages, shared: true })
        if (!(memory.buffer instanceof SharedArrayBuffer)) throw new TypeError("this engine has no shared memory")
        const next = new Uint32Array(memory.buffer, 0, 1)
        next[0] = reserved
        return over(memory, memory.buffer, next, memory.buffer.byteLength)
      },
      catch: (cause) => new OutOfMemory({ bytes, reason: cause instanceof Error ? cause.message : String(cause) })
    })
  })

/** The arena that another thread made in this memory: its views, and what it has handed out. */
const attach = (memory: SharedMemory): Effect.Effect<Arena, NotShared> =>
  Effect.suspend(() =>
    memory.buffer instanceof SharedArrayBuffer
      ? Effect.succeed(over(memory, memory.buffer, new Uint32Array(memory.buffer, 0, 1), memory.buffer.byteLength))
      : Effect.fail(new NotShared({ message: "An arena needs a shared memory; this one belongs to its thread alone." }))
  )

/** A part of a memory, cleared, as an arena that is this thread's alone: what is known elsewhere of it is where it lies. */
const part = (memory: SharedMemory, buffer: SharedArrayBuffer, offset: number, bytes: number): Arena => {
  new Uint8Array(buffer, offset, bytes).fill(0)
  return over(memory, buffer, Uint32Array.of(offset), offset + bytes)
}

export const Arena = { make, attach, part, reserved } as const

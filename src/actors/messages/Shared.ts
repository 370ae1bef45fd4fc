/**
 * Schemas of what is shared between threads instead of copied: memory, buffers, and views on them.
 *
 * A schema's JSON codec would turn bytes into text; these pass the value itself, and `postMessage` then shares shared
 * memory and copies the rest. Use them in an actor's `config`, `state` and messages. They are good for as long as both
 * sides live on one machine; a transport to another machine refuses them.
 */
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"

const passthrough = Schema.link<unknown>()(Schema.Any, {
  decode: SchemaGetter.passthrough(),
  encode: SchemaGetter.passthrough()
})

/** A schema for values that `is` accepts, which crosses a border as it stands (by structured clone). */
export const untouched = <T>(expected: string, is: (value: unknown) => value is T): Schema.declare<T> =>
  Schema.declare(is, { expected, toCodecJson: () => passthrough })

/** What we need of a `WebAssembly.Memory`; the type itself belongs to the browser's library and is not always there. */
export interface Memory {
  readonly buffer: ArrayBufferLike
  grow(delta: number): number
}

/** A shared `WebAssembly.Memory` (one made with `shared: true`; another cannot be handed to a thread). */
export const Memory: Schema.declare<Memory> = untouched(
  "a shared WebAssembly.Memory",
  (value): value is Memory =>
    Object.prototype.toString.call(value) === "[object WebAssembly.Memory]" &&
    typeof value === "object" && value !== null && "buffer" in value && value.buffer instanceof SharedArrayBuffer
)

/** A `SharedArrayBuffer`. */
export const Buffer: Schema.declare<SharedArrayBuffer> = untouched(
  "a SharedArrayBuffer",
  (value): value is SharedArrayBuffer => value instanceof SharedArrayBuffer
)

/** Bytes as they are: shared where they lie in shared memory, copied otherwise. */
export const Bytes: Schema.declare<Uint8Array> = untouched(
  "a Uint8Array",
  (value): value is Uint8Array => value instanceof Uint8Array
)

/** 32-bit floats as they are: shared where they lie in shared memory, copied otherwise. */
export const Float32: Schema.declare<Float32Array> = untouched(
  "a Float32Array",
  (value): value is Float32Array => value instanceof Float32Array
)

/** 64-bit floats as they are. */
export const Float64: Schema.declare<Float64Array> = untouched(
  "a Float64Array",
  (value): value is Float64Array => value instanceof Float64Array
)

/** 32-bit integers as they are. */
export const Int32: Schema.declare<Int32Array> = untouched(
  "an Int32Array",
  (value): value is Int32Array => value instanceof Int32Array
)

/** 32-bit words as they are. */
export const Uint32: Schema.declare<Uint32Array> = untouched(
  "a Uint32Array",
  (value): value is Uint32Array => value instanceof Uint32Array
)

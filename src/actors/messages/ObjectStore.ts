/**
 * Large arrays of numbers, put once and shared by many: a reference travels, the numbers stay where they are.
 *
 * ```ts
 * const batch = yield* ObjectStore.put(new Float32Array(25_000_000))     // copied once, into shared memory
 * const sum = yield* worker.Sum({ batch })                               // payload: { batch: ObjectStore.Ref("Float32Array") }
 * Sum: ({ batch }) => Effect.map(ObjectStore.get(batch), (numbers) => ...) // in whatever thread: no copy
 * ```
 *
 * - A reference is typed by its array, and refused where another is expected.
 * - It belongs to the scope that `put` it. When that closes, `get` fails with `ObjectReleased`, in every thread; the memory
 *   is given back when nobody holds an array of it any more.
 * - Between threads the memory is shared. Into a child process the numbers are copied; that copy knows nothing of the
 *   scope, and lives as long as its reference.
 * - Nobody may write to what was put: the others would see it. Who wants to fill memory in place makes an array on a
 *   `SharedArrayBuffer`, fills it, and puts it: it is then not copied.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import type { Scope } from "effect/Scope"
import { ObjectReleased, ObjectTooLarge } from "../errors.ts"
import { typedArrays } from "./typedArrays.ts"

/** The name of such an array's class. */
export type Kind = keyof typeof typedArrays

/** An array of a kind, wherever it lies. */
export type ArrayOf<K extends Kind> = Extract<
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array,
  { readonly [Symbol.toStringTag]: K }
>

const live = 0
const released = 1

/** A reference to an array that was put. */
export class ObjectRef<K extends Kind> {
  readonly kind: K
  /** How many numbers the array has. */
  readonly length: number
  private readonly state: Int32Array
  private array: ArrayOf<K> | undefined

  /** Made by `put`, and where a reference arrives. */
  constructor(kind: K, state: Int32Array, array: ArrayOf<K>) {
    this.kind = kind
    this.length = array.length
    this.state = state
    this.array = array
  }

  /** The array itself; `undefined` once the reference was released. */
  deref(): ArrayOf<K> | undefined {
    if (Atomics.load(this.state, 0) !== live) this.array = undefined
    return this.array
  }

  /** Ends the reference wherever it is held. */
  release(): void {
    Atomics.store(this.state, 0, released)
    this.array = undefined
  }

  /** What crosses a border: views on shared memory, which are shared between threads and copied into a process. */
  get parts(): Parts {
    return { state: this.state, array: this.deref() ?? new typedArrays[this.kind](0) }
  }
}

interface Parts {
  readonly state: Int32Array
  readonly array: ArrayOf<Kind>
}

/** Makes an array available to all actors of the machine, until the scope closes. Copies it once, unless it is shared already. */
export const put = <K extends Kind>(
  array: ArrayOf<K> & { readonly [Symbol.toStringTag]: K }
): Effect.Effect<ObjectRef<K>, ObjectTooLarge, Scope> =>
  Effect.acquireRelease(
    Effect.suspend(() => {
      try {
        const state = new Int32Array(new SharedArrayBuffer(4))
        return Effect.succeed(new ObjectRef<K>(array[Symbol.toStringTag], state, shared(array)))
      } catch (error) {
        const reason = error instanceof Error ? error.message : String(error)
        return Effect.fail(new ObjectTooLarge({ bytes: array.byteLength, reason }))
      }
    }),
    (ref) => Effect.sync(() => ref.release())
  )

/** The array, without a copy. */
export const get = <K extends Kind>(ref: ObjectRef<K>): Effect.Effect<ArrayOf<K>, ObjectReleased> =>
  Effect.suspend(() => {
    const array = ref.deref()
    return array === undefined ? Effect.fail(new ObjectReleased({ kind: ref.kind })) : Effect.succeed(array)
  })

/** The schema of references to arrays of this kind, for payloads, replies, configurations and states. */
export const Ref = <K extends Kind>(kind: K): Schema.declare<ObjectRef<K>> => {
  const is = (value: unknown): value is ObjectRef<K> => value instanceof ObjectRef && value.kind === kind
  return Schema.declare(is, {
    expected: `a reference to a ${kind}`,
    toCodecJson: () =>
      Schema.link<unknown>()(Schema.Any, {
        decode: SchemaGetter.transform(arrived),
        encode: SchemaGetter.transform((value) => value instanceof ObjectRef ? value.parts : value)
      })
  })
}

const shared = <A extends ArrayOf<Kind>>(array: A): A => {
  if (array.buffer instanceof SharedArrayBuffer) return array
  const bytes = new Uint8Array(new SharedArrayBuffer(array.byteLength))
  bytes.set(new Uint8Array(array.buffer, array.byteOffset, array.byteLength))
  const Same: new(memory: SharedArrayBuffer) => unknown = typedArrays[array[Symbol.toStringTag]]
  // The class of `array`, on other memory.
  return new Same(bytes.buffer) as A
}

/** A reference out of what has come over a border; anything else stays what it is, and is refused. */
const arrived = (value: unknown): unknown => {
  if (typeof value !== "object" || value === null || !("state" in value) || !("array" in value)) return value
  const { array, state } = value
  return state instanceof Int32Array && isNumberArray(array)
    ? new ObjectRef(array[Symbol.toStringTag], state, array)
    : value
}

const isNumberArray = (value: unknown): value is ArrayOf<Kind> =>
  ArrayBuffer.isView(value) && Symbol.toStringTag in value && String(value[Symbol.toStringTag]) in typedArrays

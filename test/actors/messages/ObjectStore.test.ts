/** The object store: shared between threads, copied into a process, typed, and no longer there than its scope. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Scope } from "effect"
import { ActorSystem } from "../../../src/actors/ActorSystem.ts"
import * as ObjectStore from "../../../src/actors/messages/ObjectStore.ts"
import { Keeper, KeeperBehavior } from "../fixtures/store.ts"

const entry = new URL("../fixtures/store.host.ts", import.meta.url)
const layers = {
  fiber: ActorSystem.layerFiber([KeeperBehavior]),
  thread: ActorSystem.layerThread({ entry, hosts: 2 }),
  process: ActorSystem.layerProcess({ entry })
}
const shares = { fiber: true, thread: true, process: false }

for (const placement of ["fiber", "thread", "process"] as const) {
  describe(`object store, ${placement}`, () => {
    it.live("an array is put once and read by all", () =>
      Effect.gen(function*() {
        const system = yield* ActorSystem
        const numbers = Float32Array.of(1, 2, 3)
        const ref = yield* ObjectStore.put(numbers)
        assert.deepStrictEqual([ref.kind, ref.length], ["Float32Array", 3])
        const a = yield* system.spawn(Keeper, {})
        const b = yield* system.spawn(Keeper, {})
        yield* a.Keep({ ref })
        yield* b.Keep({ ref })
        assert.strictEqual(yield* a.Bump(), 2)
        // Where memory is shared, one sees what the other wrote; nobody should write, but so it shows.
        assert.strictEqual(yield* b.Bump(), shares[placement] ? 3 : 2)
        assert.strictEqual((yield* ObjectStore.get(ref))[0], shares[placement] ? 3 : 1)
        assert.deepStrictEqual(numbers, Float32Array.of(1, 2, 3))
        // A reference in the state outlives its actor.
        yield* system.kill(a)
        assert.strictEqual(yield* a.Bump(), shares[placement] ? 4 : 3)
      }).pipe(Effect.scoped, Effect.provide(layers[placement])))

    it.live("an actor can put, and its reply is a reference", () =>
      Effect.gen(function*() {
        const system = yield* ActorSystem
        const keeper = yield* system.spawn(Keeper, {})
        const ref = yield* keeper.Make({ length: 5 })
        assert.deepStrictEqual([...(yield* ObjectStore.get(ref))], [0, 0.5, 1, 1.5, 2])
        yield* system.stop(keeper)
        const later = yield* Effect.exit(ObjectStore.get(ref))
        assert.strictEqual(later._tag, shares[placement] ? "Failure" : "Success")
      }).pipe(Effect.scoped, Effect.provide(layers[placement])))

    it.live("after its scope a reference is released, in every thread, also one that travels late", () =>
      Effect.gen(function*() {
        const system = yield* ActorSystem
        const keeper = yield* system.spawn(Keeper, {})
        const scope = yield* Scope.make()
        const ref = yield* Scope.provide(ObjectStore.put(Float32Array.of(1)), scope)
        yield* keeper.Keep({ ref })
        yield* Scope.close(scope, Exit.void)
        const failure = yield* Effect.flip(ObjectStore.get(ref))
        assert.strictEqual(
          failure.message,
          "a Float32Array was released by the scope that had put it: get it while that is open"
        )
        // The copy in a process lives on.
        if (shares[placement]) assert.strictEqual((yield* Effect.flip(keeper.Bump()))._tag, "ObjectReleased")
        yield* keeper.Keep({ ref })
        assert.strictEqual((yield* Effect.flip(keeper.Bump()))._tag, "ObjectReleased")
      }).pipe(Effect.scoped, Effect.provide(layers[placement])))
  })
}

describe("object store", () => {
  it.live("a reference to another kind of array is refused", () =>
    Effect.gen(function*() {
      const keeper = yield* ActorSystem.spawn(Keeper, { name: "keeper" })
      const ref = yield* ObjectStore.put(Float64Array.of(1))
      // @ts-expect-error: a reference to Float64Array is none to Float32Array
      const failure = yield* Effect.flip(keeper.Keep({ ref }))
      assert.strictEqual(failure._tag, "MessageRefused")
      assert.include(failure.message, `Expected a reference to a Float32Array at ["ref"]`)
      // @ts-expect-error: nor is anything else
      assert.strictEqual((yield* Effect.flip(keeper.Keep({ ref: Float32Array.of(1) })))._tag, "MessageRefused")
    }).pipe(Effect.scoped, Effect.provide(layers.thread)))

  it.effect("what lies in shared memory is not copied, and a part of an array is put alone", () =>
    Effect.gen(function*() {
      const own = new Float32Array(new SharedArrayBuffer(16))
      assert.strictEqual(yield* Effect.flatMap(ObjectStore.put(own), ObjectStore.get), own)
      const part = yield* Effect.flatMap(ObjectStore.put(Uint16Array.of(1, 2, 3).subarray(1)), ObjectStore.get)
      assert.deepStrictEqual([...part], [2, 3])
      assert.strictEqual(part.buffer.byteLength, 4)
      for (const array of [new Uint8ClampedArray(3), BigInt64Array.of(1n), new Int8Array(0)]) {
        assert.deepStrictEqual(yield* Effect.flatMap(ObjectStore.put(array), (ref) => ObjectStore.get(ref)), array)
      }
    }))
})

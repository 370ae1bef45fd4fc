/** The arena: what it hands out does not overlap, is aligned, and is the same memory in another arena over it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Arena } from "../../../src/model/kernels/Arena.ts"

const Request = Schema.Struct({
  bytes: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 200 })),
  align: Schema.Literals([1, 2, 4, 8, 16, 64])
})

describe("Arena", () => {
  it.effect.prop(
    "hands out aligned places that do not overlap",
    [Schema.Array(Request).check(Schema.isMaxLength(30))],
    Effect.fnUntraced(function*([requests]) {
      const arena = yield* Arena.make({ bytes: 30 * (200 + 64) })
      let end = Arena.reserved
      for (const { align, bytes } of requests) {
        const offset = yield* arena.allocate(bytes, align)
        assert.strictEqual(offset % align, 0)
        assert.isAtLeast(offset, end)
        end = offset + bytes
        assert.strictEqual(arena.used(), end)
        arena.uint8(offset, bytes).fill(1)
      }
      assert.isAtMost(end, arena.size)
    })
  )

  it.effect("aligns to a vector when not told otherwise", () =>
    Effect.gen(function*() {
      const arena = yield* Arena.make({ bytes: 1000 })
      yield* arena.allocate(3)
      assert.strictEqual((yield* arena.allocate(3)) % 16, 0)
    }))

  it.effect("has room for exactly what was asked for, up to the page, and fails typed beyond", () =>
    Effect.gen(function*() {
      const arena = yield* Arena.make({ bytes: 65536 - Arena.reserved })
      assert.strictEqual(arena.size, 65536)
      yield* arena.allocate(65536 - Arena.reserved)
      const error = yield* Effect.flip(arena.allocate(1))
      assert.strictEqual(error._tag, "OutOfMemory")
      assert.strictEqual(error.bytes, 1)
      assert.include(error.message, "65536")
    }))

  it.effect("cannot be larger than an address reaches", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Arena.make({ bytes: 2 ** 33 }))
      assert.strictEqual(error._tag, "OutOfMemory")
    }))

  it.effect("attaches to a memory: same numbers, and allocation goes on behind them", () =>
    Effect.gen(function*() {
      const arena = yield* Arena.make({ bytes: 4096 })
      const offset = yield* arena.allocate(32)
      arena.float32(offset, 8).set([1, 2, 3, 4, 5, 6, 7, 8])
      const attached = yield* Arena.attach(arena.memory)
      assert.deepStrictEqual(Array.from(attached.float32(offset, 8)), [1, 2, 3, 4, 5, 6, 7, 8])
      assert.strictEqual(attached.used(), arena.used())
      const behind = yield* attached.allocate(16)
      assert.isAtLeast(behind, offset + 32)
      assert.isAtLeast(yield* arena.allocate(16), behind + 16)
    }))

  it.effect("refuses a memory that is not shared", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Arena.attach({ buffer: new ArrayBuffer(65536), grow: () => 0 }))
      assert.strictEqual(error._tag, "NotShared")
    }))
})

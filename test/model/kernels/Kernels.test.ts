/** The binding: one module a thread, typed failures, descriptors, workspaces, and instances that disturb nothing. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import { Arena } from "../../../src/model/kernels/Arena.ts"
import { Kernels } from "../../../src/model/kernels/Kernels.ts"
import { type CategoricalMlp, categoricalMlp } from "../../../src/model/policy/PolicySpec.ts"
import { Rows, Spec } from "./bed.ts"

const spec: CategoricalMlp = { towers: "shared", inputs: 4, actions: 2, hidden: [20, 3], activation: "relu" }

describe("Kernels", () => {
  it.effect("compiles its module once", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Kernels.module, yield* Kernels.module)
    }))

  it.effect("writes nothing when it is instantiated over a memory in use", () =>
    Effect.gen(function*() {
      const arena = yield* Arena.make({ bytes: 100_000 })
      const everything = arena.uint8(0, arena.size)
      everything.fill(0xa5)
      yield* Kernels.instantiate(arena.memory)
      assert.isTrue(everything.every((byte) => byte === 0xa5))
    }))

  it.effect("refuses a memory that is not shared, by a typed failure", () =>
    Effect.gen(function*() {
      const error = yield* Effect.flip(Kernels.instantiate({ buffer: new ArrayBuffer(65536), grow: () => 0 }))
      assert.strictEqual(error._tag, "KernelsUnavailable")
      assert.strictEqual(error.reason, "memory-not-shared")
    }))

  it.effect("describes a network in the words the kernels read", () =>
    Effect.gen(function*() {
      const arena = yield* Arena.make({ bytes: 1000 })
      const kernels = yield* Kernels.instantiate(arena.memory)
      const net = yield* kernels.describe(arena, categoricalMlp(spec))
      assert.deepStrictEqual(Array.from(arena.int32(net, 9)), [0, 1, 4, 2, 1, 2, 0, 1, 0])
      assert.deepStrictEqual(Array.from(arena.int32(net + 40, 4)), [0, 20, 3, 2])
      assert.strictEqual(Kernels.descriptorBytes(categoricalMlp(spec)), 56)
    }))

  it.prop("a workspace is never smaller for more rows, and holds the activations", [Spec, Rows], ([given, rows]) => {
    const bytes = Kernels.workspaceBytes(categoricalMlp(given), rows)
    assert.isAtLeast(Kernels.workspaceBytes(categoricalMlp(given), rows + 1), bytes)
    const towers = given.towers === "separate" ? 2 : 1
    assert.isAtLeast(bytes, given.hidden.reduce((sum, width) => sum + rows * width * 4, 0) * towers)
    assert.strictEqual(bytes % 16, 0)
  })
})

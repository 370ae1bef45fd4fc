/** The file format: what is written is read, and nothing else is. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { createHash } from "node:crypto"
import * as container from "../../../src/runtime/checkpoint/container.ts"

const example: container.Container = {
  header: { what: "an example", n: 3 },
  sections: {
    bytes: Uint8Array.of(1, 2, 3),
    doubles: Float64Array.of(-0, Number.NaN, Number.NEGATIVE_INFINITY, 5e-324),
    none: new Float32Array(),
    floats: Float32Array.of(0.1, -1e-45),
    words: Uint32Array.of(0, 0xffff_ffff)
  }
}

const why = (bytes: Uint8Array) => Effect.map(Effect.flip(container.decode(bytes)), ({ reason }) => reason)

/** The same bytes with a digest that is right. */
const signed = (bytes: Uint8Array): Uint8Array => {
  const body = bytes.subarray(0, bytes.length - 32)
  return Buffer.concat([body, createHash("sha256").update(body).digest()])
}

describe("a checkpoint's file", () => {
  it.effect("gives back what was put into it, to the bit", () =>
    Effect.gen(function*() {
      const bytes = yield* container.encode(example)
      assert.deepStrictEqual(yield* container.decode(bytes), example)
      // As a part of a larger memory too, which is how files are read.
      assert.deepStrictEqual(yield* container.decode(Buffer.concat([Buffer.alloc(3), bytes]).subarray(3)), example)
    }))

  it.effect.prop(
    "is refused when it is cut off or one bit of it is another",
    [Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 0.999999 })), Schema.Boolean],
    ([where, cut]) =>
      Effect.gen(function*() {
        const bytes = yield* container.encode(example)
        const at = Math.floor(where * bytes.length)
        const damaged = cut ? bytes.slice(0, at) : bytes.map((byte, i) => i === at ? byte ^ 4 : byte)
        assert.isTrue(yield* Effect.isFailure(container.decode(damaged)))
      })
  )

  it.effect("says what is wrong with it", () =>
    Effect.gen(function*() {
      const bytes = yield* container.encode(example)
      const text = Buffer.from(bytes)
      assert.match(yield* why(new Uint8Array()), /does not begin as a checkpoint does/)
      assert.match(yield* why(Buffer.from("PK\n")), /does not begin as a checkpoint does/)
      assert.match(yield* why(bytes.slice(0, -1)), /cut off or was changed/)
      const newer = text.toString("latin1").replace("checkpoint 1\n", "checkpoint 12\n")
      assert.match(yield* why(Buffer.from(newer, "latin1")), /newer version of this program, in format 12; .* up to 1/)
      const longer = text.toString("latin1").replace(`"length":3`, `"length":9`)
      assert.match(yield* why(signed(Buffer.from(longer, "latin1"))), /section "words" is cut off/)
      const shorter = text.toString("latin1").replace(`"length":3`, `"length":2`)
      assert.match(yield* why(signed(Buffer.from(shorter, "latin1"))), /more than its header says/)
      const unreadable = text.toString("latin1").replace(`"f32"`, `"f31"`)
      assert.match(yield* why(signed(Buffer.from(unreadable, "latin1"))), /header is not readable/)
    }))
})

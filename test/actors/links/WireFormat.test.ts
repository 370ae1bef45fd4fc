/** What is written as bytes is read as the very value; what cannot be is said to be foreign, or to find no room. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { WireReader, WireWriter } from "../../../src/actors/links/WireFormat.ts"

const through = (value: unknown, size = 1 << 18) => {
  const bytes = new Uint8Array(new SharedArrayBuffer(size))
  const writer = new WireWriter(bytes)
  const written = writer.write(value)
  if (written !== "written") return written
  const reader = new WireReader(bytes)
  const read = reader.read()
  assert.strictEqual(reader.at, writer.at)
  return { read }
}

const Plain: Schema.Codec<unknown> = Schema.Union([
  Schema.Number,
  Schema.Int,
  Schema.String,
  Schema.Boolean,
  Schema.Null,
  Schema.Undefined,
  Schema.Array(Schema.Union([Schema.Number, Schema.String])),
  Schema.Record(Schema.String, Schema.Union([Schema.Number, Schema.String, Schema.Array(Schema.Boolean)]))
])

describe("WireFormat", () => {
  it.prop("a plain value comes as it went", [Schema.Array(Plain)], ([values]) => {
    // This key is one that we leave to the other way.
    if (JSON.stringify(values)?.includes("__proto__")) return
    assert.deepStrictEqual(through(values), { read: values })
  })

  it("numbers to the last bit", () => {
    const numbers = [
      0,
      -0,
      127,
      128,
      -1,
      2 ** 31 - 1,
      2 ** 31,
      -(2 ** 31),
      0.1,
      Number.MIN_VALUE,
      Number.MAX_VALUE,
      Infinity,
      -Infinity,
      NaN
    ]
    assert.deepStrictEqual(through(numbers), { read: numbers })
    assert.isTrue(Object.is((through([-0]) as { read: Array<number> }).read[0], -0))
  })

  it("strings of every kind and length", () => {
    const texts = ["", "é", "日本語", "\ud800", "\udc00x", "a\u0000b", "x".repeat(40), "x".repeat(41), "ÿ".repeat(255)]
    const long = ["y".repeat(10_000), "€".repeat(10_000), `${"y".repeat(10_000)}€`, `€${"ÿ".repeat(60)}`.slice(1)]
    assert.deepStrictEqual(through([...texts, ...texts, ...long]), { read: [...texts, ...texts, ...long] })
  })

  it("two short strings that share a place in the reader's memory stay themselves", () => {
    const texts = Array.from({ length: 5000 }, (_, i) => `k${i}`)
    assert.deepStrictEqual(through([...texts, ...texts]), { read: [...texts, ...texts] })
  })

  it("what structured clone would keep and bytes would not is foreign", () => {
    class Point {
      readonly x = 1
    }
    const itself: Record<string, unknown> = {}
    itself["self"] = itself
    let deep: unknown = 1
    for (let i = 0; i < 50; i++) deep = [deep]
    const foreign = [
      new Point(),
      new Date(0),
      new Map(),
      Float32Array.of(1),
      new SharedArrayBuffer(8),
      1n,
      () => 1,
      Symbol("s"),
      Array(2),
      itself,
      deep,
      JSON.parse(`{"__proto__":1}`)
    ]
    for (const value of foreign) assert.strictEqual(through({ value }), "foreign")
  })

  it("finds no room before it writes beyond the end, wherever that is", () => {
    const value = { a: 1, b: [1.5, "text", null], c: "é".repeat(50), d: "日本", e: -5 }
    const bytes = new Uint8Array(new SharedArrayBuffer(512))
    const whole = new WireWriter(bytes)
    assert.strictEqual(whole.write(value), "written")
    for (let end = 0; end < 300; end++) {
      bytes.fill(7)
      const writer = new WireWriter(bytes)
      writer.end = end
      const written = writer.write(value)
      // A number asks for the room of the longest number.
      if (end < whole.at) assert.strictEqual(written, "full")
      if (end >= whole.at + 9) assert.strictEqual(written, "written")
      assert.isTrue(bytes.subarray(end).every((byte) => byte === 7), `wrote beyond ${end}`)
    }
  })
})

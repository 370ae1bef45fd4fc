import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { crc32c, masked } from "../../../src/runtime/reporting/crc32c.ts"
import { scalarRecord, tag, versionRecord } from "../../../src/runtime/reporting/tfevents.ts"
import { readEvents } from "./readEvents.ts"

const concat = (...parts: ReadonlyArray<Uint8Array>) => Uint8Array.from(parts.flatMap((part) => [...part]))

describe("crc32c", () => {
  it("gives the check values of RFC 3720", () => {
    assert.strictEqual(crc32c(new Uint8Array(32)), 0x8a9136aa)
    assert.strictEqual(crc32c(new Uint8Array(32).fill(0xff)), 0x62a8ab43)
    assert.strictEqual(crc32c(Uint8Array.from({ length: 32 }, (_, i) => i)), 0x46dd794e)
    assert.strictEqual(crc32c(new TextEncoder().encode("123456789")), 0xe3069283)
  })
  it("takes a part of an array", () => {
    assert.strictEqual(crc32c(new TextEncoder().encode("xx123456789yy"), 2, 11), 0xe3069283)
  })
  it("masks as TensorFlow does", () => {
    assert.strictEqual(masked(0), 0xa282ead8)
    assert.strictEqual(masked(0xffffffff), 0xa282ead7)
  })
})

describe("event records", () => {
  // Written by tensorboard 2.21's RecordWriter and event_pb2 from the same values.
  const golden = "1800000000000000a37f4b220900001040fc54d9411a0d627261696e2e4576656e743a32338d2fe9" +
    "2700000000000000bbe1b1460900006040fc54d9412a1c0a1a0a13726f6c6c6f75742f65705f7265775f6d65616e1500000000f540d503" +
    "4500000000000000ebe668b00900008840fc54d94110ac022a370a1a0a13726f6c6c6f75742f65705f7265775f6d65616e150000ac41" +
    "0a190a12747261696e2f656e74726f70795f6c6f737315187231bf38cf40b5" +
    "2400000000000000422b804d090000c040fc54d94110fba0e5b9c291012a110a0f0a0874696d652f667073150024744982b7edac"

  it("are the bytes of the reference writer", () => {
    const bytes = concat(
      versionRecord(1700000000.25),
      scalarRecord(1700000001.5, 0, [[tag("rollout/ep_rew_mean"), 0]]),
      scalarRecord(1700000002.125, 300, [
        [tag("rollout/ep_rew_mean"), 21.5],
        [tag("train/entropy_loss"), -Math.LN2]
      ]),
      scalarRecord(1700000003, 5_000_000_000_123, [[tag("time/fps"), 1e6]])
    )
    assert.strictEqual(Buffer.from(bytes).toString("hex"), golden)
  })

  const Step = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))
  const Tag = Schema.String.check(Schema.isMinLength(1), Schema.isMaxLength(300))

  it.prop(
    "come back as they were",
    [Schema.Finite, Step, Schema.Record(Tag, Schema.Finite)],
    ([wall, step, values]) => {
      // Lone surrogates have no UTF-8 form.
      const entries = Object.entries(values).filter(([name]) => name.isWellFormed() && name !== "__proto__")
      const [version, event] = readEvents(concat(
        versionRecord(wall),
        scalarRecord(wall, step, entries.map(([name, value]) => [tag(name), value] as const))
      ))
      assert.deepStrictEqual(version, {
        wallTime: wall,
        step: 0,
        fileVersion: "brain.Event:2",
        scalars: {},
        plugins: {}
      })
      assert.deepStrictEqual(event, {
        wallTime: wall,
        step,
        fileVersion: undefined,
        scalars: Object.fromEntries(entries.map(([name, value]) => [name, Math.fround(value)])),
        plugins: {}
      })
    }
  )
})

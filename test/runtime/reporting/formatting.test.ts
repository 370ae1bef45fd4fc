import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { bar, decimal, duration, fit, plural, rate, whole } from "../../../src/runtime/reporting/formatting.ts"

describe("formatting", () => {
  it("writes numbers as people read them", () => {
    assert.deepStrictEqual([0, 999, 1000, 1234567].map(whole), ["0", "999", "1,000", "1,234,567"])
    assert.deepStrictEqual([null, NaN, -0.04, 21.25].map((value) => decimal(value, 1)), ["-", "-", "0.0", "21.3"])
    assert.deepStrictEqual(
      [null, 0, 999, 1000, 81234, 812345, 999_600, 2_034_000, 25_300_000].map(rate),
      ["-", "0", "999", "1.00k", "81.2k", "812k", "1.00M", "2.03M", "25.3M"]
    )
    assert.deepStrictEqual([0.84, 59.9, 59.96, 245, 3753].map(duration), ["0.8 s", "59.9 s", "1:00", "4:05", "1:02:33"])
    assert.deepStrictEqual(
      [plural(1, "restart"), plural(1200, "step"), plural(2, "process")],
      ["1 restart", "1,200 steps", "2 processes"]
    )
  })
  it.prop("a bar has its width, whatever the fraction", [Schema.Number, Schema.Int], ([fraction, seed]) => {
    const width = Math.abs(seed % 50)
    assert.strictEqual(bar(fraction, width).length, width)
  })
  it.prop("a fitted line is never too long", [Schema.Array(Schema.String), Schema.Int], ([parts, seed]) => {
    const width = Math.abs(seed % 100)
    assert.isAtMost(fit(parts, width).length, width)
  })
})

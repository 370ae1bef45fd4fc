import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import {
  bar,
  decimal,
  duration,
  fit,
  plural,
  rate,
  score,
  spread,
  whole
} from "../../../src/runtime/reporting/formatting.ts"

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
  it("writes returns of every size so that two can be told apart", () => {
    assert.deepStrictEqual(
      [0.85, 0.94, 0.0085, -0.0094, 9.35, 21.25, 487.91, 1234.5, 0, -0.00001, 1.2e-7, 3e12, null, NaN].map((value) =>
        score(value)
      ),
      [
        "0.850",
        "0.940",
        "0.00850",
        "-0.00940",
        "9.35",
        "21.3",
        "487.9",
        "1234.5",
        "0.0",
        "-1.00e-5",
        "1.20e-7",
        "3.00e+12",
        "-",
        "-"
      ]
    )
    assert.strictEqual(spread({ mean: 0.9123, std: 0.04, min: 0.85, max: 1 }), "0.912 ± 0.040 (0.850 to 1)")
    assert.strictEqual(spread({ mean: 500, std: 0, min: 500, max: 500 }), "500.0 ± 0.0 (500 to 500)")
    assert.strictEqual(spread({ mean: 0, std: 0.5, min: -1, max: 1 }), "0.0 ± 0.500 (-1 to 1)")
  })
  it.prop("returns that differ by a hundredth are written differently", [Schema.Finite], ([value]) => {
    if (Math.abs(value) < 1e-300 || !Number.isFinite(value * 1.02)) return
    assert.notStrictEqual(score(value), score(value * 1.02))
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

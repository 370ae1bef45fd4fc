import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { downsample, smooth } from "../../../src/runtime/reporting/smoothing.ts"

const Return = Schema.Finite.check(Schema.isBetween({ minimum: -1e6, maximum: 1e6 }))
const Returns = Schema.Array(Return)
const Weight = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 0.999 }))

describe("smooth", () => {
  it("is the notebook's function", () => {
    const expected = [10 * 0.9 + (1 - 0.9) * 10]
    for (const value of [20, 0, 500]) expected.push(expected.at(-1)! * 0.9 + (1 - 0.9) * value)
    assert.deepStrictEqual(smooth([10, 20, 0, 500]), expected)
    assert.deepStrictEqual(smooth([]), [])
  })
  it.prop("stays between the lowest and the highest value so far", [Returns, Weight], ([values, weight]) => {
    const smoothed = smooth(values, weight)
    assert.strictEqual(smoothed.length, values.length)
    let [low, high] = [Infinity, -Infinity]
    values.forEach((value, i) => {
      low = Math.min(low, value)
      high = Math.max(high, value)
      const slack = 1e-9 * Math.max(1, Math.abs(low), Math.abs(high))
      assert.isTrue(smoothed[i]! >= low - slack && smoothed[i]! <= high + slack)
    })
  })
  it.prop("knows nothing of what comes after", [Returns, Return], ([values, next]) => {
    assert.deepStrictEqual(smooth([...values, next]).slice(0, -1), smooth(values))
  })
  it.prop("changes nothing at weight 0", [Returns], ([values]) => {
    assert.deepStrictEqual(smooth(values, 0).map((value) => value + 0), values.map((value) => value + 0))
  })
})

describe("downsample", () => {
  const Limit = Schema.Int.check(Schema.isBetween({ minimum: 4, maximum: 40 }))
  const Long = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 500 }))

  it.prop("keeps few points, both ends and both extremes", [Long, Limit, Schema.Int], ([n, limit, seed]) => {
    const values = Array.from({ length: n }, (_, i) => Math.imul(i + 1, seed | 1) % 1000)
    const kept = downsample(values, limit)
    assert.isAtMost(kept.length, Math.max(limit, 0))
    kept.forEach((index, i) => assert.isTrue(i === 0 || index > kept[i - 1]!))
    if (n === 0) return assert.deepStrictEqual(kept, [])
    assert.strictEqual(kept[0], 0)
    assert.strictEqual(kept.at(-1), n - 1)
    const drawn = kept.map((i) => values[i]!)
    assert.strictEqual(Math.max(...drawn), Math.max(...values))
    assert.strictEqual(Math.min(...drawn), Math.min(...values))
    if (n <= limit) assert.strictEqual(kept.length, n)
  })
})

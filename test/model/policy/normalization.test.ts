/** Running moments: however numbers are cut into pieces, the joined moments are those of all of them. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import {
  addToMoments,
  beginMoments,
  endMoments,
  mergeMoments,
  momentsLength,
  momentsOf,
  normalReward,
  normalScale,
  ObservationScale
} from "../../../src/model/policy/normalization.ts"

const both = { observations: true, rewards: true }
const [observed] = momentsOf({ observations: true, rewards: false }, 2)
const Row = Schema.Tuple([
  Schema.Finite.check(Schema.isBetween({ minimum: -100, maximum: 100 })),
  Schema.Finite.check(Schema.isBetween({ minimum: 1000, maximum: 1001 }))
])
const Pieces = Schema.Array(Schema.Array(Row).check(Schema.isMaxLength(6))).check(Schema.isMaxLength(5))

const momentsOfRows = (rows: ReadonlyArray<ReadonlyArray<number>>): Float64Array => {
  const moments = new Float64Array(5)
  for (const row of rows) addToMoments(moments, observed!, row)
  endMoments(moments, observed!)
  return moments
}

describe("running statistics", () => {
  it.prop("of pieces, joined, are those of the whole", [Pieces], ([pieces]) => {
    const rows = pieces.flat()
    const joined = new Float64Array(5)
    for (const piece of pieces) mergeMoments(joined, momentsOfRows(piece), observed!)
    assert.strictEqual(joined[observed!.count], rows.length)
    if (rows.length === 0) return
    for (const k of [0, 1] as const) {
      const mean = rows.reduce((sum, row) => sum + row[k], 0) / rows.length
      const variance = rows.reduce((sum, row) => sum + (row[k] - mean) ** 2, 0) / rows.length
      assert.closeTo(joined[observed!.mean + k]!, mean, 1e-9 * Math.max(1, Math.abs(mean)))
      assert.closeTo(joined[observed!.variance + k]!, variance, 1e-6)
    }
  })

  it("lie one after the other: of observations, then of returns", () => {
    assert.deepStrictEqual(momentsOf(both, 3, 10), [
      { name: "obs_rms", width: 3, mean: 10, variance: 13, count: 16 },
      { name: "ret_rms", width: 1, mean: 17, variance: 18, count: 19 }
    ])
    assert.strictEqual(momentsLength(both, 3), 10)
    assert.strictEqual(momentsLength({ observations: false, rewards: false }, 3), 0)
  })

  it("begin at mean 0 and variance 1, and clip at 10", () => {
    const weights = new Float32Array(5)
    beginMoments(weights, [observed!])
    const scale = new ObservationScale(observed!)
    scale.take(weights)
    const seen = new Float32Array(2)
    scale.see([0.5, 12], seen)
    assert.deepStrictEqual([...seen], [0.5, 10])
    weights.set([1, 0, 0.25, 1], 0)
    scale.take(weights)
    scale.see([0.5, -12], seen)
    assert.closeTo(seen[0]!, -1, 1e-6)
    assert.strictEqual(seen[1], -10)
    assert.closeTo(normalReward(3, normalScale(4)), 1.5, 1e-6)
    assert.strictEqual(normalReward(100, normalScale(4)), 10)
  })
})

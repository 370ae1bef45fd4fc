/** What a grid is, and what its runs come to together. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { bandOf } from "../../../src/runtime/reporting/curves.ts"
import { gridOf, valuesOf } from "../../../src/runtime/sweeps/grid.ts"
import {
  deviation,
  interquartileInterval,
  interquartileMean,
  mean,
  median
} from "../../../src/runtime/sweeps/statistics.ts"

describe("grid", () => {
  it("has every combination once, the seeds of a setting next to each other", () => {
    const points = gridOf({ seed: "1..2", lr: "1e-3, 3e-3", nEnvs: "4" })
    assert.deepStrictEqual(points.map(({ texts }) => `${texts["lr"]} ${texts["seed"]} ${texts["nEnvs"]}`), [
      "1e-3 1 4",
      "1e-3 2 4",
      "3e-3 1 4",
      "3e-3 2 4"
    ])
    assert.deepStrictEqual(points[2]!.setting, { lr: "3e-3" })
  })

  it("reads ranges, lists, and lists of lists", () => {
    assert.deepStrictEqual(valuesOf("seed", "1..3,7"), ["1", "2", "3", "7"])
    assert.deepStrictEqual(valuesOf("hidden", "64,64;128"), ["64,64", "128"])
    assert.deepStrictEqual(valuesOf("algo", "a2c,ppo"), ["a2c", "ppo"])
    assert.deepStrictEqual(valuesOf("envId", "CartPole-v1,Acrobot-v1"), ["CartPole-v1", "Acrobot-v1"])
    assert.deepStrictEqual(valuesOf("envId", "FrozenLake-v1?map=[1,2]"), ["FrozenLake-v1?map=[1,2]"])
    assert.deepStrictEqual(valuesOf("logDir", "a,b"), ["a,b"])
    assert.deepStrictEqual(valuesOf("gamma", "0.9"), ["0.9"])
    assert.throws(() => valuesOf("seed", "3..1"), /ends before it begins/)
    assert.throws(() => valuesOf("seed", "1..99999999"), /more than/)
    assert.throws(() => valuesOf("lr", "1e-3,,3e-3"), /empty/)
    assert.throws(() => valuesOf("lr", "1e-3,1e-3"), /given twice/)
  })
})

const Values = Schema.Array(Schema.Finite.check(Schema.isBetween({ minimum: -1000, maximum: 1000 }))).check(
  Schema.isMinLength(1),
  Schema.isMaxLength(40)
)

describe("statistics", () => {
  it("are what they are by hand", () => {
    assert.strictEqual(mean([1, 2, 6]), 3)
    assert.strictEqual(deviation([1, 3]), Math.SQRT2)
    assert.strictEqual(deviation([5]), 0)
    assert.strictEqual(median([9, 1, 5, 2]), 3.5)
    // The middle half of eight is four.
    assert.strictEqual(interquartileMean([0, 0, 1, 2, 3, 4, 100, 100]), 2.5)
    // A quarter of ten is two and a half: half of the third counts, and of the eighth.
    assert.closeTo(interquartileMean([0, 0, 2, 3, 4, 5, 6, 9, 50, 50]), (0.5 * 2 + 3 + 4 + 5 + 6 + 0.5 * 9) / 5, 1e-12)
    assert.deepStrictEqual(interquartileInterval([7]), [7, 7])
  })

  it.prop("an interquartile mean lies within its values and its interval about it", [Values], ([values]) => {
    const center = interquartileMean(values)
    assert.isAtLeast(center, Math.min(...values) - 1e-9)
    assert.isAtMost(center, Math.max(...values) + 1e-9)
    const [low, high] = interquartileInterval(values)
    assert.isAtMost(low, high)
    assert.deepStrictEqual(interquartileInterval(values), [low, high])
  }, { arbitrary: { runs: 10 } })

  it("a band stays where a run has ended, and begins where one has begun", () => {
    const { deviation, mean, steps } = bandOf(
      [{ steps: [10], returns: [4] }, { steps: [20, 240], returns: [8, 8] }],
      240
    )
    assert.strictEqual(steps.length, 240)
    assert.isNaN(mean[8]!)
    assert.strictEqual(mean[9], 4)
    assert.strictEqual(mean[239], 6)
    assert.closeTo(deviation[239]!, Math.sqrt(8), 1e-12)
  })
})

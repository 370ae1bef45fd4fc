/** The distributions in float64: as PyTorch computes them, and what must hold of each. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { distributionOf, type DistributionSpec } from "../../../src/model/policy/DistributionSpec.ts"
import { applyMask } from "../../../src/model/policy/masks.ts"
import { Pcg64 } from "../../../src/random/Pcg64.ts"
import { approximately } from "../approximately.ts"
import { distributionsFile, nameOf, rowsOf, specOf } from "../distributionsFile.ts"

const specs: ReadonlyArray<DistributionSpec> = [
  { kind: "categorical", n: 3 },
  { kind: "multi-categorical", nvec: [2, 1, 4] },
  { kind: "bernoulli", n: 3 },
  { kind: "diagonal-gaussian", dims: 3 }
]
const Which = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: specs.length - 1 }))
const Seed = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))

/** A distribution with parameters of the size of 1, and an action drawn from it. */
const drawn = (which: number, seed: number) => {
  const distribution = distributionOf(specs[which]!)
  const random = Pcg64.fromSeed(seed)
  const parameters = Float64Array.from(
    { length: distribution.outputs + distribution.freeParameters },
    () => random.standardNormal()
  )
  const action = new Float64Array(distribution.action.width)
  distribution.sample(parameters, random, action)
  return { distribution, random, parameters, action }
}

describe.skipIf(distributionsFile === undefined)("recorded distributions", () => {
  it("there are cases", () => assert.isAbove(distributionsFile!.cases.length, 0))

  it.each((distributionsFile?.cases ?? []).map((given) => [nameOf(given), given] as const))(
    "%s is PyTorch's",
    (_, given) => {
      const distribution = distributionOf(specOf(given))
      for (const [k, row] of rowsOf(given).entries()) {
        const parameters = Float64Array.from(row.parameters)
        // Both are float64; digits are lost where large logits are taken from one another.
        const of = (what: string) => `row ${k}: ${what}`
        approximately([distribution.logProbability(parameters, row.action)], [row.logProbability], 1e-12, of("log p"))
        approximately([distribution.entropy(parameters)], [row.entropy], 1e-12, of("entropy"))
        const mode = new Float64Array(distribution.action.width)
        distribution.mode(parameters, mode)
        assert.deepStrictEqual(Array.from(mode), row.mode, of("mode"))
        const gradient = new Float64Array(parameters.length)
        distribution.gradient(parameters, row.action, row.dLogProbability, row.dEntropy, gradient)
        approximately(gradient, row.gradient, 1e-12, of("gradient"))
      }
    }
  )
})

describe("every distribution", () => {
  it.prop("its gradient agrees with finite differences", [Which, Seed], ([which, seed]) => {
    const { action, distribution, parameters } = drawn(which, seed)
    const gradient = new Float64Array(parameters.length)
    distribution.gradient(parameters, action, 0.7, -0.3, gradient)
    const value = (at: Float64Array) => 0.7 * distribution.logProbability(at, action) - 0.3 * distribution.entropy(at)
    const expected = parameters.map((_, k) => {
      const moved = (by: number) => value(parameters.map((x, at) => at === k ? x + by : x))
      return (moved(1e-6) - moved(-1e-6)) / 2e-6
    })
    approximately(gradient, expected, 1e-6, "gradient")
  })

  it.prop("the entropy is the mean of −log p over its own samples", [Which], ([which]) => {
    const { action, distribution, parameters, random } = drawn(which, 7)
    const draws = 20_000
    let sum = 0
    let squares = 0
    for (let n = 0; n < draws; n++) {
      distribution.sample(parameters, random, action)
      const surprise = -distribution.logProbability(parameters, action)
      sum += surprise
      squares += surprise * surprise
    }
    const mean = sum / draws
    const error = Math.sqrt(Math.max(0, squares / draws - mean * mean) / draws)
    assert.closeTo(mean, distribution.entropy(parameters), 5 * error + 1e-12)
  }, { arbitrary: { runs: 8 } })

  it("what a mask forbids is never taken, counts nothing and is pulled at by nothing", () => {
    const mask = [0, 1, 1, 1, 0, 1, 0]
    for (const spec of specs.slice(0, 3)) {
      const distribution = distributionOf(spec)
      const random = Pcg64.fromSeed(3)
      const parameters = Float64Array.from({ length: distribution.masks }, () => random.standardNormal())
      applyMask(parameters, mask)
      const action = new Int32Array(distribution.action.width)
      const gradient = new Float64Array(parameters.length)
      for (let n = 0; n < 200; n++) {
        distribution.sample(parameters, random, action)
        assert.isAbove(distribution.logProbability(parameters, action), -100)
        distribution.gradient(parameters, action, 1, 1, gradient)
        for (const [j, g] of gradient.entries()) {
          assert.isTrue(mask[j] === 1 ? Number.isFinite(g) : g === 0, `${j}: ${g}`)
        }
      }
      assert.isTrue(Number.isFinite(distribution.entropy(parameters)))
    }
  })

  it("normal numbers are normal", () => {
    const distribution = distributionOf({ kind: "diagonal-gaussian", dims: 3 })
    const random = Pcg64.fromSeed(1)
    const action = new Float64Array(3)
    const moments = [0, 0, 0, 0]
    const draws = 30_000
    for (let n = 0; n < draws; n++) {
      distribution.sample(Float64Array.of(0, 0, 0, 0, 0, 0), random, action)
      for (const x of action) moments.forEach((_, k) => moments[k]! += x ** (k + 1) / (3 * draws))
    }
    // Within five standard errors of 90 000 draws: those of the moments are 1, √2, √15 and √96.
    for (const [k, [expected, error]] of [[0, 1], [1, Math.SQRT2], [0, Math.sqrt(15)], [3, Math.sqrt(96)]].entries()) {
      assert.closeTo(moments[k]!, expected!, 5 * error! / 300)
    }
  })
})

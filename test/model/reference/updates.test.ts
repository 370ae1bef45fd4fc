/** Whole updates: that clipping and the learning rate reach the parameters; `learner.test.ts` compares with PyTorch. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { initialParameters } from "../../../src/model/initialize.ts"
import { gradientNorm, initialOptimizerState, rmsProp } from "../../../src/model/optimizers.ts"
import { ParameterLayout } from "../../../src/model/policy/ParameterLayout.ts"
import { type CategoricalMlp, categoricalMlp } from "../../../src/model/policy/PolicySpec.ts"
import { type Learning, updateOnRows } from "../../../src/model/reference/updates.ts"
import { Pcg64 } from "../../../src/random/Pcg64.ts"
import { approximately } from "../approximately.ts"

const network: CategoricalMlp = { towers: "separate", inputs: 3, actions: 2, hidden: [8], activation: "tanh" }
const layout = new ParameterLayout(categoricalMlp(network))
const rows = 6

const experience = (seed: number) => {
  const random = Pcg64.fromSeed(seed)
  const normals = (length: number) => Float64Array.from({ length }, () => random.standardNormal())
  return {
    observations: normals(rows * network.inputs),
    actions: Int32Array.from({ length: rows }, () => random.integers(0, network.actions)),
    returns: normals(rows),
    advantages: normals(rows)
  }
}
const fresh = (): Learning => ({
  layout,
  parameters: Float64Array.from(initialParameters(categoricalMlp(network), "orthogonal", Pcg64.fromSeed(1))),
  optimizer: rmsProp,
  state: initialOptimizerState(rmsProp, layout.size)
})
const coefficients = { name: "a2c", valueCoefficient: 0.5, entropyCoefficient: 0.01 } as const
const Seed = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))

describe("updateOnRows", () => {
  it.prop("clips the gradient it applies, and reports the norm before", [Seed], ([seed]) => {
    const free = updateOnRows(fresh(), experience(seed), coefficients, { learningRate: 0.01 })
    assert.strictEqual(free.gradientNorm, gradientNorm(free.gradients))
    const bound = free.gradientNorm / 2
    const bounded = updateOnRows(fresh(), experience(seed), coefficients, { learningRate: 0.01, maxGradNorm: bound })
    assert.strictEqual(bounded.gradientNorm, free.gradientNorm)
    approximately([gradientNorm(bounded.gradients)], [bound], 1e-5, "norm")
    const loose = updateOnRows(fresh(), experience(seed), coefficients, { learningRate: 0.01, maxGradNorm: 4 * bound })
    assert.deepStrictEqual(loose.gradients, free.gradients)
  })

  it.prop("many small updates on one batch lower its loss", [Seed], ([seed]) => {
    const learning = fresh()
    const update = () => updateOnRows(learning, experience(seed), coefficients, { learningRate: 1e-3 }).terms.loss
    const before = update()
    for (let n = 0; n < 50; n++) update()
    assert.isBelow(update(), before)
  }, { arbitrary: { runs: 20 } })
})

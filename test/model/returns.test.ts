/** The returns against sums written out from their definitions (`returns.json`), and their calling convention. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import {
  generalizedAdvantages,
  monteCarloReturns,
  normalize,
  nStepReturns,
  type ReturnSteps,
  vTrace
} from "../../src/model/returns.ts"
import { approximately } from "./approximately.ts"
import { recorded } from "./recorded.ts"

const Numbers = Schema.Array(Schema.Finite)
const Flags = Schema.Array(Schema.Boolean)
const ReturnsFile = Schema.Struct({
  cases: Schema.Array(Schema.Struct({
    rewards: Numbers,
    values: Numbers,
    next_values: Numbers,
    terminated: Flags,
    truncated: Flags,
    log_rhos: Numbers,
    gamma: Schema.Finite,
    lambda: Schema.Finite,
    rho_bar: Schema.Finite,
    c_bar: Schema.Finite,
    expected: Schema.Struct({
      monte_carlo: Numbers,
      n_step: Numbers,
      gae: Numbers,
      gae_returns: Numbers,
      vtrace_targets: Numbers,
      vtrace_advantages: Numbers,
      n_step_normalised: Numbers,
      monte_carlo_normalised: Numbers,
      gae_normalised: Numbers
    })
  }))
})

const file = recorded("returns.json", ReturnsFile)

/** Sums in another order: some units in the last place of the largest term. */
const tolerance = 1e-9
/** Division by a deviation that may be small magnifies the same error. */
const normalizedTolerance = 1e-7

describe.skipIf(file === undefined)("recorded returns", () => {
  const cases = file?.cases ?? []

  it("there are cases", () => assert.isAbove(cases.length, 0))

  it.each(cases.map((recordedCase, index) => ({ recordedCase, index })))("case $index", ({ recordedCase: c }) => {
    const steps: ReturnSteps = {
      rewards: Float64Array.from(c.rewards),
      values: Float64Array.from(c.values),
      nextValues: Float64Array.from(c.next_values),
      terminated: Uint8Array.from(c.terminated, Number),
      truncated: Uint8Array.from(c.truncated, Number)
    }
    const first = new Float64Array(c.rewards.length)
    const second = new Float64Array(c.rewards.length)

    monteCarloReturns(first, steps, c.gamma)
    approximately(first, c.expected.monte_carlo, tolerance, "monte_carlo")
    normalize(second, first)
    approximately(second, c.expected.monte_carlo_normalised, normalizedTolerance, "monte_carlo_normalised")

    nStepReturns(first, steps, c.gamma)
    approximately(first, c.expected.n_step, tolerance, "n_step")
    normalize(second, first)
    approximately(second, c.expected.n_step_normalised, normalizedTolerance, "n_step_normalised")

    generalizedAdvantages(first, second, steps, c.gamma, c.lambda)
    approximately(first, c.expected.gae, tolerance, "gae")
    approximately(second, c.expected.gae_returns, tolerance, "gae_returns")
    normalize(first, first)
    approximately(first, c.expected.gae_normalised, normalizedTolerance, "gae_normalised")

    vTrace(first, second, steps, Float64Array.from(c.log_rhos), c.gamma, c.rho_bar, c.c_bar)
    approximately(first, c.expected.vtrace_targets, tolerance, "vtrace_targets")
    approximately(second, c.expected.vtrace_advantages, tolerance, "vtrace_advantages")
  })
})

/** Three steps of one unfinished episode. */
const three = (over: Partial<ReturnSteps> = {}): ReturnSteps => ({
  rewards: Float64Array.of(1, 2, 3),
  values: Float64Array.of(10, 20, 30),
  nextValues: Float64Array.of(20, 30, 40),
  terminated: Uint8Array.of(0, 0, 0),
  truncated: Uint8Array.of(0, 0, 0),
  ...over
})
/** Each kind of returns in turn, with γ = λ = 1/2 and equal policies. */
const results = (steps: ReturnSteps) => {
  const arrays = Array.from({ length: 6 }, () => new Float64Array(steps.rewards.length))
  monteCarloReturns(arrays[0]!, steps, 0.5)
  nStepReturns(arrays[1]!, steps, 0.5)
  generalizedAdvantages(arrays[2]!, arrays[3]!, steps, 0.5, 0.5)
  vTrace(arrays[4]!, arrays[5]!, steps, new Float64Array(steps.rewards.length), 0.5, 1, 1)
  return arrays.map((array) => [...array])
}

describe("returns", () => {
  it("worked by hand", () => {
    const [monteCarlo, nStep, advantages, returns] = results(three())
    assert.deepStrictEqual(monteCarlo, [2.75, 3.5, 3])
    assert.deepStrictEqual(nStep, [7.75, 13.5, 23])
    // δ = 1, −3, −7
    assert.deepStrictEqual(advantages, [-0.1875, -4.75, -7])
    assert.deepStrictEqual(returns, [9.8125, 15.25, 23])
  })

  it("a step both terminated and truncated is a terminated one", () => {
    const terminated = Uint8Array.of(0, 1, 0)
    assert.deepStrictEqual(results(three({ terminated, truncated: terminated })), results(three({ terminated })))
  })

  it("the value after a terminated step is not read: NaN there does no harm", () => {
    const terminated = Uint8Array.of(0, 1, 1)
    assert.deepStrictEqual(
      results(three({ terminated, nextValues: Float64Array.of(20, NaN, NaN) })),
      results(three({ terminated }))
    )
  })

  it("normalizing a constant gives zeros", () => {
    const out = new Float64Array(3).fill(9)
    normalize(out, Float64Array.of(4, 4, 4))
    assert.deepStrictEqual([...out], [0, 0, 0])
  })

  it("nothing to do is nothing done", () => {
    const out = Float64Array.of(9)
    nStepReturns(out, three(), 0.5, 0, 0)
    normalize(out, out, 0, 0)
    assert.deepStrictEqual([...out], [9])
  })
})

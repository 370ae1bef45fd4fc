/** The kernels' losses against the float64 ones: derivatives, and the sums that reports are made from. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import type { DifferentiateJob } from "../../../src/model/kernels/jobs.ts"
import { Statistic } from "../../../src/model/losses/Loss.ts"
import { entropy, logSoftmax } from "../../../src/model/policy/categorical.ts"
import type { CategoricalMlp } from "../../../src/model/policy/PolicySpec.ts"
import { lossAlongFragment, lossOfRows, outputGradients } from "../../../src/model/reference/losses.ts"
import { Pcg64 } from "../../../src/random/Pcg64.ts"
import { approximately } from "../approximately.ts"
import { bits, blank, makeBed, Rows, Seed } from "./bed.ts"

/** Derivatives are a few float32 operations from float32 logits; log p of a rare action is as exact as its logit. */
const tolerance = 2e-6

const Case = Schema.Struct({
  rows: Rows,
  actions: Schema.Literals([1, 2, 3, 4, 5, 9]),
  seed: Seed,
  /** Size of the logits: from near-uniform to near-certain policies. */
  spread: Schema.Literals([0, 0.1, 2, 10]),
  value: Schema.Literals([0.25, 0.5, 1]),
  bonus: Schema.Literals([0, 0.01, 0.1])
})

const setUp = ({ actions, rows, seed, spread }: typeof Case.Type, extra: number) => {
  const bed = makeBed(1_000_000)
  const random = Pcg64.fromSeed(seed)
  const draw = (length: number, bound: number) =>
    bed.floats(Float32Array.from({ length }, () => random.uniform(-bound, bound)))
  const spec: CategoricalMlp = { towers: "separate", inputs: 1, actions, hidden: [], activation: "relu" }
  return {
    ...bed,
    net: bed.network(spec),
    work: bed.workspace(spec, rows + extra),
    params: bed.floats(2 * actions + 2),
    gradients: bed.floats(2 * actions + 2),
    draw,
    logits: draw((rows + extra) * actions, spread),
    values: draw(rows + extra, 2),
    taken: bed.ints(Array.from({ length: rows }, () => random.integers(0, actions))),
    dLogits: draw((rows + extra) * actions, 9),
    dValues: draw(rows + extra, 9),
    sums: bed.statistics()
  }
}

type Setting = ReturnType<typeof setUp>

/** The derivatives of a loss of rows `from` on, into `s` or elsewhere. */
const differentiate = (
  s: Setting,
  job: Pick<DifferentiateJob, "loss" | "rows"> & Partial<DifferentiateJob>
) =>
  s.kernels.differentiate({
    ...blank,
    policy: s.net,
    parameters: s.params.at,
    workspace: s.work,
    scale: 1 / job.rows,
    outputs: s.logits.at,
    values: s.values.at,
    actions: s.taken.at,
    dOutputs: s.dLogits.at,
    dValues: s.dValues.at,
    gradients: s.gradients.at,
    statistics: s.sums.at,
    ...job
  })

const a2c = (s: Setting, advantages: number, returns: number, rows: number, coefficients: readonly [number, number]) =>
  differentiate(s, {
    loss: { name: "a2c", valueCoefficient: coefficients[0], entropyCoefficient: coefficients[1] },
    rows,
    advantages,
    returns
  })

const doubles = (view: Float32Array) => Float64Array.from(view)

describe("the losses of the kernels", () => {
  it.prop("A2C is the float64 one's", [Case], ([given]) => {
    const { actions, rows } = given
    const s = setUp(given, 0)
    const advantages = s.draw(rows, 3)
    const returns = s.draw(rows, 3)
    a2c(s, advantages.at, returns.at, rows, [given.value, given.bonus])
    const expected = outputGradients({ kind: "categorical", n: actions }, rows)
    const terms = lossOfRows(
      { kind: "categorical", n: actions },
      { name: "a2c", valueCoefficient: given.value, entropyCoefficient: given.bonus },
      {
        outputs: doubles(s.logits.view),
        values: doubles(s.values.view),
        actions: s.taken.view,
        returns: doubles(returns.view),
        advantages: doubles(advantages.view)
      },
      expected
    )
    approximately(s.dLogits.view, expected.outputs, tolerance, "derivative by the logits")
    approximately(s.dValues.view, expected.values, tolerance, "derivative by the values")
    const sums = s.sums.view
    approximately([sums[Statistic.policyLoss]! / rows], [terms.policyLoss], 1e-5, "policy loss")
    approximately([sums[Statistic.valueLoss]! / rows], [terms.valueLoss], 1e-12, "value loss")
    approximately([sums[Statistic.entropy]! / rows], [terms.entropy], 1e-5, "entropy")
    assert.strictEqual(sums[Statistic.rows], rows)
    const total = (f: (row: number) => number) =>
      Array.from({ length: rows }, (_, row) => f(row)).reduce((a, b) => a + b)
    const target = (row: number) => returns.view[row]!
    const error = (row: number) => target(row) - s.values.view[row]!
    approximately(
      [sums[Statistic.target]!, sums[Statistic.targetSquared]!, sums[Statistic.error]!],
      [total(target), total((row) => target(row) * target(row)), total(error)],
      1e-12,
      "targets and errors"
    )
  })

  it.prop("TD is the float64 one's, through the bootstrap or not", [Case, Schema.Boolean, Schema.Boolean], (drawn) => {
    const [given, terminated, through] = drawn
    const { actions, rows } = given
    const s = setUp(given, 1)
    const rewards = s.draw(rows, 2)
    differentiate(s, {
      loss: { name: "td", gamma: 0.9, detachBootstrap: !through, valueCoefficient: 1, entropyCoefficient: 0 },
      rows,
      returns: rewards.at,
      terminated
    })
    const expected = outputGradients({ kind: "categorical", n: actions }, rows + 1)
    const terms = lossAlongFragment(
      { kind: "categorical", n: actions },
      { name: "td", gamma: 0.9, detachBootstrap: !through, valueCoefficient: 1, entropyCoefficient: 0 },
      {
        outputs: doubles(s.logits.view),
        values: doubles(s.values.view),
        actions: s.taken.view,
        rewards: doubles(rewards.view),
        terminated
      },
      expected
    )
    approximately(s.dLogits.view, expected.outputs, tolerance, "derivative by the logits")
    approximately(s.dValues.view, expected.values, tolerance, "derivative by the values")
    approximately([s.sums.view[Statistic.policyLoss]! / rows], [terms.policyLoss], 1e-5, "policy loss")
    approximately([s.sums.view[Statistic.valueLoss]! / rows], [terms.valueLoss], 1e-12, "value loss")
  })

  it.prop("a row's derivative is the same bits alone and among others", [Case], ([given]) => {
    const { actions, rows } = given
    const s = setUp(given, 0)
    const advantages = s.draw(rows, 3)
    const returns = s.draw(rows, 3)
    const loss = (row: number, count: number, dLogits: number, dValues: number) =>
      differentiate(s, {
        loss: { name: "a2c", valueCoefficient: 0.5, entropyCoefficient: 0.01 },
        rows: count,
        scale: 0.125,
        outputs: s.logits.at + row * actions * 4,
        actions: s.taken.at + row * 4,
        values: s.values.at + row * 4,
        advantages: advantages.at + row * 4,
        returns: returns.at + row * 4,
        dOutputs: dLogits,
        dValues
      })
    loss(0, rows, s.dLogits.at, s.dValues.at)
    const one = { dLogits: s.floats(actions), dValue: s.floats(1) }
    for (let row = 0; row < rows; row++) {
      loss(row, 1, one.dLogits.at, one.dValue.at)
      assert.deepStrictEqual(bits(one.dLogits.view), bits(s.dLogits.view.slice(row * actions, (row + 1) * actions)))
      assert.deepStrictEqual(bits(one.dValue.view), bits(s.dValues.view.slice(row, row + 1)))
    }
  })

  it("adds to the statistics", () => {
    const given = { rows: 5, actions: 2, seed: 1, spread: 2, value: 0.5, bonus: 0.01 } as const
    const s = setUp(given, 0)
    const returns = s.draw(5, 3)
    a2c(s, returns.at, returns.at, 5, [0.5, 0.01])
    const once = s.sums.view.slice()
    a2c(s, returns.at, returns.at, 5, [0.5, 0.01])
    approximately(s.sums.view, once.map((sum) => 2 * sum), 1e-12, "twice")
    const logP = new Float64Array(2)
    let logProbability = 0
    let uncertainty = 0
    for (let row = 0; row < 5; row++) {
      logSoftmax(logP, doubles(s.logits.view.subarray(2 * row, 2 * row + 2)))
      logProbability += logP[s.taken.view[row]!]!
      uncertainty += entropy(logP)
    }
    approximately([once[Statistic.logProbability]!], [logProbability], 1e-6, "log p")
    approximately([once[Statistic.entropy]!], [uncertainty], 1e-6, "entropy")
  })

  it("an action that is never taken pulls at nothing", () => {
    const given = { rows: 1, actions: 3, seed: 1, spread: 2, value: 0.5, bonus: 0.01 } as const
    const s = setUp(given, 0)
    s.logits.view.set([0.5, -Infinity, 0.25])
    s.taken.view[0] = 2
    const drawn = s.draw(1, 3)
    a2c(s, drawn.at, drawn.at, 1, [0.5, 0.01])
    assert.isTrue(s.dLogits.view.every(Number.isFinite))
    assert.strictEqual(s.dLogits.view[1], 0)
    assert.isTrue(s.sums.view.every(Number.isFinite))
  })
})

/** The losses by hand and against their own finite differences; `reference/learner.test.ts` holds them to PyTorch. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { lossAlongFragment, type LossBatch, lossOfRows } from "../../src/model/reference/losses.ts"
import { approximately } from "./approximately.ts"
import { spread } from "./spread.ts"

const Real = spread(-5, 5)
const whole = (minimum: number, maximum: number) =>
  Arbitrary.schema(Schema.Int.check(Schema.isBetween({ minimum, maximum })))

const actions = 3
const Row = Arbitrary.all({
  logits: Arbitrary.array(Real, { minLength: actions, maxLength: actions }),
  value: Real,
  action: whole(0, actions - 1),
  target: Real,
  advantage: Real
})
type Row = typeof Row extends Arbitrary.Arbitrary<infer A> ? A : never
const rows = (minLength: number) => Arbitrary.array(Row, { minLength, maxLength: 5 })

const arrays = (drawn: ReadonlyArray<Row>) => ({
  outputs: Float64Array.from(drawn.flatMap((row) => row.logits)),
  values: Float64Array.from(drawn, (row) => row.value),
  actions: Int32Array.from(drawn, (row) => row.action),
  targets: Float64Array.from(drawn, (row) => row.target),
  advantages: Float64Array.from(drawn, (row) => row.advantage)
})
const gradientsOf = (n: number) => ({
  outputs: new Float64Array(n * actions).fill(9),
  values: new Float64Array(n).fill(9),
  free: new Float64Array(0)
})

/** Central differences of `f` at `x`. */
const differences = (x: Float64Array, f: (at: Float64Array) => number) =>
  x.map((_, k) => {
    const moved = (by: number) => f(x.map((value, at) => at === k ? value + by : value))
    return (moved(1e-5) - moved(-1e-5)) / 2e-5
  })

const distribution = { kind: "categorical", n: actions } as const
const settings = { name: "a2c", valueCoefficient: 0.7, entropyCoefficient: 0.2 } as const

describe("the loss of advantage actor-critic", () => {
  it("worked by hand: two rows, equal logits", () => {
    const gradients = { outputs: new Float64Array(4), values: new Float64Array(2), free: new Float64Array(0) }
    const terms = lossOfRows(
      { kind: "categorical", n: 2 },
      { name: "a2c", valueCoefficient: 0.5, entropyCoefficient: 0.1 },
      {
        outputs: Float64Array.of(0, 0, 1, 1),
        values: Float64Array.of(1, 2),
        actions: Int32Array.of(0, 1),
        returns: Float64Array.of(3, 1)
      },
      gradients
    )
    const log2 = Math.log(2)
    approximately([terms.policyLoss], [log2 * (2 - 1) / 2], 1e-12, "policy")
    approximately([terms.valueLoss], [(4 + 1) / 2], 1e-12, "value")
    approximately([terms.entropy], [log2], 1e-12, "entropy")
    approximately([terms.loss], [log2 / 2 + 0.5 * 2.5 - 0.1 * log2], 1e-12, "loss")
    approximately(gradients.outputs, [-0.5, 0.5, -0.25, 0.25], 1e-12, "logits")
    approximately(gradients.values, [-1, 0.5], 1e-12, "values")
  })

  it.prop("its derivative agrees with finite differences", [rows(1)], ([drawn]) => {
    const { actions, advantages, outputs, targets, values } = arrays(drawn)
    const batch = { outputs, values, actions, advantages, returns: targets }
    const loss = (over: Partial<LossBatch>) =>
      lossOfRows(distribution, settings, { ...batch, ...over }, gradientsOf(drawn.length)).loss
    const gradients = gradientsOf(drawn.length)
    lossOfRows(distribution, settings, batch, gradients)
    approximately(gradients.outputs, differences(outputs, (at) => loss({ outputs: at })), 1e-7, "logits")
    approximately(gradients.values, differences(values, (at) => loss({ values: at })), 1e-7, "values")
  })

  it.prop("without advantages they are returns − values", [rows(1)], ([drawn]) => {
    const { actions, outputs, targets, values } = arrays(drawn)
    const batch = { outputs, values, actions, returns: targets }
    const [implied, given] = [gradientsOf(drawn.length), gradientsOf(drawn.length)]
    const advantages = targets.map((target, row) => target - values[row]!)
    assert.deepStrictEqual(
      lossOfRows(distribution, settings, batch, implied),
      lossOfRows(distribution, settings, { ...batch, advantages }, given)
    )
    assert.deepStrictEqual(implied, given)
  })

  it.prop("the gradient of a row's logits sums to 0", [rows(1)], ([drawn]) => {
    const { actions: taken, advantages, outputs, targets, values } = arrays(drawn)
    const gradients = gradientsOf(drawn.length)
    lossOfRows(distribution, settings, { outputs, values, actions: taken, advantages, returns: targets }, gradients)
    for (let row = 0; row < drawn.length; row++) {
      const sum = gradients.outputs.slice(row * actions, (row + 1) * actions).reduce((total, g) => total + g, 0)
      approximately([sum], [0], 1e-12, "sum")
    }
  })
})

/** The TD loss of drawn rows, the last of which is what follows; `values` replaces theirs. */
const lossOf = (
  drawn: ReadonlyArray<Row>,
  options: { readonly terminated: boolean; readonly detachBootstrap: boolean },
  values?: Float64Array
) => {
  const all = arrays(drawn)
  const n = drawn.length - 1
  const gradients = gradientsOf(n + 1)
  const batch = {
    outputs: all.outputs,
    values: values ?? all.values,
    actions: all.actions.slice(0, n),
    rewards: all.targets.slice(0, n)
  }
  const { detachBootstrap, terminated } = options
  const td = { name: "td", gamma: 0.9, detachBootstrap, valueCoefficient: 1, entropyCoefficient: 0 } as const
  const terms = lossAlongFragment(distribution, td, { ...batch, terminated }, gradients)
  return { ...terms, gradients, values: all.values }
}

describe("the loss of temporal differences", () => {
  it.prop(
    "its derivative through both values agrees with finite differences",
    [rows(2), Schema.Boolean],
    ([drawn, terminated]) => {
      const options = { terminated, detachBootstrap: false }
      const { gradients, values } = lossOf(drawn, options)
      const expected = differences(values, (at) => lossOf(drawn, options, at).valueLoss)
      approximately(gradients.values, expected, 1e-7, "values")
    }
  )

  it.prop("the semi-gradient leaves the bootstrap out", [rows(2)], ([drawn]) => {
    const { gradients, values } = lossOf(drawn, { terminated: false, detachBootstrap: true })
    const n = drawn.length - 1
    const expected = drawn.map((row, t) => t === n ? 0 : -2 * (row.target + 0.9 * values[t + 1]! - values[t]!) / n)
    approximately(gradients.values, expected, 1e-12, "values")
  })

  it.prop(
    "after a terminated step the last value counts 0, and what follows gets no gradient",
    [rows(2)],
    ([drawn]) => {
      const options = { terminated: true, detachBootstrap: false }
      const { gradients, loss: terminated, values } = lossOf(drawn, options)
      const n = drawn.length - 1
      assert.strictEqual(gradients.values[n], 0)
      assert.deepStrictEqual(gradients.outputs.slice(n * actions), new Float64Array(actions))
      const nothing = values.map((value, t) => t === n ? 0 : value)
      approximately([terminated], [lossOf(drawn, { ...options, terminated: false }, nothing).loss], 1e-12, "loss")
      const ignored = values.map((value, t) => t === n ? NaN : value)
      assert.strictEqual(lossOf(drawn, options, ignored).loss, terminated)
    }
  )

  it.prop("its policy term is A2C's with δ for advantage", [rows(2)], ([drawn]) => {
    const { gradients, policyLoss, values } = lossOf(drawn, { terminated: false, detachBootstrap: false })
    const n = drawn.length - 1
    const all = arrays(drawn.slice(0, n))
    const advantages = all.targets.map((reward, t) => reward + 0.9 * values[t + 1]! - values[t]!)
    const expected = gradientsOf(n)
    const batch = { outputs: all.outputs, values: all.values, actions: all.actions, returns: all.values, advantages }
    const terms = lossOfRows(
      distribution,
      { name: "a2c", valueCoefficient: 1, entropyCoefficient: 0 },
      batch,
      expected
    )
    approximately([policyLoss], [terms.policyLoss], 1e-12, "loss")
    approximately(gradients.outputs.slice(0, n * actions), expected.outputs, 1e-12, "logits")
  })
})

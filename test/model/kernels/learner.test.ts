/**
 * The notebooks' updates as PyTorch made them in float64 (`learner.json`), on the kernels in float32.
 *
 * Gradients within 1e-5 and losses within 1e-5 (float32 has 6e-8, summed over the batch). Weights after Adam within a
 * twentieth of a learning rate a step: Adam divides the gradient by its own size, so that the rounding of a very small
 * gradient shows in full.
 */
import { assert, describe, it } from "@effect/vitest"
import { Statistic } from "../../../src/model/losses/Loss.ts"
import { approximately } from "../approximately.ts"
import { flatten, layoutOf, type LearnerCase, learnerFile, sizesOf } from "../learnerFile.ts"
import { blank, makeBed } from "./bed.ts"

/** The common part: the case's network in memory, and Adam on it. */
const setUp = (learnerCase: LearnerCase) => {
  const bed = makeBed()
  const layout = layoutOf(learnerCase)
  const params = bed.floats(flatten(layout, learnerCase.initial))
  const gradients = bed.floats(layout.size)
  const m = bed.floats(layout.size)
  const v = bed.floats(layout.size)
  const { beta1, beta2, epsilon } = learnerCase.adam
  let product1 = 1
  let product2 = 1
  const step = () => {
    product1 *= beta1
    product2 *= beta2
    bed.kernels.adam(
      params.at,
      params.at,
      gradients.at,
      m.at,
      m.at,
      v.at,
      v.at,
      layout.size,
      1,
      learnerCase.learning_rate,
      beta1,
      beta2,
      epsilon,
      1 - product1,
      1 - product2
    )
  }
  const rows = learnerCase.actions.length
  return {
    ...bed,
    layout,
    net: bed.network(sizesOf(learnerCase)),
    params,
    gradients,
    step,
    rows,
    observations: bed.floats(learnerCase.observations.flat()),
    actions: bed.ints(learnerCase.actions),
    work: bed.workspace(sizesOf(learnerCase), rows + 1)
  }
}

const compare = (learnerCase: LearnerCase, s: ReturnType<typeof setUp>, update: number, sums: Float64Array) => {
  const expected = learnerCase.updates[update]!
  approximately([sums[Statistic.policyLoss]! / s.rows], [expected.policy_loss], 1e-5, "policy loss")
  approximately([sums[Statistic.valueLoss]! / s.rows], [expected.value_loss], 1e-5, "value loss")
  if (expected.entropy !== undefined) {
    approximately([sums[Statistic.entropy]! / s.rows], [expected.entropy], 1e-5, "entropy")
  }
  if (expected.gradients !== undefined) {
    approximately(s.gradients.view, flatten(s.layout, expected.gradients), 1e-5, `gradients of update ${update + 1}`)
  }
  s.step()
  if (expected.after !== undefined) {
    const bound = learnerCase.learning_rate * 0.05 * (update + 1)
    approximately(s.params.view, flatten(s.layout, expected.after), bound, `weights after update ${update + 1}`)
  }
}

describe("the notebooks' updates on the kernels", () => {
  for (const learnerCase of learnerFile?.cases.filter(({ kind }) => kind === "separate") ?? []) {
    it("notebook 000: separate networks, advantage return − value", () => {
      const s = setUp(learnerCase)
      const returns = s.floats(learnerCase.returns)
      const logits = s.floats(s.rows * sizesOf(learnerCase).actions)
      const values = s.floats(s.rows)
      const advantages = s.floats(s.rows)
      learnerCase.updates.forEach((_, update) => {
        const sums = s.statistics()
        s.kernels.forward(s.net, s.params.at, s.observations.at, s.rows, s.work, logits.at, values.at, 0)
        advantages.view.set(returns.view.map((value, row) => value - values.view[row]!))
        s.kernels.gradients({
          ...blank,
          policy: s.net,
          parameters: s.params.at,
          workspace: s.work,
          rows: s.rows,
          observations: s.observations.at,
          actions: s.actions.at,
          advantages: advantages.at,
          returns: returns.at,
          loss: { name: "a2c", valueCoefficient: 0.5, entropyCoefficient: learnerFile!.entropy_coef },
          scale: 1 / s.rows,
          gradients: s.gradients.at,
          statistics: sums.at
        })
        compare(learnerCase, s, update, sums.view)
      })
    })
  }

  for (const learnerCase of learnerFile?.cases.filter(({ kind }) => kind === "shared") ?? []) {
    it("notebook 002: a shared trunk, temporal differences through both values", () => {
      const s = setUp(learnerCase)
      const rewards = s.floats(learnerCase.rewards)
      const rows = s.rows + 1
      const logits = s.floats(rows * sizesOf(learnerCase).actions)
      const dLogits = s.floats(rows * sizesOf(learnerCase).actions)
      const values = s.floats(rows)
      const dValues = s.floats(rows)
      learnerCase.updates.forEach((_, update) => {
        const sums = s.statistics()
        s.kernels.forward(s.net, s.params.at, s.observations.at, rows, s.work, logits.at, values.at, 0)
        s.kernels.differentiate({
          ...blank,
          policy: s.net,
          parameters: s.params.at,
          workspace: s.work,
          rows: s.rows,
          outputs: logits.at,
          values: values.at,
          actions: s.actions.at,
          returns: rewards.at,
          loss: {
            name: "td",
            gamma: learnerFile!.gamma,
            detachBootstrap: false,
            valueCoefficient: 1,
            entropyCoefficient: 0
          },
          scale: 1 / s.rows,
          terminated: true,
          dOutputs: dLogits.at,
          dValues: dValues.at,
          gradients: s.gradients.at,
          statistics: sums.at
        })
        s.kernels.backward(
          s.net,
          s.params.at,
          s.observations.at,
          rows,
          s.work,
          dLogits.at,
          dValues.at,
          s.gradients.at,
          0
        )
        compare(learnerCase, s, update, sums.view)
      })
    })
  }

  it("compares something, where the file is there", () => {
    if (learnerFile !== undefined) assert.isAbove(learnerFile.cases.flatMap(({ updates }) => updates).length, 0)
  })
})

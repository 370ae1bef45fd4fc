/** Loss, gradients and weights after Adam's updates, as PyTorch computed them in float64 (`learner.json`). */
import { assert, describe, it } from "@effect/vitest"
import { initialOptimizerState } from "../../../src/model/optimizers.ts"
import { type Learning, type Update, updateAlongFragment, updateOnRows } from "../../../src/model/reference/updates.ts"
import { approximately } from "../approximately.ts"
import { flatten, layoutOf, type LearnerCase, learnerFile } from "../learnerFile.ts"

/** Both sides are float64 and differ in the order of their sums only. */
const tolerance = 1e-12
/** Adam divides by √v: where a gradient is close to its own rounding error, that error grows. */
const parameterTolerance = 1e-9

const notebooks = (learnerCase: LearnerCase, file: NonNullable<typeof learnerFile>) => {
  const layout = layoutOf(learnerCase)
  const optimizer = { kind: "adam", ...learnerCase.adam } as const
  const learning: Learning = {
    layout,
    parameters: flatten(layout, learnerCase.initial),
    optimizer,
    state: initialOptimizerState(optimizer, layout.size)
  }
  const steps = learnerCase.actions.length
  const actions = Int32Array.from(learnerCase.actions)
  const rows = (count: number) => Float64Array.from(learnerCase.observations.slice(0, count).flat())
  const size = { learningRate: learnerCase.learning_rate }
  const update: () => Update = learnerCase.kind === "separate"
    // Notebook 000: the advantage is return − value.
    ? () =>
      updateOnRows(
        learning,
        { observations: rows(steps), actions, returns: Float64Array.from(learnerCase.returns) },
        { name: "a2c", valueCoefficient: 0.5, entropyCoefficient: file.entropy_coef },
        size
      )
    // Notebook 002: an episode that ended, and a gradient that flows through both values.
    : () =>
      updateAlongFragment(
        learning,
        { observations: rows(steps + 1), actions, rewards: Float64Array.from(learnerCase.rewards), terminated: true },
        { name: "td", gamma: file.gamma, detachBootstrap: false, valueCoefficient: 1, entropyCoefficient: 0 },
        size
      )
  return { layout, learning, update }
}

describe.skipIf(learnerFile === undefined)("recorded learner", () => {
  it("there are cases", () => assert.isAbove(learnerFile!.cases.length, 0))

  it.each(learnerFile?.cases.map((learnerCase, index) => ({ index, kind: learnerCase.kind, learnerCase })) ?? [])(
    "case $index ($kind): every update",
    ({ learnerCase }) => {
      const { layout, learning, update } = notebooks(learnerCase, learnerFile!)
      assert.isAbove(learnerCase.updates.length, 0)
      for (const expected of learnerCase.updates) {
        const actual = update()
        const { loss, policyLoss, valueLoss } = actual.terms
        approximately([loss], [expected.loss], tolerance, "loss")
        approximately([policyLoss], [expected.policy_loss], tolerance, "policy loss")
        approximately([valueLoss], [expected.value_loss], tolerance, "value loss")
        if (expected.entropy !== undefined) {
          approximately([actual.terms.entropy], [expected.entropy], tolerance, "entropy")
        }
        if (expected.gradients) {
          approximately(actual.gradients, flatten(layout, expected.gradients), tolerance, "gradients")
        }
        if (expected.after) {
          approximately(learning.parameters, flatten(layout, expected.after), parameterTolerance, "weights after")
        }
      }
    }
  )
})

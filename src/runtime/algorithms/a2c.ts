/**
 * Advantage actor-critic, in step: A3C's update (Mnih et al. 2016, "Asynchronous Methods for Deep Reinforcement
 * Learning", algorithm S3) on the experience of all environments at once, as notebook 000 does it on Ray: the Learner takes
 * one step on all of it.
 */
import type { Algorithm } from "./Algorithm.ts"
import { inStep } from "./inStep.ts"

export const a2c: Algorithm<"a2c"> = {
  plan: ({ entCoef, nEpochs, normalizeAdvantage, vfCoef }) => ({
    loss: () => ({ name: "a2c", valueCoefficient: vfCoef, entropyCoefficient: entCoef }),
    scheduled: false,
    epochs: nEpochs,
    minibatches: 1,
    normalizeAdvantage
  }),
  loop: inStep
}

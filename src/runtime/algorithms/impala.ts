/**
 * Importance weighted actor-learner architectures (Espeholt et al. 2018): every EnvWorker goes at its own pace, as in A3C,
 * but ships its experience, and the Learner corrects for the weights being newer than those that acted: V-trace.
 */
import type { Algorithm } from "./Algorithm.ts"
import { atOwnPace } from "./atOwnPace.ts"

export const impala: Algorithm<"impala"> = {
  plan: ({ clipCThreshold, clipRhoThreshold, entCoef, gamma, nEpochs, normalizeAdvantage, vfCoef }) => ({
    // The ratios are in the advantages already, which are constants: what is left is the policy gradient.
    loss: () => ({ name: "a2c", valueCoefficient: vfCoef, entropyCoefficient: entCoef }),
    scheduled: false,
    epochs: nEpochs,
    minibatches: 1,
    normalizeAdvantage,
    vTrace: { gamma, rhoBar: clipRhoThreshold, cBar: clipCThreshold }
  }),
  loop: atOwnPace
}

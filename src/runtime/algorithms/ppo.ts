/**
 * Proximal policy optimization (Schulman et al. 2017): in step, as A2C, but the Learner goes over the experience several
 * times, in minibatches, and the clipped surrogate keeps the policy near the one that acted.
 */
import type { Algorithm } from "./Algorithm.ts"
import { inStep } from "./inStep.ts"

export const ppo: Algorithm<"ppo"> = {
  plan: (settings) => {
    const { batchSize, clipRange, clipRangeVf, entCoef, nEnvs, nEpochs, nSteps, targetKl, vfCoef } = settings
    const scheduled = settings.clipSchedule !== "constant" || settings.entSchedule !== "constant"
    const along = (schedule: "constant" | "linear", progress: number): number =>
      schedule === "linear" ? 1 - progress : 1
    return {
      loss: (progress) => ({
        name: "ppo",
        // At the end of a linear schedule nothing pays off any more; a range of 0 is none.
        clipRange: Math.max(Number.MIN_VALUE, clipRange * along(settings.clipSchedule, progress)),
        valueClipRange: clipRangeVf === "none" ? null : clipRangeVf,
        valueCoefficient: vfCoef,
        entropyCoefficient: entCoef * along(settings.entSchedule, progress)
      }),
      scheduled,
      epochs: nEpochs,
      minibatches: nEnvs * nSteps / batchSize,
      normalizeAdvantage: settings.normalizeAdvantage,
      ...(targetKl === "none" ? {} : { stops: ({ approxKl = 0 }) => approxKl > 1.5 * targetKl })
    }
  },
  loop: inStep
}

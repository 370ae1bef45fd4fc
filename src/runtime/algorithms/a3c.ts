/**
 * Asynchronous advantage actor-critic (Mnih et al. 2016, algorithm S3): every EnvWorker goes at its own pace, and the
 * Learner takes a step for each as it arrives, as notebook 002 sketches it with one behavior policy.
 */
import { a2c } from "./a2c.ts"
import type { Algorithm } from "./Algorithm.ts"
import { atOwnPace } from "./atOwnPace.ts"

export const a3c: Algorithm<"a3c"> = {
  plan: (settings) => {
    const { detachBootstrap, entCoef, gamma, loss, vfCoef } = settings
    const plan = a2c.plan(settings)
    switch (loss) {
      case "a2c":
        return plan
      case "td": {
        const td = {
          name: "td",
          gamma,
          detachBootstrap,
          valueCoefficient: vfCoef,
          entropyCoefficient: entCoef
        } as const
        return { ...plan, loss: () => td }
      }
    }
  },
  loop: atOwnPace
}

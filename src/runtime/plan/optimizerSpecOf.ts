/** The optimizer that the settings name, with its constants. */
import type { OptimizerSpec } from "../../model/optimizers.ts"
import type { RunConfig } from "../config/RunConfig.ts"

export const optimizerSpecOf = (config: RunConfig): OptimizerSpec =>
  config.optimizer === "adam"
    ? { kind: "adam", beta1: config.adamBeta1, beta2: config.adamBeta2, epsilon: config.optimizerEps }
    : {
      kind: "rmsprop",
      alpha: config.rmspropAlpha,
      epsilon: config.optimizerEps,
      epsilonPlacement: config.rmspropEps
    }

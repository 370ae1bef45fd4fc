/** The algorithms by name. `config/algorithmSettings.ts` says which settings each has. */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { AlgorithmName } from "../config/algorithmNames.ts"
import { CurrentConfig, type RunConfig } from "../config/RunConfig.ts"
import { type Plan, UpdatePlan } from "../plan/UpdatePlan.ts"
import { a2c } from "./a2c.ts"
import { a3c } from "./a3c.ts"
import type { Algorithm } from "./Algorithm.ts"
import { impala } from "./impala.ts"
import { ppo } from "./ppo.ts"

export const algorithms: { readonly [Name in AlgorithmName]: Algorithm<Name> } = { a2c, a3c, impala, ppo }

/** How the algorithm of these settings learns. */
export const planOf = (config: RunConfig): Plan => {
  const { plan }: Pick<Algorithm<AlgorithmName>, "plan"> = algorithms[config.algo]
  return plan(config)
}

/** The plan of the current configuration. */
export const planLayer: Layer.Layer<UpdatePlan, never, CurrentConfig> = Layer.effect(
  UpdatePlan,
  Effect.map(CurrentConfig, planOf)
)

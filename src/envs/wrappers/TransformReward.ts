/** Replaces every reward by a function of it (Gymnasium's `TransformReward`). */
import type { EnvironmentDefinition, Transition } from "../EnvironmentDefinition.ts"
import type { ActionSpace } from "../spaces/Space.ts"
import { derive } from "./derive.ts"

/** `transform` sees the whole transition, so that a reward may depend on how the step ended. */
const wrap = <A extends ActionSpace>(
  definition: EnvironmentDefinition<A>,
  transform: (reward: number, transition: Transition) => number
): EnvironmentDefinition<A> =>
  derive(definition, {
    actionSpace: definition.actionSpace,
    create: (inner) => ({
      ...inner,
      step: (action, random) => {
        const outcome = inner.step(action, random)
        outcome.reward = transform(outcome.reward, outcome)
        return outcome
      }
    })
  })

export const TransformReward = { wrap }

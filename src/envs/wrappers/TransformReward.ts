/** Replaces every reward by a function of it (Gymnasium's `TransformReward`). */
import type { Dynamics, EnvironmentDefinition, Transition } from "../EnvironmentDefinition.ts"
import type { ActionOf, ActionSpace } from "../spaces/Space.ts"
import { dynamicsOf, innerTransition } from "../Stepper.ts"

/** `transform` sees the whole transition, so that a reward may depend on how the step ended. */
const wrap = <A extends ActionSpace>(
  definition: EnvironmentDefinition<A>,
  transform: (reward: number, transition: Transition) => number
): EnvironmentDefinition<A> => ({
  ...definition,
  create: (state) => {
    const inner = dynamicsOf(definition, state)
    const transition = { reward: 0, terminated: false, truncated: false }
    const dynamics: Dynamics<ActionOf<A>> = {
      reset: (random, options) => inner.reset(random, options),
      step: (action, random): Transition => {
        const given = inner.step(action, random)
        innerTransition(given, transition)
        transition.reward = transform(transition.reward, given)
        return transition
      },
      observe: (observation) => inner.observe(observation)
    }
    if (inner.info !== undefined) dynamics.info = () => inner.info?.() ?? {}
    return dynamics
  }
})

export const TransformReward = { wrap }

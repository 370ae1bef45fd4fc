/**
 * Takes every action several times, and gives the sum of the rewards and the greatest of each number of the last two
 * observations (Gymnasium's `MaxAndSkipObservation`). The episode's limit counts the steps within.
 */
import type { EnvironmentDefinition } from "../EnvironmentDefinition.ts"
import type { ActionSpace } from "../spaces/Space.ts"
import { derive, refuse } from "./derive.ts"
import { boxOfObservations } from "./rescaling.ts"
import { TimeLimit } from "./TimeLimit.ts"

export interface MaxAndSkipObservationOptions {
  /** How often an action is taken, from 2; 4 by default. */
  readonly skip?: number
}

/** For observations of a Box. Throws an InvalidWrapper for others. */
const wrap = <A extends ActionSpace>(
  definition: EnvironmentDefinition<A>,
  { skip = 4 }: MaxAndSkipObservationOptions = {}
): EnvironmentDefinition<A> => {
  const { size } = boxOfObservations(definition, "MaxAndSkipObservation")
  if (!Number.isSafeInteger(skip) || skip < 2) {
    refuse(definition, "MaxAndSkipObservation", `skip is ${skip}: give a whole number from 2`)
  }
  /** 1 once there has been a step since the reset. */
  const stepped = 2 * size
  return derive(TimeLimit.wrap(definition), {
    actionSpace: definition.actionSpace,
    ownSize: 2 * size + 1,
    // An episode that ends in the middle of a step leaves what the steps before it saw, as in Gymnasium.
    outlivesEpisodes: true,
    create: (inner, own) => ({
      ...inner,
      reset: (random, options) => {
        own[stepped] = 0
        inner.reset(random, options)
      },
      ahead: () => {},
      step: (action, random) => {
        let sum = 0
        own[stepped] = 1
        for (let i = 1;; i++) {
          const outcome = inner.step(action, random)
          if (i > skip - 2) own.set(inner.observe(), i === skip ? size : 0)
          sum += outcome.reward
          if (i < skip && !outcome.terminated && !outcome.truncated) continue
          outcome.reward = sum
          return outcome
        }
      },
      observe: (observation) => {
        if (own[stepped] === 0) inner.observe(observation)
        else for (let i = 0; i < size; i++) observation[i] = Math.max(own[i]!, own[size + i]!)
      }
    })
  })
}

export const MaxAndSkipObservation = { wrap }

/**
 * Divides rewards by the running deviation of the discounted return (Gymnasium's `NormalizeReward`). Each world has
 * statistics of its own, over all its episodes, as part of its state. Returns are then measured in other units, so the
 * definition has no reward threshold.
 */
import type { EnvironmentDefinition } from "../EnvironmentDefinition.ts"
import type { ActionSpace } from "../spaces/Space.ts"
import { derive, refuse } from "./derive.ts"
import { RunningMeanStd } from "./RunningMeanStd.ts"

export interface NormalizeRewardOptions {
  /** Discount of the return, from 0 to 1; 0.99 by default. */
  readonly gamma?: number
  /** Added to the variance; 1e-8 by default. */
  readonly epsilon?: number
}

const asIs = (value: number): number => value

/** Throws an InvalidWrapper for options that cannot be. */
const wrap = <A extends ActionSpace>(
  definition: EnvironmentDefinition<A>,
  { epsilon = 1e-8, gamma = 0.99 }: NormalizeRewardOptions = {}
): EnvironmentDefinition<A> => {
  if (!(epsilon > 0)) refuse(definition, "NormalizeReward", `epsilon is ${epsilon}: give a number above 0`)
  if (!(gamma >= 0 && gamma <= 1)) refuse(definition, "NormalizeReward", `gamma is ${gamma}: give a number from 0 to 1`)
  const ownSize = RunningMeanStd.sizeOf(1) + 1
  return derive(definition, {
    actionSpace: definition.actionSpace,
    ownSize,
    outlivesEpisodes: true,
    withoutThreshold: true,
    create: (inner, own) => {
      const statistics = new RunningMeanStd(own.subarray(1), 1, asIs)
      /** The discounted return, which a reset leaves as it is. */
      const discounted = own.subarray(0, 1)
      return {
        ...inner,
        step: (action, random) => {
          const outcome = inner.step(action, random)
          discounted[0] = (outcome.terminated ? 0 : discounted[0]! * gamma) + outcome.reward
          statistics.update(discounted)
          outcome.reward /= Math.sqrt(statistics.variance(0) + epsilon)
          return outcome
        }
      }
    }
  })
}

export const NormalizeReward = { wrap }

/**
 * Gives observations less their running mean, over their running deviation (Gymnasium's `NormalizeObservation`). Each world
 * has statistics of its own, over all its episodes, as part of its state.
 */
import type { EnvironmentDefinition } from "../EnvironmentDefinition.ts"
import { Box } from "../spaces/Box.ts"
import type { ActionSpace } from "../spaces/Space.ts"
import { derive, refuse } from "./derive.ts"
import { boxOfObservations } from "./rescaling.ts"
import { RunningMeanStd } from "./RunningMeanStd.ts"

export interface NormalizeObservationOptions {
  /** Added to the variance; 1e-8 by default. */
  readonly epsilon?: number
}

/** For observations of a Box. Throws an InvalidWrapper for others. */
const wrap = <A extends ActionSpace>(
  definition: EnvironmentDefinition<A>,
  { epsilon = 1e-8 }: NormalizeObservationOptions = {}
): EnvironmentDefinition<A> => {
  const { shape, size } = boxOfObservations(definition, "NormalizeObservation")
  if (!(epsilon > 0)) refuse(definition, "NormalizeObservation", `epsilon is ${epsilon}: give a number above 0`)
  const float32 = Math.fround
  const small = float32(epsilon)
  return derive(definition, {
    actionSpace: definition.actionSpace,
    observationSpace: new Box({ low: -Infinity, high: Infinity, shape }),
    ownSize: RunningMeanStd.sizeOf(size),
    outlivesEpisodes: true,
    create: (inner, own) => {
      const statistics = new RunningMeanStd(own, size, float32)
      return {
        ...inner,
        reset: (random, options) => {
          inner.reset(random, options)
          statistics.update(inner.observe())
        },
        step: (action, random) => {
          const outcome = inner.step(action, random)
          statistics.update(inner.observe())
          return outcome
        },
        observe: (observation) => {
          const observed = inner.observe()
          for (let i = 0; i < size; i++) {
            const deviation = float32(Math.sqrt(float32(statistics.variance(i) + small)))
            observation[i] = float32(observed[i]! - statistics.mean(i)) / deviation
          }
        }
      }
    }
  })
}

export const NormalizeObservation = { wrap }

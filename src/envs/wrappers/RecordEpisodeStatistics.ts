/**
 * Says at the end of an episode in its info what the return was, and how many steps it took (Gymnasium's
 * `RecordEpisodeStatistics`). How long that took is not among it: a clock is no part of a state.
 */
import type { EnvironmentDefinition } from "../EnvironmentDefinition.ts"
import type { ActionSpace } from "../spaces/Space.ts"
import { derive } from "./derive.ts"
import { TimeLimit } from "./TimeLimit.ts"

export interface RecordEpisodeStatisticsOptions {
  /** The name in the info; "episode" by default. */
  readonly stats_key?: string
}

/** `info()` has `{ episode: { r, l } }` after the last step of an episode: the return and the length. */
const wrap = <A extends ActionSpace>(
  definition: EnvironmentDefinition<A>,
  { stats_key = "episode" }: RecordEpisodeStatisticsOptions = {}
): EnvironmentDefinition<A> =>
  derive(TimeLimit.wrap(definition), {
    actionSpace: definition.actionSpace,
    ownSize: 3,
    create: (inner, own) => ({
      ...inner,
      reset: (random, options) => {
        own.fill(0)
        inner.reset(random, options)
      },
      step: (action, random) => {
        const outcome = inner.step(action, random)
        own[0] = own[0]! + outcome.reward
        own[1] = own[1]! + 1
        own[2] = outcome.terminated || outcome.truncated ? 1 : 0
        return outcome
      },
      info: () => own[2] === 0 ? inner.info() : { ...inner.info(), [stats_key]: { r: own[0]!, l: own[1]! } }
    })
  })

export const RecordEpisodeStatistics = { wrap }

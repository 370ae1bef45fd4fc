/** Bounds every reward (Gymnasium's `ClipReward`). */
import type { EnvironmentDefinition } from "../EnvironmentDefinition.ts"
import type { ActionSpace } from "../spaces/Space.ts"
import { refuse } from "./derive.ts"
import { TransformReward } from "./TransformReward.ts"

/** The least and the greatest reward; null is no bound, and one of them must be. Throws an InvalidWrapper. */
export interface ClipRewardOptions {
  readonly min_reward?: number | null
  readonly max_reward?: number | null
}

const wrap = <A extends ActionSpace>(
  definition: EnvironmentDefinition<A>,
  { max_reward = null, min_reward = null }: ClipRewardOptions
): EnvironmentDefinition<A> => {
  if (min_reward === null && max_reward === null) {
    refuse(definition, "ClipReward", "give min_reward or max_reward, or both")
  }
  const low = min_reward ?? -Infinity
  const high = max_reward ?? Infinity
  if (low > high) refuse(definition, "ClipReward", `min_reward ${low} is above max_reward ${high}`)
  return TransformReward.wrap(definition, (reward) => Math.min(high, Math.max(low, reward)))
}

export const ClipReward = { wrap }

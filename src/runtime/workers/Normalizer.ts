/**
 * What the policy sees of a worker's environments and what it is paid, where that is normalized: by the statistics that lie
 * behind the weights it acts with. So a fragment stays a function of the weights and of the environments' states. The moments
 * of what came in are left in each slot; the trainer joins them in the order of the environments
 * (`learning/RunningStatistics.ts`), and they count from the next version of the weights on.
 */
import {
  addToMoments,
  endMoments,
  momentsOf,
  normalReward,
  normalScale,
  ObservationScale
} from "../../model/policy/normalization.ts"
import type { DataPlaneLayout, EnvSlot } from "./dataPlaneLayout.ts"
import { statisticsLength } from "./DataPlaneSpec.ts"

export interface Normalizer {
  /** A fragment of the slots `from`, ..., `to` - 1 begins, with the weights at that address. */
  readonly begin: (weights: number, from: number, to: number) => void
  /** Writes what is seen of a slot's present observation. */
  readonly see: (slot: EnvSlot) => void
  /** As `see`, of an observation that an action is chosen from: it counts. */
  readonly seeAndCount: (slot: EnvSlot) => void
  /** What is paid for a reward. */
  readonly pay: (slot: EnvSlot, reward: number) => number
  /** The fragment of these is over. */
  readonly end: (from: number, to: number) => void
}

/** Undefined where nothing is normalized. `gamma` discounts the returns whose variance rewards are divided by. */
export const normalizerOf = (
  buffer: SharedArrayBuffer,
  { spec }: DataPlaneLayout,
  slots: ReadonlyArray<EnvSlot>,
  gamma: number
): Normalizer | undefined => {
  const length = statisticsLength(spec)
  if (length === 0) return undefined
  const all = momentsOf(spec.normalization, spec.inputs)
  const observed = all.find(({ name }) => name === "obs_rms")
  const paid = all.find(({ name }) => name === "ret_rms")
  const scale = observed === undefined ? undefined : new ObservationScale(observed)
  let rewardScale = 1

  const see = ({ live, seen }: EnvSlot): void => scale?.see(live.observation, seen)
  return {
    begin: (weights, from, to) => {
      const statistics = new Float32Array(buffer, weights + spec.parameters * 4, length)
      scale?.take(statistics)
      if (paid !== undefined) rewardScale = normalScale(statistics[paid.variance]!)
      for (let i = from; i < to; i++) slots[i]!.moments.fill(0)
    },
    see,
    seeAndCount: (slot) => {
      see(slot)
      if (observed !== undefined) addToMoments(slot.moments, observed, slot.live.observation)
    },
    pay: ({ live: { discounted }, moments }, reward) => {
      if (paid === undefined) return reward
      discounted[0] = discounted[0]! * gamma + reward
      addToMoments(moments, paid, discounted)
      return normalReward(reward, rewardScale)
    },
    end: (from, to) => {
      for (let i = from; i < to; i++) for (const kind of all) endMoments(slots[i]!.moments, kind)
    }
  }
}

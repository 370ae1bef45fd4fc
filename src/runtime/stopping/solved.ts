/**
 * The usual rule. *Solved*: the mean return of the last 20 training episodes reaches the environment's threshold, and a
 * greedy evaluation of fresh episodes agrees.
 */
import type { StoppingOptions, StoppingRule } from "./StoppingRule.ts"

/** Training episodes to wait for after an evaluation that did not agree. */
const pause = 5

export const solved = ({ evalEpisodes, threshold }: StoppingOptions): StoppingRule => ({
  due: ({ episodes, train20 }, state) =>
    threshold === undefined || state.solved || train20 === undefined || train20 < threshold ||
      episodes < state.patientUntil
      ? undefined
      : { episodes: evalEpisodes },
  judge: (mean, { episodes }, state) => {
    const reached = threshold !== undefined && mean >= threshold
    return { state: { ...state, solved: reached, patientUntil: episodes + pause }, reached }
  },
  reached: (state) => state.solved,
  last: { episodes: evalEpisodes }
})

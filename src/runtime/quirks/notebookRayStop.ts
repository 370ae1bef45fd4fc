/** Notebook 000's stop: ten greedy episodes capped at 200, every 20 updates; over at a mean of 200, ten times in total. */
import type { StoppingRule } from "../stopping/StoppingRule.ts"

const everyUpdates = 20
const threshold = 200
const times = 10

export const notebookRayStop = (): StoppingRule => ({
  due: ({ updates }) => (updates - 1) % everyUpdates === 0 ? { episodes: 10, cap: 200, sampled: false } : undefined,
  judge: (mean, _, state) => {
    if (mean < threshold) return { state, reached: false }
    const thresholdCount = state.thresholdCount + 1
    return { state: { ...state, thresholdCount }, reached: thresholdCount === times }
  },
  reached: ({ thresholdCount }) => thresholdCount >= times,
  notice: `greedy reward ${threshold} reached ${times} times in total, the notebook's stop`
})

/** Notebook 002's: ten episodes of the sampled policy, every 100 episodes, to look at; nothing is ever reached. */
import type { StoppingRule } from "../stopping/StoppingRule.ts"

const everyEpisodes = 100

export const notebookA3cStop = (): StoppingRule => ({
  due: ({ episodes }, { evaluatedAt }) =>
    episodes < evaluatedAt + everyEpisodes ? undefined : { episodes: 10, cap: 300, sampled: true },
  judge: (_, { episodes }, state) => ({
    state: { ...state, evaluatedAt: episodes - episodes % everyEpisodes },
    reached: false
  }),
  reached: () => false
})

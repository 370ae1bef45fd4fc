/** The stopping rules by the name that the setting `evaluation` gives them. */
import type { RunConfig } from "../config/RunConfig.ts"
import { notebookA3cStop } from "../quirks/notebookA3cStop.ts"
import { notebookRayStop } from "../quirks/notebookRayStop.ts"
import { solved } from "./solved.ts"
import type { StoppingOptions, StoppingRule, StoppingState } from "./StoppingRule.ts"

const rules: { readonly [Name in RunConfig["evaluation"]]: (options: StoppingOptions) => StoppingRule } = {
  "solved": solved,
  "notebook-ray": notebookRayStop,
  "notebook-a3c": notebookA3cStop
}

/** The rule of a run. */
export const stoppingRule = (
  { evalEpisodes, evaluation }: Pick<RunConfig, "evaluation" | "evalEpisodes">,
  threshold: number | undefined
): StoppingRule => rules[evaluation]({ evalEpisodes, threshold })

/** Whether a run that has come so far is at its end. */
export const isOver = (
  config: Pick<RunConfig, "evaluation" | "evalEpisodes" | "keepGoing" | "totalEpisodes" | "totalTimesteps">,
  progress: { readonly envSteps: number; readonly episodes: number },
  state: StoppingState
): boolean =>
  (!config.keepGoing && rules[config.evaluation]({ ...config, threshold: undefined }).reached(state)) ||
  progress.envSteps >= config.totalTimesteps ||
  (config.totalEpisodes > 0 && progress.episodes >= config.totalEpisodes)

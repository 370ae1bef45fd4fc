/** What an algorithm is: how it learns from experience, and what one iteration of it is. */
import type { AlgorithmName } from "../config/algorithmNames.ts"
import type { SettingOf } from "../config/algorithmSettings.ts"
import type { RunConfig } from "../config/RunConfig.ts"
import type { Plan } from "../plan/UpdatePlan.ts"
import type { atOwnPace } from "./atOwnPace.ts"
import type { inStep } from "./inStep.ts"

/** The settings that an algorithm sees: its own, and those that every run has. */
export type SettingsOf<Name extends AlgorithmName> = Pick<
  RunConfig,
  SettingOf<Name> | "nEnvs" | "nSteps" | "totalTimesteps"
>

export interface Algorithm<Name extends AlgorithmName> {
  readonly plan: (settings: SettingsOf<Name>) => Plan
  readonly loop: typeof inStep | typeof atOwnPace
}

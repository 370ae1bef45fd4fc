/**
 * Which settings belong to which algorithm, and whose turn it may be in it. A setting that is in no list here belongs to
 * every run. `algorithms/` says what each algorithm does with them.
 */
import { type AlgorithmName, algorithmNames } from "./algorithmNames.ts"
import type { OptionName } from "./RunConfig.ts"

/** Settings of all that learn from advantages. */
const advantages = [
  "gamma",
  "gaeLambda",
  "returns",
  "normalizeAdvantage",
  "entCoef",
  "vfCoef",
  "nEpochs",
  "normalizeReturns",
  "bootstrapTruncated",
  "dropLastStep"
] as const satisfies ReadonlyArray<OptionName>

interface Belongings {
  /** The usual one first. */
  readonly schedules: readonly [Schedule, ...ReadonlyArray<Schedule>]
  readonly settings: ReadonlyArray<OptionName>
  /** The algorithm that the same settings are under the other schedules. */
  readonly counterpart?: AlgorithmName
  /** Experience travels whatever else: its learning needs the weights of now. */
  readonly fromExperience?: true
}
type Schedule = "sync" | "async" | "seeded"

export const algorithmSettings = {
  a2c: { schedules: ["sync"], settings: advantages, counterpart: "a3c" },
  a3c: {
    schedules: ["async", "seeded"],
    settings: [...advantages, "loss", "detachBootstrap", "maxStaleness", "whenStale", "syncCritic"],
    counterpart: "a2c"
  },
  impala: {
    schedules: ["async", "seeded"],
    settings: [
      "gamma",
      "normalizeAdvantage",
      "entCoef",
      "vfCoef",
      "nEpochs",
      "clipRhoThreshold",
      "clipCThreshold",
      "maxStaleness",
      "whenStale"
    ],
    fromExperience: true
  },
  ppo: {
    schedules: ["sync"],
    settings: [...advantages, "batchSize", "clipRange", "clipRangeVf", "clipSchedule", "entSchedule", "targetKl"]
  }
} as const satisfies Readonly<Record<AlgorithmName, Belongings>>

/** The settings that an algorithm has, beside those of every run. */
export type SettingOf<Name extends AlgorithmName> = (typeof algorithmSettings)[Name]["settings"][number]

const table: Readonly<Record<AlgorithmName, Belongings>> = algorithmSettings

export const schedulesOf = (algorithm: AlgorithmName): Belongings["schedules"] => table[algorithm].schedules

/** Whether an algorithm's learning needs experience to travel, and not the gradients of workers. */
export const needsExperience = (algorithm: AlgorithmName): boolean => table[algorithm].fromExperience === true

/** What the settings of an algorithm are under a schedule: itself, its counterpart, or nothing. */
export const underSchedule = (algorithm: AlgorithmName, schedule: Schedule): AlgorithmName | undefined => {
  const { counterpart, schedules } = table[algorithm]
  if (schedules.includes(schedule)) return algorithm
  return counterpart !== undefined && table[counterpart].schedules.includes(schedule) ? counterpart : undefined
}

/** The algorithms that a setting belongs to; empty where it belongs to every run. */
export const ownersOf = (setting: OptionName): ReadonlyArray<AlgorithmName> =>
  algorithmNames.filter((name) => table[name].settings.includes(setting))

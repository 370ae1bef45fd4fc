/**
 * Settings as files of earlier versions hold them. Until 0.1.0 the schedule chose the algorithm whatever `algo` said: what
 * is found under the other's name is given its own, and a person is told.
 */
import { type AlgorithmName, algorithmNames } from "./algorithmNames.ts"
import { underSchedule } from "./algorithmSettings.ts"

/** Settings of a file, and what a person should know of them. */
export interface OlderSettings {
  readonly settings: Readonly<Record<string, unknown>>
  readonly notices: ReadonlyArray<string>
}

const isAlgorithm = (name: unknown): name is AlgorithmName => algorithmNames.some((known) => known === name)
const isSchedule = (name: unknown): name is "sync" | "async" | "seeded" =>
  name === "sync" || name === "async" || name === "seeded"

/** Reads settings of any version as this version names them. */
export const readOlder = (saved: Readonly<Record<string, unknown>>): OlderSettings => {
  const { algo, schedule } = saved
  if (!isAlgorithm(algo) || !isSchedule(schedule)) return { settings: saved, notices: [] }
  const named = underSchedule(algo, schedule)
  if (named === undefined || named === algo) return { settings: saved, notices: [] }
  return {
    settings: { ...saved, algo: named },
    notices: [`This run was called ${algo} with the schedule ${schedule}: that is ${named}, and is called so now.`]
  }
}

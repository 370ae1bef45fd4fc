/**
 * What an environment was when a run was trained in it. `config.json`, every checkpoint and every recording keep it, as they
 * keep the build, so that a run that goes on or is repeated can say where its environment is not the same any more.
 */
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import type { EnvironmentDefinition } from "../../envs/EnvironmentDefinition.ts"
import { isModule, moduleFile } from "../../envs/loadEnvironment.ts"
import { moduleSource } from "../../envs/moduleFingerprint.ts"

export const EnvironmentRecord = Schema.Struct({
  id: Schema.String,
  /** Fingerprint of its module and of what that imports; null where it is a registered one, which its build decides. */
  module: Schema.NullOr(Schema.String),
  max_episode_steps: Schema.NullOr(Schema.Finite),
  reward_threshold: Schema.NullOr(Schema.Finite),
  state_size: Schema.Finite,
  /** Its spaces, by kind and size. */
  spaces: Schema.String
})
export type EnvironmentRecord = typeof EnvironmentRecord.Type

/** The fingerprint of the module that a reference names, to be taken before it is imported; null for a registered id. */
export const fingerprintOf = (reference: string): string | null => {
  if (!isModule(reference)) return null
  const file = moduleFile(reference)
  return file === undefined
    ? createHash("sha256").update(reference).digest("hex")
    : moduleSource(file)?.fingerprint ?? null
}

export const recordOf = (definition: EnvironmentDefinition, module: string | null): EnvironmentRecord => ({
  id: definition.id,
  module,
  max_episode_steps: definition.maxEpisodeSteps ?? null,
  reward_threshold: definition.rewardThreshold ?? null,
  state_size: definition.stateSize,
  spaces: [definition.observationSpace, definition.actionSpace].map(({ _tag, size }) => `${_tag} of ${size}`).join(", ")
})

const shown = (value: number | null): string => value === null ? "none" : String(value)

/** What has changed, as the ends of sentences; the id is not among it. */
export const changes = (before: EnvironmentRecord, now: EnvironmentRecord): ReadonlyArray<string> => [
  ...(before.module === now.module ? [] : ["its module, or something that it imports, is another"]),
  ...(before.max_episode_steps === now.max_episode_steps
    ? []
    : [`its time limit was ${shown(before.max_episode_steps)} and is ${shown(now.max_episode_steps)}`]),
  ...(before.reward_threshold === now.reward_threshold
    ? []
    : [`its reward threshold was ${shown(before.reward_threshold)} and is ${shown(now.reward_threshold)}`]),
  ...(before.state_size === now.state_size && before.spaces === now.spaces
    ? []
    : ["its state or its spaces are others"])
]

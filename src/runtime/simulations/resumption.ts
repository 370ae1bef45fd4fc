/** Where a simulation goes on: its newest checkpoint, an earlier time that it is rewound to, or a fork from either. */
import * as Effect from "effect/Effect"
import * as path from "node:path"
import { attempt } from "../../simulation/attempt.ts"
import { open, restore } from "../../simulation/World.ts"
import { ConfigError } from "../config/configSources.ts"
import type { LoadedModel } from "./loadModel.ts"
import * as SimulationFolder from "./SimulationFolder.ts"

export interface Resumption {
  /** The folder to go on in; none for a fork, which gets one of its own. */
  readonly folder: SimulationFolder.SimulationFolder | undefined
  /** What it was begun with. */
  readonly from: SimulationFolder.ConfigFile
  readonly forkedFrom: string | undefined
  /** The checkpoint, and its time. */
  readonly bytes: Uint8Array
  readonly now: number
  /** How many events were before it. */
  readonly events: number
}

export const resumption = Effect.fnUntraced(function*(
  { model }: LoadedModel,
  at: string,
  rewind: number | undefined,
  fork: boolean
) {
  const folder = yield* SimulationFolder.open(at)
  const { config } = folder
  const times = yield* SimulationFolder.checkpointTimes(folder)
  const time = times.findLast((time) => rewind === undefined || time <= rewind)
  if (config.model !== model.modelName) {
    return yield* new ConfigError({
      source: "resume",
      message: `${at} is a simulation of ${config.model}, not of ${model.modelName}: name the module it was run with.`
    })
  }
  const kept = time === undefined ? undefined : yield* SimulationFolder.readCheckpoint(folder, time)
  const { bytes, events } = yield* attempt(() => {
    const world = kept === undefined
      ? open(model, { seed: config.seed, config: config.config })
      : restore(model, kept)
    // From an earlier checkpoint the same things happen once more.
    if (rewind !== undefined) world.run(rewind)
    return { bytes: world.checkpoint(), events: world.engine.handled }
  })
  const resumed: Resumption = {
    folder: fork ? undefined : folder,
    from: config,
    forkedFrom: fork ? `${path.relative(".", folder.path)} at ${rewind ?? time ?? 0}` : undefined,
    bytes,
    now: rewind ?? time ?? 0,
    events
  }
  return resumed
})

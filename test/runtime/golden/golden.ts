/** The golden checkpoints: where they lie, what they were made from, and the hashes that they lead to. */
import * as fs from "node:fs"
import type { PartialConfig } from "../../../src/runtime/config/configSources.ts"

export const folder = new URL("./", import.meta.url)

const small: PartialConfig = { nEnvs: 2, hidden: [4], totalTimesteps: 400, checkpointInterval: 15, logInterval: 7 }

export const runs: Readonly<Record<string, PartialConfig>> = {
  "in-step": { ...small, preset: "a2c" },
  "by-the-seed": { ...small, preset: "a3c", schedule: "seeded", nSteps: 5 },
  "normalized": {
    ...small,
    envId: "MountainCarContinuous-v0",
    preset: "ppo",
    nSteps: 5,
    nEpochs: 2,
    batchSize: 5,
    normalizeObservations: true,
    normalizeRewards: true
  }
}

export const hashes = (): Readonly<Record<string, unknown>> => {
  const file = new URL("hashes.json", folder)
  return fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : {}
}

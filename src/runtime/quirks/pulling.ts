/**
 * How workers at their own pace get the weights. Without `syncCritic` they begin with weights of their own and keep the
 * critic's head of these for ever, as in notebook 002, where the two networks name it differently and loading is not
 * strict.
 */
import { initialParameters } from "../../model/initialize.ts"
import { workerWeightsStream } from "../../random/streams.ts"
import type { RunConfig } from "../config/RunConfig.ts"
import type { DataPlane } from "../workers/DataPlane.ts"

/** Copies the published weights into a worker's slot, so that the Learner may go on while the worker uses them. */
export const pulling = (config: RunConfig, plane: DataPlane["Service"], seed: number) => {
  if (config.schedule !== "sync" && !config.syncCritic) {
    plane.slots.forEach(({ weights }, index) =>
      weights.set(initialParameters(plane.policy, config.init, workerWeightsStream(seed, index), config.logStdInit))
    )
  }
  const { critic, size } = plane.parameters
  const length = config.syncCritic ? size : critic.at(-1)!.weight
  return (environment: number, version: number): void => {
    const { weights } = plane.slots[environment]!
    const published = plane.weightsOf(version)
    if (version > 0 || config.syncCritic) weights.set(published.subarray(0, length))
    weights.set(published.subarray(size), size)
  }
}

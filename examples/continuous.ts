/**
 * Actions that are real numbers: PPO drives a car out of a valley, and then the policy drives on its own, without a run.
 * `node examples/continuous.ts`
 *
 * The settings are those found for MountainCarContinuous-v0, since nothing else is said: a Gaussian policy whose first
 * actions are large, observations and rewards that are normalized. The statistics for that belong to the weights, so the
 * policy takes observations as the environment gives them.
 */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { Run } from "troupe"
import { Environment, MountainCarContinuousV0, type Observation } from "troupe/envs"

/** The observation of a Box, as numbers. */
const numbersOf = (observation: Observation): ReadonlyArray<number> =>
  observation instanceof Float32Array ? Array.from(observation) : []

export const program = Effect.gen(function*() {
  const run = yield* Run
  const { env_steps, weights_sha256 } = yield* run.train()
  yield* Console.log(`trained for ${env_steps} steps, weights ${weights_sha256}`)

  const policy = yield* run.policy
  const car = yield* Environment.make(MountainCarContinuousV0)
  let { observation } = yield* car.reset({ seed: 1 })
  let total = 0
  let over = false
  while (!over) {
    const { action } = yield* policy.decide(numbersOf(observation))
    // One number between -1 and 1, as a vector: what was learned is the mean of a Gaussian, clipped to the space.
    const step = yield* car.step(Float64Array.from(typeof action === "number" ? [action] : action))
    observation = step.observation
    total += step.reward
    over = step.terminated || step.truncated
  }
  yield* Console.log(`an episode came to ${total.toFixed(1)}; above 90 counts as solved`)
  return { total, weights: weights_sha256 }
}).pipe(Effect.provide(Run.layer({ envId: "MountainCarContinuous-v0", algo: "ppo", seed: 1, placement: "fiber" })))

if (import.meta.main) NodeRuntime.runMain(Effect.provide(program, NodeServices.layer))

/**
 * Advantage actor-critic, in step: A3C's update (Mnih et al. 2016, "Asynchronous Methods for Deep Reinforcement
 * Learning", algorithm S3) on the experience of all environments at once, as notebook 000 does it on Ray.
 *
 *     repeat
 *       every EnvWorker acts n steps with the same weights          (in parallel, wherever it lives)
 *       the Learner takes one step on all that came of it           (returns, advantages, gradient, optimizer)
 *     until solved
 */
import * as Effect from "effect/Effect"
import { Checkpoints } from "../checkpoint/Checkpoints.ts"
import { Learner } from "../learning/Learner.ts"
import { RunMonitor } from "../monitoring/RunMonitor.ts"
import { EnvWorkerGroup } from "../workers/EnvWorkerGroup.ts"
import { update } from "./update.ts"

export const a2c = Effect.gen(function*() {
  const workers = yield* EnvWorkerGroup
  const learner = yield* Learner
  const monitor = yield* RunMonitor
  const checkpoints = yield* Checkpoints

  while (!(yield* monitor.done)) {
    const fragments = yield* workers.collect(yield* learner.version)
    const report = yield* update(fragments)
    yield* monitor.record(fragments, report)
    yield* checkpoints.due
  }
})

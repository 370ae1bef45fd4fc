/**
 * All in step: the loop of A2C, and of whatever learns from the experience of all environments at once.
 *
 *     repeat
 *       every EnvWorker acts n steps with the same weights          (in parallel, wherever it lives)
 *       the Learner learns from all that came of it                 (`plan/UpdatePlan.ts`: which loss, how often)
 *     until solved
 */
import * as Effect from "effect/Effect"
import { Checkpoints } from "../checkpoint/Checkpoints.ts"
import { Learner } from "../learning/Learner.ts"
import { RunMonitor } from "../monitoring/RunMonitor.ts"
import { EnvWorkerGroup } from "../workers/EnvWorkerGroup.ts"
import { stretching } from "./stretching.ts"
import { update } from "./update.ts"

export const inStep = Effect.gen(function*() {
  const workers = yield* EnvWorkerGroup
  const learner = yield* Learner
  const monitor = yield* RunMonitor
  const checkpoints = yield* Checkpoints
  const stretch = yield* stretching

  while (!(yield* monitor.done)) {
    // As long as nobody has to look at each, the workers go through several iterations by themselves.
    if (yield* stretch) continue
    const fragments = yield* workers.collect(yield* learner.version)
    const report = yield* update(fragments)
    yield* monitor.record([{ fragments, report }])
    yield* checkpoints.due(1)
  }
})

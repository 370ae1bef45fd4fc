/**
 * Each at its own pace: the loop of A3C, and of whatever learns from one EnvWorker's experience after the other.
 *
 *     hand out a piece of work to every EnvWorker                   (pull weights; act n steps, or to the episode's end)
 *     repeat
 *       take the next to arrive                                     (by the clock, the seed, or a recording)
 *       the Learner learns from what came of it
 *       that EnvWorker pulls the newest weights and goes on
 *     until solved
 */
import * as Effect from "effect/Effect"
import { Arrivals } from "../arrivals/Arrivals.ts"
import { Checkpoints } from "../checkpoint/Checkpoints.ts"
import { RunMonitor } from "../monitoring/RunMonitor.ts"
import { update } from "./update.ts"

export const atOwnPace = Effect.gen(function*() {
  const arrivals = yield* Arrivals
  const monitor = yield* RunMonitor
  const checkpoints = yield* Checkpoints

  yield* arrivals.begin
  while (!(yield* monitor.done) && (yield* arrivals.more)) {
    const fragment = yield* arrivals.take
    const report = yield* update([fragment])
    yield* monitor.record([{ fragments: [fragment], report }])
    yield* arrivals.grant(fragment.environment)
    yield* checkpoints.due(1)
  }
})

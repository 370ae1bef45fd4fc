/**
 * The trainer's part in a stretch (`workers/Stretch.ts`): it says where the stretch begins and what it may not go past, and
 * takes over what came of it: the weights, and what is counted. Nothing is left to the workers where a service of the run is
 * somebody else's, or somebody listens to what each iteration learns from.
 */
import * as Effect from "effect/Effect"
import { Checkpoints } from "../checkpoint/Checkpoints.ts"
import { CurrentConfig } from "../config/RunConfig.ts"
import { handedLearner, headOf } from "../learning/handedLearner.ts"
import { adoptOf, Learner } from "../learning/Learner.ts"
import { RunMonitor } from "../monitoring/RunMonitor.ts"
import { optimizerSpecOf } from "../plan/optimizerSpecOf.ts"
import { DataPlane } from "../workers/DataPlane.ts"
import { EnvWorkerGroup } from "../workers/EnvWorkerGroup.ts"
import { ExperienceListener } from "../workers/Experience.ts"

/** Takes a stretch, where there may be one now. Answers whether there was one. */
export const stretching = Effect.gen(function*() {
  const config = yield* CurrentConfig
  const { arena, layout } = yield* DataPlane
  const workers = yield* EnvWorkerGroup
  const learner = yield* Learner
  const monitor = yield* RunMonitor
  const checkpoints = yield* Checkpoints
  const adopt = adoptOf(learner)
  const { save } = learner
  const watched = (yield* ExperienceListener) !== undefined
  if (layout.spec.stretch === 0 || adopt === undefined || save === undefined || watched) return Effect.succeed(false)

  const handed = handedLearner(arena.buffer, layout, optimizerSpecOf(config))
  const begin = Effect.gen(function*() {
    const state = yield* save
    handed.put(state)
    return { learner: headOf(state), ...(yield* monitor.standing) }
  })
  return Effect.gen(function*() {
    const done = yield* workers.stretch(yield* checkpoints.outlook, begin)
    if (done === undefined) return false
    yield* adopt(handed.at(done.learner))
    const reports = new Map(done.reports.map((report) => [report.iteration, report]))
    yield* monitor.record(done.counted.map((fragments, iteration) => {
      const report = reports.get(iteration)
      if (report === undefined) return { fragments }
      const { explainedVariance } = report
      return { fragments, report: Learner.report({ ...report, explainedVariance: () => explainedVariance }) }
    }))
    yield* checkpoints.due(done.iterations)
    return true
  })
})

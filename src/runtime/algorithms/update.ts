/**
 * What travels from the workers to the Learner: their experience, or the gradients they computed of it. In step the two
 * are the same to the bit. At a worker's own pace the gradient was computed with the weights it pulled, and came with
 * the fragment.
 */
import * as Effect from "effect/Effect"
import { Learner } from "../learning/Learner.ts"
import { RunningStatistics } from "../learning/RunningStatistics.ts"
import { DataPlane } from "../workers/DataPlane.ts"
import type { Fragment } from "../workers/dataPlaneLayout.ts"
import { EnvWorkerGroup } from "../workers/EnvWorkerGroup.ts"
import { ExperienceListener, experienceOf } from "../workers/Experience.ts"

export const update = Effect.fnUntraced(function*(fragments: ReadonlyArray<Fragment>) {
  const { layout, ship } = yield* DataPlane
  const listener = yield* ExperienceListener
  if (listener !== undefined) {
    // A reader that is behind holds the run up, and a run that waits can be interrupted.
    yield* Effect.interruptible(listener(experienceOf(fragments, layout.spec)))
  }
  const learner = yield* Learner
  const workers = yield* EnvWorkerGroup
  const report = yield* learner.update(fragments, ship === "experience" ? undefined : workers.gradients)
  const statistics = yield* RunningStatistics
  if (!report.refused) statistics.take(fragments, report.version)
  return report
})

/**
 * What travels from the workers to the Learner: their experience, or the gradients they computed of it. In step the two
 * are the same to the bit. At a worker's own pace the gradient was computed with the weights it pulled, and came with
 * the fragment.
 */
import * as Effect from "effect/Effect"
import type { Fragment } from "../dataPlaneLayout.ts"
import { EnvWorkerGroup } from "../EnvWorkerGroup.ts"
import { Learner, type LearnReport } from "../Learner.ts"
import { CurrentConfig } from "../RunConfig.ts"

export const update = Effect.fnUntraced(function*(fragments: ReadonlyArray<Fragment>) {
  const { nEpochs, schedule, ship } = yield* CurrentConfig
  const learner = yield* Learner
  if (ship === "experience") return yield* learner.learn(fragments)
  if (schedule !== "sync") return yield* learner.apply(fragments)
  const workers = yield* EnvWorkerGroup
  let report: LearnReport | undefined
  for (let epoch = 0; epoch < nEpochs || report === undefined; epoch++) {
    yield* workers.gradients(fragments, yield* learner.version)
    report = yield* learner.apply(fragments)
  }
  return report
})

/**
 * What travels from the workers to the Learner: their experience, or the gradients they computed of it. In step the two
 * are the same to the bit. At a worker's own pace the gradient was computed with the weights it pulled, and came with
 * the fragment.
 */
import * as Effect from "effect/Effect"
import { CurrentConfig } from "../config/RunConfig.ts"
import { Learner } from "../learning/Learner.ts"
import type { Fragment } from "../workers/dataPlaneLayout.ts"
import { EnvWorkerGroup } from "../workers/EnvWorkerGroup.ts"

export const update = Effect.fnUntraced(function*(fragments: ReadonlyArray<Fragment>) {
  const { schedule, ship } = yield* CurrentConfig
  const learner = yield* Learner
  if (ship === "experience") return yield* learner.learn(fragments)
  if (schedule !== "sync") return yield* learner.apply(fragments)
  const workers = yield* EnvWorkerGroup
  return yield* learner.apply(fragments, workers.gradients)
})

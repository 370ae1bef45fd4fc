/** How long an environment's steps take, as a worker takes them. */
import * as Effect from "effect/Effect"
import type { EnvironmentDefinition, InvalidDefinition } from "./EnvironmentDefinition.ts"
import type { EnvironmentFault } from "./EnvironmentFault.ts"
import { VectorEnvironment } from "./VectorEnvironment.ts"

/** Worlds stepped side by side. */
const worlds = 10
/** Milliseconds of a stretch, and of all of them. */
const stretch = 5
const budget = 200

/** Microseconds a step of one world takes with random actions, its resets included: the quickest stretch of some. */
export const microsecondsAStep = Effect.fnUntraced(function*(
  definition: EnvironmentDefinition
): Effect.fn.Return<number, InvalidDefinition | EnvironmentFault> {
  const vector = yield* VectorEnvironment.make(definition, worlds)
  yield* Effect.orDie(vector.reset(0))
  const sampler = definition.actionSpace.sampler(0)
  const actions = Array.from({ length: 64 }, () => Array.from({ length: worlds }, () => sampler.sample()))
  const start = performance.now()
  let best = Infinity
  let from = start
  let rounds = 0
  for (;;) {
    const fault = vector.step(actions[rounds % actions.length]!)
    if (fault !== undefined) return yield* fault
    rounds += 1
    const now = performance.now()
    if (now - from < stretch) continue
    best = Math.min(best, (now - from) / (rounds * worlds))
    if (now - start >= budget) return best * 1000
    rounds = 0
    from = performance.now()
  }
})

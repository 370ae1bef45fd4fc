/**
 * Short training runs with settings and kills drawn from a seed, each judged by the same run in which nothing happened:
 * the weights must be equal to the last bit, and no step lost.
 */
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Placement } from "../../../src/actors/Placement.ts"
import { Pcg64 } from "../../../src/random/Pcg64.ts"
import type { PartialConfig } from "../../../src/runtime/config/configSources.ts"
import { train } from "../running.ts"

export interface Plan {
  readonly seed: number
  /** What decides the numbers. */
  readonly settings: PartialConfig
  /** What must not. */
  readonly layout: PartialConfig
}

export const plan = (seed: number, placement: Placement): Plan => {
  const random = Pcg64.fromSeed([seed, 6])
  const one = <A>(values: ReadonlyArray<A>): A => values[random.integers(0, values.length)]!
  const nEnvs = random.integers(2, 7)
  const nSteps = random.integers(5, 33)
  const updates = random.integers(15, 40)
  const ownPace = random.random() < 0.4
  return {
    seed,
    settings: {
      seed,
      nEnvs,
      nSteps,
      hidden: one([[16], [32], [16, 16]]),
      ship: one(["experience", "gradients"]),
      ...(ownPace ? { algo: "a3c", schedule: "seeded" } : { algo: "a2c" }),
      totalTimesteps: nEnvs * nSteps * updates,
      logInterval: 5
    },
    layout: { placement, workers: placement === "fiber" ? 1 : random.integers(1, 3), chaos: random.integers(2, 6) }
  }
}

/** Fails with a message that repeats the run when its end differs from that of the undisturbed one. */
export const run = (plan: Plan): Effect.Effect<{ readonly restarts: number }, Error> =>
  Effect.gen(function*() {
    const peaceful = yield* train({ ...plan.settings, placement: "fiber" })
    const disturbed = yield* train({ ...plan.settings, ...plan.layout })
    const { lostSteps, restarts } = disturbed.status
    if (disturbed.hash !== peaceful.hash) {
      return yield* Effect.fail(lost(plan, `weights ${disturbed.hash} instead of ${peaceful.hash}`))
    }
    if (lostSteps !== 0) return yield* Effect.fail(lost(plan, `${lostSteps} lost steps`))
    if (restarts === 0) return yield* Effect.fail(lost(plan, "nobody was killed"))
    return { restarts }
  }).pipe(
    Effect.timeout("60 seconds"),
    Effect.exit,
    Effect.flatMap((exit) => {
      if (Exit.isSuccess(exit)) return Effect.succeed(exit.value)
      const error: unknown = exit.cause.reasons.find(Cause.isFailReason)?.error
      return Effect.fail(error instanceof Lost ? error : lost(plan, Cause.pretty(exit.cause)))
    })
  )

class Lost extends Error {}

const lost = (plan: Plan, why: string): Lost =>
  new Lost(
    `seed ${plan.seed}, ${plan.layout.placement}: ${why}\nrepeat it: node test/soak/faults.ts --what runs ` +
      `--placement ${plan.layout.placement} --seeds ${plan.seed}\n${JSON.stringify(plan)}`
  )

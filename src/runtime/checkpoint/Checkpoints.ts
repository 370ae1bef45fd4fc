/**
 * When a run's state is taken: every so many updates, at the end, and when it is interrupted; always between two
 * iterations. Taking it is a copy. Whoever keeps it (the run folder, `checkpoint/CheckpointFolder.ts`) hears of it in
 * the run's events, so that a checkpoint comes after all that was told before it.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type { DeviceFault } from "../../model/Device.ts"
import { Arrivals, SavedArrivals } from "../arrivals/Arrivals.ts"
import { CurrentConfig } from "../config/RunConfig.ts"
import { Learner, SavedLearner } from "../learning/Learner.ts"
import { RunningStatistics, SavedStatistics } from "../learning/RunningStatistics.ts"
import { RunMonitor, SavedMonitor } from "../monitoring/RunMonitor.ts"
import { DataPlane } from "../workers/DataPlane.ts"
import * as EnvironmentStates from "../workers/EnvironmentStates.ts"
import type { RunState } from "./RunState.ts"

/** Who keeps the states of a run; by default nobody, and none is taken. */
export interface CheckpointKeeper {
  /** Whether the last one is not kept yet: a further one, other than the last of all, then waits. */
  readonly busy: () => boolean
  /** Takes a state over. The run's event `checkpoint` with the same update follows. */
  readonly take: (state: RunState) => void
}
export const CheckpointKeeper = Context.Reference<CheckpointKeeper | undefined>("troupe/runtime/CheckpointKeeper", {
  defaultValue: () => undefined
})

/** Sets a run up to go on from a state: each part is handed to the concept it belongs to. */
export const resumeFrom = ({ arrivals, environments, learner, monitor, statistics }: RunState): Layer.Layer<never> =>
  Layer.mergeAll(
    Layer.succeed(SavedLearner, learner),
    Layer.succeed(SavedStatistics, statistics),
    Layer.succeed(EnvironmentStates.SavedEnvironments, environments),
    Layer.succeed(SavedMonitor, monitor),
    Layer.succeed(SavedArrivals, arrivals ?? undefined)
  )

export class Checkpoints extends Context.Service<Checkpoints, {
  /** So many more iterations are over: takes the state where it is due. */
  readonly due: (iterations: number) => Effect.Effect<void, DeviceFault>
  /** How many iterations there are before the next one that is due. */
  readonly outlook: Effect.Effect<number>
  /** Takes the state at the end, or at an interruption. */
  readonly last: Effect.Effect<void, DeviceFault>
}>()("troupe/runtime/Checkpoints") {
  static readonly layer: Layer.Layer<
    Checkpoints,
    never,
    Arrivals | CurrentConfig | DataPlane | Learner | RunMonitor | RunningStatistics
  > = Layer.effect(
    Checkpoints,
    Effect.gen(function*() {
      const { checkpointInterval, schedule } = yield* CurrentConfig
      const plane = yield* DataPlane
      const learner = yield* Learner
      const statistics = yield* RunningStatistics
      const monitor = yield* RunMonitor
      const arrivals = yield* Arrivals
      const keeper = yield* CheckpointKeeper
      const saved = yield* EnvironmentStates.SavedEnvironments
      const { save } = learner
      if (keeper === undefined || save === undefined) {
        return { due: () => Effect.void, outlook: Effect.succeed(Infinity), last: Effect.void }
      }

      const take = Effect.gen(function*() {
        const counted = yield* monitor.save
        const { envSteps, updates } = counted.progress
        // A run that has not begun is resumed from its settings.
        if (updates === 0) return
        keeper.take({
          learner: yield* save,
          statistics: yield* statistics.save,
          environments: EnvironmentStates.save(plane, yield* monitor.pieces, saved),
          monitor: counted,
          arrivals: schedule === "sync" ? null : yield* arrivals.save
        })
        yield* monitor.tell({
          event: "checkpoint",
          update: updates,
          env_steps: envSteps,
          wall_seconds: counted.seconds.elapsed
        })
      })

      let updates = (yield* monitor.status).updates
      /** One is due, as soon as the one before it is kept. */
      let owed = false
      return {
        due: (iterations) =>
          Effect.suspend(() => {
            updates += iterations
            if (checkpointInterval > 0 && updates % checkpointInterval === 0) owed = true
            if (!owed || keeper.busy()) return Effect.void
            owed = false
            return take
          }),
        outlook: Effect.sync(() =>
          checkpointInterval > 0 ? checkpointInterval - updates % checkpointInterval : Infinity
        ),
        last: take
      }
    })
  )
}

/** Runs of the loop in step, whose workers may be killed, and of which it is known how many iterations were taken in stretches. */
import { NodeServices } from "@effect/platform-node"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ActorSystem } from "../../../src/actors/ActorSystem.ts"
import { planLayer } from "../../../src/runtime/algorithms/index.ts"
import { inStep } from "../../../src/runtime/algorithms/inStep.ts"
import { Arrivals } from "../../../src/runtime/arrivals/Arrivals.ts"
import { CheckpointKeeper, Checkpoints } from "../../../src/runtime/checkpoint/Checkpoints.ts"
import type { RunState } from "../../../src/runtime/checkpoint/RunState.ts"
import * as configSources from "../../../src/runtime/config/configSources.ts"
import { hostsOf } from "../../../src/runtime/config/hosts.ts"
import { CurrentConfig } from "../../../src/runtime/config/RunConfig.ts"
import { Seed } from "../../../src/runtime/config/Seed.ts"
import { Evaluator } from "../../../src/runtime/evaluation/Evaluator.ts"
import { Learner } from "../../../src/runtime/learning/Learner.ts"
import { RunningStatistics } from "../../../src/runtime/learning/RunningStatistics.ts"
import type { RunEvent } from "../../../src/runtime/monitoring/RunEvent.ts"
import { Restarts, RunEvents, RunMonitor } from "../../../src/runtime/monitoring/RunMonitor.ts"
import { weightsHash } from "../../../src/runtime/Run.ts"
import { deviceLayer } from "../../../src/runtime/runDevice.ts"
import * as Replica from "../../../src/runtime/stretches/Replica.ts"
import { DataPlane } from "../../../src/runtime/workers/DataPlane.ts"
import { EnvWorkerBehavior } from "../../../src/runtime/workers/EnvWorker.ts"
import { EnvWorkerGroup } from "../../../src/runtime/workers/EnvWorkerGroup.ts"
import { ExperienceListener } from "../../../src/runtime/workers/Experience.ts"
import { buildId, hostEntry } from "../../../src/runtime/workers/hostEntry.ts"

/** Stretches of a run: how many were taken, and how many came to nothing. */
export interface Taken {
  stretches: number
  brokenOff: number
}

/** What is done before a stretch begins. */
export type OnBegin = (system: ActorSystem["Service"]) => Effect.Effect<unknown>

/** All that stands below the loop; `taken` is counted up. */
const partsOf = (given: configSources.PartialConfig, taken: Taken, onBegin: OnBegin) =>
  Layer.unwrap(
    Effect.map(configSources.resolve({ given }), (config) =>
      Checkpoints.layer.pipe(
        Layer.provideMerge(Layer.mergeAll(RunMonitor.layer, Arrivals.layer)),
        Layer.provideMerge(RunningStatistics.layer),
        Layer.provideMerge(
          Layer.mergeAll(Learner.layer, Evaluator.layer, Layer.provide(counted(taken, onBegin), EnvWorkerGroup.layer))
        ),
        Layer.provideMerge(
          config.placement === "fiber"
            ? ActorSystem.layerFiber([EnvWorkerBehavior])
            : ActorSystem.layer({
              thread: {
                entry: hostEntry,
                buildId,
                heartbeat: Duration.seconds(config.collectDeadline),
                ...hostsOf(config)
              },
              fiber: [EnvWorkerBehavior],
              placement: "thread"
            })
        ),
        Layer.provideMerge(Restarts.layer),
        Layer.provideMerge(Replica.layer),
        Layer.provideMerge(deviceLayer),
        Layer.provideMerge(DataPlane.layer),
        Layer.provideMerge(planLayer),
        Layer.provideMerge(Seed.layer),
        Layer.provideMerge(CurrentConfig.layer(config))
      ))
  ).pipe(Layer.provide(NodeServices.layer))

const counted = (taken: Taken, onBegin: OnBegin) =>
  Layer.effect(
    EnvWorkerGroup,
    Effect.gen(function*() {
      const group = yield* EnvWorkerGroup
      const system = yield* ActorSystem
      return {
        ...group,
        stretch: <E>(most: number, begin: Parameters<typeof group.stretch<E>>[1]) =>
          Effect.gen(function*() {
            let begun = false
            const done = yield* group.stretch(
              most,
              Effect.tap(begin, () => {
                begun = true
                return onBegin(system)
              })
            )
            if (done !== undefined) taken.stretches++
            else if (begun) taken.brokenOff++
            return done
          })
      }
    })
  )

/** What is told of a run whoever steps it, and whenever. */
const lasting = (event: RunEvent): unknown => {
  const measured = ["fps", "restarts", "recovery_ms", "wall_seconds"]
  return Object.fromEntries(Object.entries(event).filter(([name]) => !measured.includes(name)))
}

type Kept = Omit<RunState, "monitor"> & { readonly monitor: Omit<RunState["monitor"], "restarts" | "seconds"> }

export interface Outcome {
  readonly hash: string
  readonly told: ReadonlyArray<unknown>
  /** What was kept, without the times. */
  readonly kept: ReadonlyArray<Kept>
  readonly lostSteps: number
  readonly taken: Taken
}

/** Trains to the end, iteration by iteration where it is `watched`. */
export const train = Effect.fnUntraced(function*(
  given: configSources.PartialConfig,
  { interrupted = Effect.never, onBegin = () => Effect.void, watched = false }: {
    readonly onBegin?: OnBegin
    readonly watched?: boolean
    /** Ends it before its end, when this is over. */
    readonly interrupted?: Effect.Effect<void>
  } = {}
) {
  const taken: Taken = { stretches: 0, brokenOff: 0 }
  const told: Array<unknown> = []
  const kept: Array<RunState> = []
  return yield* Effect.gen(function*() {
    const last = Checkpoints.use(({ last }) => Effect.ignore(last))
    // As `Run` has it: an iteration or a stretch is interrupted where it waits, and what was counted by then is kept.
    yield* Effect.raceFirst(Effect.uninterruptible(Effect.onInterrupt(inStep, () => last)), interrupted)
    const { lostSteps } = yield* RunMonitor.use(({ status }) => status)
    const weights = yield* Learner.use(({ weights }) => weights)
    const outcome: Outcome = {
      hash: weightsHash(weights),
      told,
      kept: kept.map(({ monitor: { restarts: _, seconds: __, ...monitor }, ...state }) => ({ ...state, monitor })),
      lostSteps,
      taken
    }
    return outcome
  }).pipe(
    Effect.provide(partsOf(given, taken, onBegin)),
    Effect.provideService(RunEvents, { emit: (event) => Effect.sync(() => void told.push(lasting(event))) }),
    Effect.provideService(CheckpointKeeper, { busy: () => false, take: (state) => void kept.push(state) }),
    Effect.provideService(ExperienceListener, watched ? () => Effect.void : undefined)
  )
})

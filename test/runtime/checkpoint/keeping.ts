/** Short runs whose checkpoints are kept in memory, as bytes, and runs that go on from them. */
import { NodeServices } from "@effect/platform-node"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import { ArrivalLog } from "../../../src/runtime/arrivals/Arrivals.ts"
import { Recorder } from "../../../src/runtime/arrivals/recording.ts"
import { CheckpointKeeper, resumeFrom } from "../../../src/runtime/checkpoint/Checkpoints.ts"
import { decode, encode, type RunState } from "../../../src/runtime/checkpoint/RunState.ts"
import * as configSources from "../../../src/runtime/config/configSources.ts"
import { CurrentConfig } from "../../../src/runtime/config/RunConfig.ts"
import type { RunEvent } from "../../../src/runtime/monitoring/RunEvent.ts"
import { RunEvents, type RunStatus } from "../../../src/runtime/monitoring/RunMonitor.ts"
import { Run } from "../../../src/runtime/Run.ts"

export interface Kept {
  readonly update: number
  readonly bytes: Uint8Array
  /** How much had been told before it. */
  readonly told: number
}

export interface Outcome {
  /** Undefined where the run was interrupted. */
  readonly hash: string | undefined
  readonly status: RunStatus
  /** What was told, without what the clock and the layout decide. */
  readonly events: ReadonlyArray<unknown>
  readonly kept: ReadonlyArray<Kept>
  /** The whole recording. */
  readonly recording: Uint8Array
}

/** What a run computes and says of it, whoever stopped it in between. */
const lasting = (event: RunEvent): unknown => {
  const ofTheStart = event.event === "started" || event.event === "notice"
  if (ofTheStart || event.event === "checkpoint" || event.event === "actor") return undefined
  const measured = ["fps", "restarts", "startup_seconds", "steps_per_second", "wall_seconds"]
  return Object.fromEntries(Object.entries(event).filter(([name]) => !measured.includes(name)))
}

/** Trains to the end, or is interrupted when `interruptAt` events were told. `from` is a checkpoint to go on from. */
export const train = Effect.fnUntraced(function*(
  given: configSources.PartialConfig,
  { from, interruptAt = Number.POSITIVE_INFINITY }: { readonly from?: Uint8Array; readonly interruptAt?: number } = {}
) {
  return yield* Effect.provide(attempt(given, from, interruptAt), NodeServices.layer)
})

const attempt = Effect.fnUntraced(function*(
  given: configSources.PartialConfig,
  from: Uint8Array | undefined,
  interruptAt: number
) {
  const checkpoint = from === undefined ? undefined : yield* decode(from)
  const config = checkpoint === undefined
    ? yield* configSources.resolve({ given: { placement: "fiber", ...given } })
    : configSources.withinWork({ ...checkpoint.config, ...given })
  const recorder = new Recorder(checkpoint?.recorded)
  const events: Array<unknown> = []
  const states: Array<{ readonly state: RunState; readonly recorded: Uint8Array }> = []
  const marks: Array<number> = []
  let told = 0
  let interrupt = () => {}

  const layer = Run.layerFromConfig().pipe(
    Layer.provide(CurrentConfig.layer(config)),
    Layer.provide(checkpoint === undefined ? Layer.empty : resumeFrom(checkpoint.state)),
    Layer.provide(Layer.succeed(CheckpointKeeper, {
      busy: () => false,
      take: (state) => void states.push({ state, recorded: recorder.arrivals })
    })),
    Layer.provide(Layer.succeed(RunEvents, {
      emit: (event) =>
        Effect.suspend(() => {
          if (event.event === "checkpoint") marks.push(events.length)
          const kept = lasting(event)
          if (kept !== undefined) events.push(kept)
          if (++told === interruptAt) interrupt()
          // From then on nobody reads any more.
          return told < interruptAt ? Effect.void : Effect.interruptible(Effect.never)
        })
    })),
    Layer.provide(Layer.succeed(ArrivalLog, {
      write: (environment, staleness) => recorder.write(environment, staleness)
    }))
  )
  return yield* Effect.scoped(Effect.gen(function*() {
    const run = Context.get(yield* Layer.build(layer), Run)
    const fiber = yield* Effect.forkChild(run.train())
    // As a signal does: at once, whatever the run is at.
    interrupt = () => fiber.interruptUnsafe()
    const exit = yield* Fiber.await(fiber)
    if (Exit.isFailure(exit) && told < interruptAt) return yield* Effect.failCause(exit.cause)
    const kept = yield* Effect.forEach(
      states,
      ({ recorded, state }, i) =>
        Effect.map(encode({ state, config, files: {}, recorded }), (bytes): Kept => ({
          update: state.monitor.progress.updates,
          bytes,
          told: marks[i]!
        }))
    )
    const outcome: Outcome = {
      hash: Exit.isSuccess(exit) ? exit.value.weights_sha256 : undefined,
      status: yield* run.status,
      events,
      kept,
      recording: recorder.toBytes(config)
    }
    return outcome
  }))
})

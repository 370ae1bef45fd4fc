/** Short whole runs for tests: what a run ended with, and in which order its pieces of work arrived. */
import { NodeServices } from "@effect/platform-node"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ArrivalLog } from "../../src/runtime/arrivals/Arrivals.ts"
import type { PartialConfig } from "../../src/runtime/config/configSources.ts"
import type { Policy } from "../../src/runtime/evaluation/Policy.ts"
import type { RunEvent } from "../../src/runtime/monitoring/RunEvent.ts"
import { RunEvents, type RunStatus } from "../../src/runtime/monitoring/RunMonitor.ts"
import { Run } from "../../src/runtime/Run.ts"

/** The order of a run: which environment arrived, and how many updates old its weights were. */
export interface Order {
  readonly environments: Array<number>
  readonly staleness: Array<number>
}

export interface Ended {
  readonly hash: string
  readonly policy: Policy
  readonly weights: Float32Array
  readonly status: RunStatus
  readonly order: Order
  readonly events: ReadonlyArray<RunEvent>
}

/** Trains to the end, in one thread where nothing else is said. `replay` is an order to repeat. */
export const train = Effect.fnUntraced(function*(given: PartialConfig, replay?: Order) {
  const order: Order = { environments: [], staleness: [] }
  const events: Array<RunEvent> = []
  const log = {
    write: (environment: number, staleness: number) => {
      order.environments.push(environment)
      order.staleness.push(staleness)
    },
    ...(replay === undefined ? {} : { replay })
  }
  return yield* Effect.gen(function*() {
    const run = yield* Run
    const finished = yield* run.train()
    const policy = yield* run.policy
    const ended: Ended = {
      hash: finished.weights_sha256,
      policy,
      weights: policy.weights,
      status: yield* run.status,
      order,
      events
    }
    return ended
  }).pipe(
    Effect.provide(Layer.provide(Run.layer({ placement: "fiber", ...given }), NodeServices.layer)),
    Effect.provideService(ArrivalLog, log),
    Effect.provideService(RunEvents, { emit: (event) => Effect.sync(() => events.push(event)) })
  )
})

/** What a program that exports metrics and traces sees of its simulations: what each has come to, and a span for each. */
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import type { HostsResult } from "./run.ts"

const counter = (name: string, description: string) => Metric.counter(name, { description, incremental: true })

export const metrics = {
  runs: counter("troupe_simulations_total", "simulations that came to their end"),
  events: counter("troupe_simulation_events_total", "events that happened in them"),
  restarts: counter("troupe_simulation_restarts_total", "hosts of simulations that were replaced"),
  time: Metric.gauge("troupe_simulation_time", { description: "the virtual time that the last one came to" })
} as const

/** A simulation, told when it is over. */
export const told = <E, R>(
  model: string,
  running: Effect.Effect<HostsResult, E, R>
): Effect.Effect<HostsResult, E, R> =>
  Effect.contextWith((context: Context.Context<never>) =>
    Effect.tap(running, ({ events, now, restarts }) =>
      Effect.sync(() => {
        metrics.runs.updateUnsafe(1, context)
        metrics.events.updateUnsafe(events, context)
        if (restarts > 0) metrics.restarts.updateUnsafe(restarts, context)
        metrics.time.updateUnsafe(now, context)
      }))
  ).pipe(Effect.withSpan("simulation", { attributes: { model } }))

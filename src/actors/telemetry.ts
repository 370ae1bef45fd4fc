/**
 * What a program that exports traces and metrics (`Otlp`, `PrometheusMetrics` of `effect/observability`) sees of its actors: a
 * span for each message that was answered, and how often actors die, come back and are given up. Where no tracer was put in
 * place there are no spans, and nothing is done for a message.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import * as Tracer from "effect/Tracer"
import type { LifecycleEvent } from "./LifecycleEvent.ts"
import type { Observer } from "./Observer.ts"

const counter = (name: string, description: string) => Metric.counter(name, { description, incremental: true })

/** The metrics of all systems of a program. */
export const metrics = {
  deaths: counter("troupe_actor_deaths_total", "incarnations of actors that died"),
  restarts: counter("troupe_actor_restarts_total", "incarnations that took the place of one that died"),
  failures: counter("troupe_actor_failures_total", "actors that supervision gave up"),
  unheard: counter("troupe_actor_unheard_total", "messages that failed and whose outcome nobody waited for"),
  sentBytes: counter("troupe_actor_sent_bytes_total", "bytes that went to hosts on other machines"),
  receivedBytes: counter("troupe_actor_received_bytes_total", "bytes that came from hosts on other machines"),
  recovery: Metric.histogram("troupe_actor_recovery_milliseconds", {
    description: "from the death of an incarnation until the next one served",
    boundaries: Metric.exponentialBoundaries({ start: 1, factor: 2, count: 16 })
  })
} as const

/** Counts what befalls actors; what is no harm is not counted. */
export const count = (event: LifecycleEvent, context: Context.Context<never>): void => {
  switch (event._tag) {
    case "Died":
      return metrics.deaths.updateUnsafe(1, context)
    case "Restarted":
      metrics.restarts.updateUnsafe(1, context)
      return metrics.recovery.updateUnsafe(event.recoveryMillis, context)
    case "Failed":
      return metrics.failures.updateUnsafe(1, context)
    case "Unheard":
      return metrics.unheard.updateUnsafe(1, context)
    case "Spawned":
    case "Started":
    case "Stopped":
    case "HostStarted":
    case "HostExited":
      return
  }
}

/** A span for each message, where there is a tracer: under the span in which the system was made. */
const spansOf = (context: Context.Context<never>): Observer["answered"] | undefined => {
  const tracer = Context.get(context, Tracer.Tracer)
  if (tracer === Tracer.nativeTracer) return undefined
  const clock = Context.get(context, Clock.Clock)
  const parent = Context.getOption(context, Tracer.ParentSpan)
  return ({ actor, began, ended, host, method, placement, sent, seq }) => {
    const now = clock.currentTimeNanosUnsafe()
    const span = tracer.span({
      name: `actor.ask ${method}`,
      parent,
      annotations: Context.empty(),
      links: [],
      startTime: now - BigInt(Math.round((ended - sent) * 1e6)),
      kind: "internal",
      root: parent._tag === "None",
      sampled: true
    })
    span.attribute("actor.name", actor)
    span.attribute("actor.placement", placement)
    span.attribute("actor.host", host)
    span.attribute("actor.message", seq)
    span.attribute("actor.waited_ms", began - sent)
    span.end(now, Exit.void)
  }
}

/** The observer of a system, with what is told to a tracer; undefined where nobody watches. */
export const observerOf = (context: Context.Context<never>, own: Observer | undefined): Observer | undefined => {
  const answered = spansOf(context)
  if (answered === undefined) return own
  return {
    answered: (message) => {
      own?.answered(message)
      answered(message)
    },
    happened: (event, at) => own?.happened(event, at)
  }
}

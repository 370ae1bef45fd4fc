/**
 * Effect's `Clock` and `Random` as handlers have them: what they read is an input of the message in hand, and the same when it
 * runs again.
 *
 * The date (`currentTimeMillis`, `DateTime.now`) is that of the message. The other two clocks measure, and run on: what a
 * handler took, and the spans of its traces, are of this run.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { FiberRuntimeMetricsService } from "effect/Metric"
import * as Random from "effect/Random"
import { current, InHand } from "../InHand.ts"

class HandClock implements Clock.Clock {
  readonly base: Clock.Clock

  constructor(base: Clock.Clock) {
    this.base = base
  }

  currentTimeMillisUnsafe(): number {
    return current()?.date ?? this.base.currentTimeMillisUnsafe()
  }

  currentTimeNanosUnsafe(): bigint {
    return this.base.currentTimeNanosUnsafe()
  }

  monotonicTimeNanosUnsafe(): bigint {
    return this.base.monotonicTimeNanosUnsafe()
  }

  readonly currentTimeMillis = Effect.sync(() => this.currentTimeMillisUnsafe())
  readonly currentTimeNanos = Effect.sync(() => this.currentTimeNanosUnsafe())
  readonly monotonicTimeNanos = Effect.sync(() => this.monotonicTimeNanosUnsafe())

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    const waiting = this.base.sleep(duration)
    return current()?.sleep(Duration.toMillis(duration), waiting) ?? waiting
  }
}

/** The date outside of all handlers, in milliseconds since 1970. */
export const dateOf = (context: Context.Context<never>): number => {
  const clock = Context.get(context, Clock.Clock)
  return (clock instanceof HandClock ? clock.base : clock).currentTimeMillisUnsafe()
}

/** Where Effect tells of each fiber that begins: what `Metric.FiberRuntimeMetrics` is, without all the metrics. */
const FiberStarts = Context.Reference<FiberRuntimeMetricsService | undefined>("effect/Metric/FiberRuntimeMetrics", {
  defaultValue: () => undefined
})

/** The context of a host, with the clock and the chance of handlers, and with an eye on what they fork. */
export const withInputs = <R>(context: Context.Context<R>): Context.Context<R> => {
  const base = Context.get(context, Random.Random)
  const metrics = Context.get(context, FiberStarts)
  return context.pipe(
    Context.add(FiberStarts, {
      recordFiberStart: (context) => {
        metrics?.recordFiberStart(context)
        Context.get(context, InHand)?.share()
      },
      recordFiberEnd: (context, exit) => metrics?.recordFiberEnd(context, exit)
    }),
    Context.add(Clock.Clock, new HandClock(Context.get(context, Clock.Clock))),
    Context.add(Random.Random, {
      nextDoubleUnsafe: () => (current()?.random ?? base).nextDoubleUnsafe(),
      nextIntUnsafe: () => (current()?.random ?? base).nextIntUnsafe()
    })
  )
}

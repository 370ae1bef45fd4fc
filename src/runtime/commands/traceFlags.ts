/** The flags of whatever leaves a timeline. */
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { ConfigError } from "../config/configSources.ts"
import type { Window } from "../timeline/Timeline.ts"

export const traceFlags = {
  trace: Flag.String("trace").pipe(
    Flag.withDescription("file for a timeline of the run, for Perfetto: a row an actor and one a thread"),
    Flag.withMetavar("path"),
    Flag.optional
  ),
  traceFrom: Flag.Finite("trace-from").pipe(
    Flag.withDescription("seconds of the run after which the timeline begins (default 0)"),
    Flag.withSchema(Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1e9 }))),
    Flag.optional
  ),
  traceSeconds: Flag.Finite("trace-seconds").pipe(
    Flag.withDescription("seconds that the timeline has (default 2)"),
    Flag.withSchema(Schema.Finite.check(Schema.isBetween({ minimum: 0.001, maximum: 3600 }))),
    Flag.optional
  )
} as const

/** The file of a timeline, and which part of a run it has. */
export interface TraceRequest extends Window {
  readonly path: string
}

/** What was asked for; undefined where nobody wants a timeline. */
export const traceRequest = ({ trace, traceFrom, traceSeconds }: {
  readonly trace: Option.Option<string>
  readonly traceFrom: Option.Option<number>
  readonly traceSeconds: Option.Option<number>
}): Effect.Effect<TraceRequest | undefined, ConfigError> => {
  if (Option.isSome(trace)) {
    return Effect.succeed({
      path: trace.value,
      from: Option.getOrElse(traceFrom, () => 0),
      seconds: Option.getOrElse(traceSeconds, () => 2)
    })
  }
  return Option.isNone(traceFrom) && Option.isNone(traceSeconds)
    ? Effect.succeed(undefined)
    : Effect.fail(
      new ConfigError({
        source: "trace",
        message: "--trace-from and --trace-seconds go with --trace, which names the file of the timeline."
      })
    )
}

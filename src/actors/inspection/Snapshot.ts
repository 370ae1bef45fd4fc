/** What a running program says of its actors to who asks from outside. */
import * as Schema from "effect/Schema"
import { fromJson } from "../../text/json.ts"
import type { ActorInfo } from "../owner/System.ts"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))
const Millis = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0))

/** Which program it is. */
const fields = {
  /** What it is about, in a few words. */
  what: Schema.String,
  /** The folder that it writes, by its whole path; null where it writes none. */
  folder: Schema.NullOr(Schema.String)
}

export const Program = Schema.Struct(fields)
export type Program = typeof Program.Type

/** One actor, as `ActorSystem.actors` has it. */
export const ActorLine = Schema.Struct({
  name: Schema.String,
  definition: Schema.String,
  placement: Schema.String,
  host: Count,
  status: Schema.String,
  incarnation: Count,
  restarts: Count,
  /** Messages taken and not yet answered. */
  unanswered: Count,
  /** What it is at work on, and for how long; null when it is idle. */
  message: Schema.NullOr(Schema.Struct({ method: Schema.String, millis: Millis })),
  /** Whom that waits for. */
  asks: Schema.Array(Schema.Struct({ actor: Schema.String, method: Schema.String })),
  /** Who has spawned it; null where the program did. */
  parent: Schema.NullOr(Schema.String),
  /** Messages that it will answer later. */
  later: Count,
  timers: Count,
  /** Bytes that wait to go to its host on another machine, where there are some. */
  queuedBytes: Schema.optionalKey(Count)
})
export type ActorLine = typeof ActorLine.Type

export const Snapshot = Schema.Struct({
  format: Schema.Literal("troupe-ps-1"),
  pid: Count,
  ...fields,
  /** For how long the program has run. */
  millis: Millis,
  actors: Schema.Array(ActorLine)
})
export type Snapshot = typeof Snapshot.Type

export const SnapshotFromJson = fromJson(Snapshot)

/** Living actors, a line each. */
export const linesOf = (actors: ReadonlyArray<ActorInfo>): ReadonlyArray<ActorLine> =>
  actors.map(({ message, ...actor }) => ({
    name: actor.name,
    definition: actor.definition,
    placement: actor.placement,
    host: actor.host,
    status: actor.status,
    incarnation: actor.incarnation,
    restarts: actor.restarts,
    unanswered: actor.unanswered,
    message: message === undefined ? null : { method: message.method, millis: message.sinceMillis },
    asks: actor.asks,
    parent: actor.parent ?? null,
    later: actor.later,
    timers: actor.timers,
    ...(actor.queuedBytes > 0 ? { queuedBytes: actor.queuedBytes } : {})
  }))

/** A snapshot of this program. */
export const snapshotOf = (program: Program, actors: ReadonlyArray<ActorInfo>): Snapshot => ({
  format: "troupe-ps-1",
  pid: process.pid,
  ...program,
  millis: performance.now(),
  actors: linesOf(actors)
})

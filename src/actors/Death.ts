/**
 * Why an incarnation of an actor ended against its will, in words that survive the way out of another thread.
 *
 * A cause cannot cross a border as it is (classes, prototypes and cycles are lost), so what matters to a person and to a
 * supervision policy is taken out at the spot: kind, error tag, message and stack.
 */
import * as Cause from "effect/Cause"
import { formatJson } from "effect/Formatter"
import * as Schema from "effect/Schema"

/**
 * - `Defect`: a handler (or the snapshot) threw or died.
 * - `StartFailed`: the behavior could not be set up, or the host does not know it.
 * - `HostExited`: the thread ended: `process.exit`, an uncaught throw, an unhandled rejection, no memory.
 * - `Killed`: somebody called `system.kill`.
 * - `Unresponsive`: the host had work and gave no sign of life within the time its heartbeat allows.
 * - `LinkBroken`: messages between owner and host were lost, or could not be read.
 * - `Diverged`: a message that ran again did not do what it had done before, so it cannot count once.
 * - `Sibling`: the actor itself was well, but its group restarts together.
 * - `ChildFailed`: a child has failed for good whose failure is its parent's too (`onFailure: "fail me"`), or that escalated.
 * - `Cancelled`: nobody waited any more for what it did, and the method may be given up (`Actor.Cancellable`); or for what it
 *   had answered later (`Actor.later`). It is not counted, and supervision is not asked.
 * - `Moved`: the actor itself was well and had nothing in hand, and goes on elsewhere: its runner takes no more work, or
 *   another has more room. It is not counted either.
 */
export const DeathKind = Schema.Literals([
  "Defect",
  "StartFailed",
  "HostExited",
  "Killed",
  "Unresponsive",
  "LinkBroken",
  "Diverged",
  "Sibling",
  "ChildFailed",
  "Cancelled",
  "Moved"
])
export type DeathKind = typeof DeathKind.Type

/** The report of one death. `tag` is the error's `_tag` (or its name); `method` the message in hand, where known. */
export class Death extends Schema.Class<Death>("troupe/Death")({
  kind: DeathKind,
  message: Schema.String,
  tag: Schema.optionalKey(Schema.String),
  method: Schema.optionalKey(Schema.String),
  stack: Schema.optionalKey(Schema.String)
}) {}

/** The text that `read` gives. Whatever was thrown may be asked so: a getter, a Proxy or a `toString` may throw anew. */
const asked = (read: () => unknown): string | undefined => {
  try {
    const answer = read()
    return typeof answer === "string" ? answer : undefined
  } catch {
    return undefined
  }
}

/** At most this many characters of an error's fields are told. */
const longest = 1000

/** Told elsewhere. */
const untold = new Set(["_tag", "name", "message", "stack"])

/** An error that has no message is told by its name and its fields, as a typed error of Effect's has them. */
const fieldsOf = (error: Error): string => {
  const fields = Object.entries(error).filter(([name]) => !untold.has(name))
  // Not among those that are listed.
  if (error.cause !== undefined) fields.push(["cause", error.cause])
  if (fields.length === 0) return error.name
  const json = formatJson(Object.fromEntries(fields))
  return `${error.name} ${json.length > longest ? `${json.slice(0, longest)}...` : json}`
}

const text = (value: unknown): string => {
  if (typeof value === "string") return value
  return asked(() => value instanceof Error ? (value.message === "" ? fieldsOf(value) : value.message) : undefined) ??
    asked(() => value instanceof Error && value.message === "" ? value.name : undefined) ??
    asked(() => JSON.stringify(value)) ?? asked(() => String(value)) ?? "something that has no text"
}

const tagOf = (value: unknown): string | undefined =>
  asked(() => typeof value === "object" && value !== null && "_tag" in value ? value._tag : undefined) ??
    asked(() => value instanceof Error ? value.name : undefined)

/** Reports one thrown value. */
export const fromUnknown = (kind: DeathKind, error: unknown, method?: string): Death => {
  const tag = tagOf(error)
  const stack = asked(() => error instanceof Error ? error.stack : undefined)
  return new Death({
    kind,
    message: text(error),
    ...(tag === undefined ? {} : { tag }),
    ...(method === undefined ? {} : { method }),
    ...(stack === undefined ? {} : { stack })
  })
}

/** Reports a cause by its first defect, else its first failure. */
export const fromCause = (kind: DeathKind, cause: Cause.Cause<unknown>, method?: string): Death => {
  const die = cause.reasons.find(Cause.isDieReason)
  if (die !== undefined) return fromUnknown(kind, die.defect, method)
  const fail = cause.reasons.find(Cause.isFailReason)
  if (fail !== undefined) return fromUnknown(kind, fail.error, method)
  return new Death({ kind, message: "interrupted from within", ...(method === undefined ? {} : { method }) })
}

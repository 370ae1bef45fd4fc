/**
 * How the outcome of an ask crosses a border: the method's own success or error by its schemas, a failure of the system by
 * those of `errors.ts`.
 */
import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"
import type { Method } from "../Actor.ts"
import { fromUnknown } from "../Death.ts"
import {
  ActorDied,
  ActorNotFound,
  ActorStopped,
  AskCycle,
  AskTimeout,
  InvalidOption,
  MailboxFull,
  MessageRefused,
  NameTaken,
  RestartLimitReached,
  StartFailed
} from "../errors.ts"
import type { OutcomeKind } from "../links/HostLink.ts"
import { shown } from "../Options.ts"
import * as Codec from "./Codec.ts"

/** What a call may fail with, whatever its method. */
const failures = [
  ActorDied,
  ActorNotFound,
  ActorStopped,
  AskCycle,
  AskTimeout,
  InvalidOption,
  MailboxFull,
  MessageRefused,
  NameTaken,
  RestartLimitReached,
  StartFailed
] as const

const failureCodec = Codec.make(Schema.Union(failures))

const isFailure = (error: unknown): boolean => failures.some((failure) => error instanceof failure)

/** The outcome of a call of `method`, encoded. */
export const encode = (method: Method, outcome: Exit.Exit<unknown, unknown>): readonly [OutcomeKind, unknown] => {
  if (Exit.isSuccess(outcome)) {
    const encoded = method.success.encode(outcome.value)
    return Exit.isSuccess(encoded) ? ["success", encoded.value] : ["refused", Codec.reason(encoded)]
  }
  const error = Cause.squash(outcome.cause)
  const system = isFailure(error)
  const encoded = (system ? failureCodec : method.error).encode(error)
  if (Exit.isFailure(encoded)) return ["refused", Codec.reason(encoded)]
  return [system ? "system" : "failure", encoded.value]
}

/** As `encode`, for an answer that a behavior gives later: it may be none, since only the types of `answer` look at it before. */
export const encodeAnswer = (method: Method, answer: unknown): readonly [OutcomeKind, unknown] => {
  const refused = (what: string) =>
    ["refused", `it was answered with ${what}; an answer is Exit.succeed or Exit.fail`] as const
  if (!Exit.isExit(answer)) return refused(shown(answer))
  const cause = Exit.isFailure(answer) ? answer.cause.reasons.find((reason) => reason._tag !== "Fail") : undefined
  if (cause === undefined) return encode(method, answer)
  return refused(cause._tag === "Die" ? `a defect (${fromUnknown("Defect", cause.defect).message})` : "an interruption")
}

/** What `encode` gave for a call of `method` of an actor, as the caller gets it. */
export const decode = (
  actor: string,
  method: Method,
  kind: OutcomeKind,
  value: unknown
): Exit.Exit<unknown, unknown> => {
  if (kind === "taken") return Exit.void
  const refused = (reason: string) =>
    Exit.fail(new MessageRefused({ actor, method: method.name, part: "reply", reason }))
  if (kind === "refused") return refused(String(value))
  const codec = kind === "success" ? method.success : kind === "failure" ? method.error : failureCodec
  const decoded = codec.decode(value)
  if (Exit.isFailure(decoded)) return refused(Codec.reason(decoded))
  return kind === "success" ? decoded : Exit.fail(decoded.value)
}

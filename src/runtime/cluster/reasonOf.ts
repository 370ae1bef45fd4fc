/** Why a database cannot be used, in a few words; no word of it comes from its URL, where the password is. */
import * as Cause from "effect/Cause"
import { isSqlError } from "effect/sql/SqlError"
import { thrownText } from "../../text/plainLine.ts"

/** What the operating system says of a connection. */
const words: Readonly<Record<string, string>> = {
  ECONNREFUSED: "nobody listens there",
  ECONNRESET: "the connection was cut",
  EHOSTUNREACH: "the machine cannot be reached",
  EAI_AGAIN: "the name of its machine cannot be looked up",
  ENETUNREACH: "the network cannot be reached",
  ENOENT: "there is no such socket",
  ENOTFOUND: "there is no machine of that name",
  EPIPE: "the connection was cut",
  ETIMEDOUT: "the machine does not answer"
}

const codeOf = (cause: unknown): string =>
  cause instanceof Error && "code" in cause && typeof cause.code === "string" ? cause.code : ""

/** What went wrong at the bottom: errors name their causes. */
const bottomOf = (cause: unknown, depth = 8): unknown => {
  if (depth === 0 || codeOf(cause) !== "") return cause
  const below = isSqlError(cause) ? cause.reason.cause : cause instanceof Error ? cause.cause : undefined
  return below === undefined ? cause : bottomOf(below, depth - 1)
}

/** The stages of a connection at which something else than PostgreSQL would fail. */
const foreign = /during startup|parse server response|SSLRequest|Protocol desync/

const messagesOf = (cause: unknown, depth = 8): string =>
  !(cause instanceof Error) || depth === 0
    ? ""
    : `${cause.message} ${messagesOf(isSqlError(cause) ? cause.reason.cause : cause.cause, depth - 1)}`

export const reasonOf = (cause: unknown): string => {
  const bottom = bottomOf(cause)
  const word = words[codeOf(bottom)]
  if (word !== undefined) return word
  if (Cause.isTimeoutError(bottom)) return "it does not answer"
  if (foreign.test(messagesOf(cause))) return "what listens there does not speak as PostgreSQL does, or hung up"
  const said = thrownText(bottom).replace(/\.$/, "")
  if (/^Connection (?:is )?closed/.test(said)) return "the connection was cut"
  if (/requested password/.test(said)) return "it asks for a password: give it in the URL, or as PGPASSWORD"
  return said.replace(/^The /, "the ")
}

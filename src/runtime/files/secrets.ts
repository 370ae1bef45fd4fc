/**
 * Files with secrets and certificates. A file of secrets has one a line: the first is the one to be known by, the others are
 * known still, so that a secret can be changed while programs run.
 */
import * as Effect from "effect/Effect"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import { readFileSync, statSync } from "node:fs"
import { shortestSecret } from "../../actors/links/Handshake.ts"
import { plainLine } from "../../text/plainLine.ts"
import * as readData from "./readData.ts"
import { explain } from "./reason.ts"

/** A file that holds no secret, or no certificate. */
export class SecretFault extends Schema.TaggedError<SecretFault>()("SecretFault", { message: Schema.String }) {}

/** Bytes of such a file. */
const most = 1_048_576

const linesOf = (text: string): ReadonlyArray<string> =>
  text.split(/\r?\n/).map((line) => line.trim()).filter((line) => line !== "")

const text = (path: string, what: string) =>
  Effect.mapError(
    readData.readText(path, most),
    (error) => {
      const why = error.reason._tag === "NotFound" ? "there is no such file" : explain(error)
      return new SecretFault({ message: `The file ${plainLine(path, 200)} with ${what} cannot be read: ${why}.` })
    }
  )

/** The secrets in a file; there is one at least. */
export const readSecrets = Effect.fnUntraced(function*(path: string) {
  const [first, ...others] = linesOf(yield* text(path, "the secret"))
  const named = plainLine(path, 200)
  if (first === undefined) return yield* new SecretFault({ message: `The file ${named} holds no secret: it is empty.` })
  if ([first, ...others].some((secret) => secret.length < shortestSecret)) {
    return yield* new SecretFault({
      message:
        `A secret in ${named} is shorter than ${shortestSecret} characters: take a random one, such as that of ` +
        "`openssl rand -hex 32`."
    })
  }
  return [Redacted.make(first), ...others.map((secret) => Redacted.make(secret))] as const
})

/** The secrets that are in the file now, looked at each time; what cannot be read holds none. */
export const secretsNow = (path: string) => (): ReadonlyArray<string> => {
  try {
    if (statSync(path).size > most) return []
    return linesOf(readFileSync(path, "utf8")).filter((secret) => secret.length >= shortestSecret)
  } catch {
    return []
  }
}

/** Certificates, or a key, in PEM format. */
export const readPem = Effect.fnUntraced(function*(path: string) {
  const pem = yield* text(path, "a certificate or key")
  if (pem.includes("-----BEGIN ")) return pem
  return yield* new SecretFault({
    message: `The file ${plainLine(path, 200)} holds no certificate or key in PEM format (-----BEGIN ...).`
  })
})

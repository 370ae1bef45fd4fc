/**
 * How an owner and a runner find out that each knows the secret, and that the one may speak to the other. All of it is
 * here but the connection itself.
 *
 * The runner speaks first: a `Challenge`. The owner answers with its `Claim`: who it is, what it was built from, what it
 * wants. The runner says its `Verdict`. Claim and verdict carry HMAC-SHA256 over all that was said so far, so that neither can
 * be made without the secret, taken from another connection, or changed on the way.
 *
 * A refusal is told by its kind, and made into a sentence here. Some are for good: another try would come to the same.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { createHmac, randomBytes, timingSafeEqual } from "node:crypto"
import * as os from "node:os"
import { fromJson } from "../../text/json.ts"
import { plainLine } from "../../text/plainLine.ts"

/** Raised with every change of the handshake, of `Frames`, of `WireFormat`, or of the words of `HostLink`. */
export const protocol = 1

/** Milliseconds in which a handshake must be over. */
export const patience = 2000

/** A secret has so many characters at least. */
export const shortestSecret = 16

const Hex = Schema.String.check(Schema.isPattern(/^[0-9a-f]{64}$/))
const Name = Schema.String.check(Schema.isMaxLength(200))
const Millis = Schema.Int.check(Schema.isBetween({ minimum: 50, maximum: 86_400_000 }))

/** What a program is, as far as the bytes that it sends and the numbers that it computes go by that. */
export const Facts = Schema.Struct({
  /** What its sources were: a hash. */
  build: Name,
  /** The major version of Node. */
  node: Schema.Int,
  endianness: Schema.Literals(["LE", "BE"])
})
export type Facts = typeof Facts.Type

/** Those of this program. */
export const factsOf = (build: string): Facts => ({
  build,
  node: Number(process.versions.node.split(".")[0]),
  endianness: os.endianness()
})

export const Challenge = Schema.Struct({ troupe: Schema.Literal("runner"), protocol: Schema.Int, nonce: Hex })

/** What an owner wants of a runner: a host, to know whether it is there, or that it takes no more work. */
export const Want = Schema.Literals(["host", "probe", "drain"])
export type Want = typeof Want.Type

const claimed = {
  ...Facts.fields,
  nonce: Hex,
  want: Want,
  /** Whose hosts they are: a run, and whoever goes on with it. */
  system: Name,
  /** Grows with every owner that the system has had. */
  term: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER })),
  /** What the runner must have, in words that only its program knows. */
  need: Schema.String.check(Schema.isMaxLength(8192)),
  /** Milliseconds between two signs of life. */
  beat: Millis,
  /** Milliseconds without a sign of life from the owner after which its host is ended. */
  silence: Millis
}

export const Claim = Schema.Struct({ ...claimed, mac: Hex })
export type Claim = typeof Claim.Type

/** What an owner says of itself. */
export type Request = Omit<Claim, "mac" | "nonce">

/** Why a runner refuses an owner. */
export const Refusal = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("secret") }),
  Schema.Struct({ kind: Schema.Literal("unreadable") }),
  Schema.Struct({ kind: Schema.Literal("build"), build: Name }),
  Schema.Struct({ kind: Schema.Literal("node"), node: Schema.Int }),
  Schema.Struct({ kind: Schema.Literal("endianness"), endianness: Name }),
  Schema.Struct({ kind: Schema.Literal("term"), term: Schema.Int }),
  Schema.Struct({ kind: Schema.Literal("need"), reason: Schema.String.check(Schema.isMaxLength(2000)) }),
  Schema.Struct({ kind: Schema.Literal("draining") })
])
export type Refusal = typeof Refusal.Type

const verdict = { refusal: Schema.NullOr(Refusal) }

export const Verdict = Schema.Struct({ ...verdict, mac: Schema.NullOr(Hex) })
export type Verdict = typeof Verdict.Type

const decodeChallenge = Schema.decodeUnknownOption(fromJson(Challenge))
const decodeClaim = Schema.decodeUnknownOption(fromJson(Claim))
const decodeVerdict = Schema.decodeUnknownOption(fromJson(Verdict))

const text = (body: Uint8Array): string => new TextDecoder().decode(body)

export const nonce = (): string => randomBytes(32).toString("hex")

/** The texts' own ends are in the JSON: no two lists give the same bytes. */
const macOf = (secret: string, ...said: ReadonlyArray<unknown>): string =>
  createHmac("sha256", secret).update(JSON.stringify(said)).digest("hex")

const same = (a: string, b: string): boolean =>
  a.length === b.length && timingSafeEqual(Buffer.from(a, "latin1"), Buffer.from(b, "latin1"))

/** The fields in one order, whatever order they came in. */
const wordsOf = (claim: Request, nonce: string): ReadonlyArray<unknown> => [
  nonce,
  claim.want,
  claim.system,
  claim.term,
  claim.build,
  claim.node,
  claim.endianness,
  claim.need,
  claim.beat,
  claim.silence
]

// --------------------------------------------------------------------------------------------------------- the runner

export const challenge = (nonce: string): typeof Challenge.Type => ({ troupe: "runner", protocol, nonce })

/** What a runner goes by. */
export interface House {
  /** The secrets that are good now. */
  readonly secrets: ReadonlyArray<string>
  readonly facts: Facts
  readonly draining: boolean
  /** The highest term that a system has had, as far as it has been heard of. */
  readonly termOf: (system: string) => number
  /** Why it does not have what is needed. */
  readonly lacks: (need: string) => string | undefined
}

/** What a runner thinks of a claim; `claim` is there where it comes from who knows a secret, and is not refused. */
export interface Judged {
  readonly claim: Claim | undefined
  readonly verdict: Verdict
}

export const judge = (body: Uint8Array, challengeNonce: string, house: House): Judged => {
  const decoded = decodeClaim(text(body))
  if (Option.isNone(decoded)) return { claim: undefined, verdict: { refusal: { kind: "unreadable" }, mac: null } }
  const claim = decoded.value
  const words = wordsOf(claim, claim.nonce)
  const secret = house.secrets.find((secret) => same(claim.mac, macOf(secret, "owner", challengeNonce, ...words)))
  if (secret === undefined) return { claim: undefined, verdict: { refusal: { kind: "secret" }, mac: null } }
  const refusal = refusalOf(claim, house)
  const mac = macOf(secret, "runner", challengeNonce, claim.mac, refusal)
  return { claim: refusal === null ? claim : undefined, verdict: { refusal, mac } }
}

const refusalOf = (claim: Claim, { draining, facts, lacks, termOf }: House): Refusal | null => {
  const { build, endianness, node, term, want } = claim
  // Whoever ends the work here only has to know the secret.
  if (want === "drain") return null
  if (build !== facts.build) return { kind: "build", build: facts.build }
  if (node !== facts.node) return { kind: "node", node: facts.node }
  if (endianness !== facts.endianness) return { kind: "endianness", endianness: facts.endianness }
  const known = termOf(claim.system)
  if (term < known) return { kind: "term", term: known }
  const reason = lacks(claim.need)
  if (reason !== undefined) return { kind: "need", reason: plainLine(reason, 1000) }
  return draining ? { kind: "draining" } : null
}

// ---------------------------------------------------------------------------------------------------------- the owner

/** Why there is no link: `final` where another try would come to the same, `over` where it would anywhere. */
export interface Refused {
  readonly problem: string
  readonly final: boolean
  readonly over: boolean
}

export const foreign: Refused = { problem: "what listens there is no runner of Troupe", final: true, over: false }

/** The answer to what a runner says first. */
export const claim = (body: Uint8Array, request: Request, secret: string, nonce: string): Refused | {
  readonly claim: Claim
  readonly challengeNonce: string
} => {
  const decoded = decodeChallenge(text(body))
  if (Option.isNone(decoded)) return foreign
  const its = decoded.value
  if (its.protocol !== protocol) {
    return { problem: `it speaks version ${its.protocol} of the protocol, we ${protocol}`, final: true, over: false }
  }
  const mac = macOf(secret, "owner", its.nonce, ...wordsOf(request, nonce))
  return { claim: { ...request, nonce, mac }, challengeNonce: its.nonce }
}

/** Whether the runner takes us; undefined where it does. */
export const heard = (
  body: Uint8Array,
  made: { readonly claim: Claim; readonly challengeNonce: string },
  secret: string
): Refused | undefined => {
  const decoded = decodeVerdict(text(body))
  if (Option.isNone(decoded)) return foreign
  const { mac, refusal } = decoded.value
  if (refusal?.kind === "secret") {
    return { problem: "its secret is another than ours", final: true, over: false }
  }
  if (mac === null || !same(mac, macOf(secret, "runner", made.challengeNonce, made.claim.mac, refusal))) {
    return { problem: "it does not prove that it knows our secret", final: true, over: false }
  }
  return refusal === null ? undefined : sentenceOf(refusal, made.claim)
}

const short = (build: string): string => plainLine(build, 20)

const sentenceOf = (refusal: Refusal, ours: Facts & { readonly term: number }): Refused => {
  const final = (problem: string): Refused => ({ problem, final: true, over: false })
  switch (refusal.kind) {
    case "secret":
    case "unreadable":
      return final("it could not read what we said")
    case "build":
      return final(
        `it is of build ${short(refusal.build)}, we of ${short(ours.build)}: run the same sources on all machines`
      )
    case "node":
      return final(`it runs Node ${refusal.node}, we Node ${ours.node}: run the same major version on all machines`)
    case "endianness":
      return final(`its processor orders bytes as ${plainLine(refusal.endianness, 20)}, ours as ${ours.endianness}`)
    case "term":
      return {
        problem:
          `our term ${ours.term} is over: it has heard of term ${refusal.term}, so another has taken this run over`,
        final: true,
        over: true
      }
    case "need":
      return final(plainLine(refusal.reason, 1000))
    case "draining":
      return { problem: "it takes no more work", final: false, over: false }
    default:
      return refusal satisfies never
  }
}

/**
 * What the fuzzers of data files share: seeded changes of bytes and of JSON, and the law. Whatever a file holds, reading it
 * ends soon, in a value or in one bounded sentence: never in a defect.
 *
 *     FUZZ_ROUNDS=20000 FUZZ_SEED=7 npx vitest run test/fuzz
 */
import { assert } from "@effect/vitest"
import { Cause, Effect, Exit } from "effect"
import { createHash } from "node:crypto"
import { plainLine } from "../../src/text/plainLine.ts"

/** Rounds of each fuzzer; few where the tests of every change run them. */
export const rounds = Number(process.env["FUZZ_ROUNDS"] ?? 300)
export const seed = Number(process.env["FUZZ_SEED"] ?? 1)

/** A stream of numbers from a seed: mulberry32. */
export class Chance {
  private state: number
  constructor(seed: number) {
    this.state = seed >>> 0
  }
  /** A whole number from 0 to below `n`. */
  below(n: number): number {
    this.state = (this.state + 0x6d2b79f5) >>> 0
    let t = this.state
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) % n
  }
  of<A>(values: ReadonlyArray<A>): A {
    return values[this.below(values.length)]!
  }
}

/** Texts that have been the end of some reader. */
const hostileTexts = [
  "",
  "\u0000",
  "\u001b[2J\u0007",
  "\u202e",
  "\ud800",
  "__proto__",
  "constructor",
  "../../x",
  "x".repeat(100_000),
  "1e999",
  "-0",
  "NaN",
  "data:text/javascript,1//.js",
  "\n",
  "{}",
  "[[[["
]
const hostileNumbers = [0, -1, 0.5, 1e308, -1e308, 2 ** 31, 2 ** 32, 2 ** 53, Number.MAX_SAFE_INTEGER, 1e-320]
const nested = (depth: number): unknown => {
  let value: unknown = 1
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value }
  return value
}

export const hostileText = (chance: Chance): string => chance.of(hostileTexts)

/** Any JSON value. */
export const anyJson = (chance: Chance, depth = 0): unknown => {
  switch (chance.below(depth > 3 ? 5 : 8)) {
    case 0:
      return null
    case 1:
      return chance.below(2) === 0
    case 2:
      return chance.of(hostileNumbers)
    case 3:
      return chance.of(hostileTexts)
    case 4:
      return chance.below(1000)
    case 5:
      return nested(chance.of([3, 63, 64, 200]))
    case 6:
      return Array.from({ length: chance.below(5) }, () => anyJson(chance, depth + 1))
    default:
      return Object.fromEntries(
        Array.from(
          { length: chance.below(5) },
          () => [chance.of(hostileTexts).slice(0, 50), anyJson(chance, depth + 1)]
        )
      )
  }
}

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null

/** A JSON value with one place in it changed, dropped, doubled or renamed. */
export const changedJson = (chance: Chance, value: unknown): unknown => {
  if (!isRecord(value) || chance.below(12) === 0) return anyJson(chance)
  const keys = Object.keys(value)
  if (keys.length === 0) return anyJson(chance)
  const key = chance.of(keys)
  if (Array.isArray(value)) {
    const copy = [...value]
    const at = Number(key)
    if (chance.below(4) > 0) copy[at] = changedJson(chance, value[at])
    else copy.splice(at, chance.below(2), ...Array.from({ length: chance.below(3) }, () => value[at]))
    return copy
  }
  const { [key]: part, ...rest } = value
  switch (chance.below(6)) {
    case 0:
      return rest
    case 1:
      return { ...rest, [chance.of(hostileTexts).slice(0, 50)]: part }
    case 2:
      return { ...value, [chance.of(hostileTexts).slice(0, 50)]: anyJson(chance) }
    default:
      return { ...rest, [key]: changedJson(chance, part) }
  }
}

/** Bytes with some flipped, cut, doubled, dropped or put in. */
export const changedBytes = (chance: Chance, bytes: Uint8Array): Uint8Array => {
  const copy = Buffer.from(bytes)
  const at = chance.below(copy.length + 1)
  const some = chance.below(64)
  switch (chance.below(5)) {
    case 0:
      for (let i = 0; i <= some && copy.length > 0; i++) copy[chance.below(copy.length)]! ^= 1 << chance.below(8)
      return copy
    case 1:
      return copy.subarray(0, at)
    case 2:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(Math.max(0, at - some))])
    case 3:
      return Buffer.concat([copy.subarray(0, at), copy.subarray(at + some)])
    default:
      return Buffer.concat([copy.subarray(0, at), Buffer.alloc(some, chance.below(256)), copy.subarray(at)])
  }
}

/** JSON text of a changed value; now and then with what JSON.stringify would not write. */
export const changedText = (chance: Chance, value: unknown): string => {
  const text = JSON.stringify(changedJson(chance, value))
  if (chance.below(10) > 0) return text
  return chance.of([
    `${text}${text}`,
    text.slice(0, chance.below(text.length)),
    text.replace(/\d+/, "1e999"),
    text.replace("{", `{"__proto__":{"a":1},`),
    `${"[".repeat(50_000)}${text}${"]".repeat(50_000)}`,
    `\ufeff${text}`
  ])
}

export const withDigest = (body: Uint8Array): Uint8Array =>
  Buffer.concat([body, createHash("sha256").update(body).digest()])

/** Milliseconds that reading a small file may take on a machine that has other work, too. */
const soon = 5_000

/** Reads, and holds the outcome to the law. Answers whether it was read. */
export const lawful = Effect.fnUntraced(function*<A, E extends { readonly message: string }, R>(
  what: () => string,
  read: Effect.Effect<A, E, R>
) {
  const before = performance.now()
  const exit = yield* Effect.exit(read)
  const took = performance.now() - before
  assert.isBelow(took, soon, what())
  if (Exit.isSuccess(exit)) return true
  const failure = exit.cause.reasons[0]
  assert.isTrue(
    exit.cause.reasons.length === 1 && failure !== undefined && Cause.isFailReason(failure),
    `${what()}: ${Cause.pretty(exit.cause).slice(0, 2000)}`
  )
  const { message } = failure !== undefined && Cause.isFailReason(failure) ? failure.error : { message: "" }
  const line = plainLine(message)
  assert.isAtMost(line.length, 1000)
  assert.match(line, /\S.*[.?\w)"]$/s, what())
  return false
})

/**
 * What the options of the public functions may be. They are checked where they are given, so that `hosts: NaN` or
 * `mailbox: 0` is one sentence there and not a system that does nothing.
 */
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { InvalidOption } from "./errors.ts"

/** A schema whose `expected` says in words what it accepts. */
interface Rule {
  readonly schema: Schema.Schema<unknown>
  readonly expected: string
}

/** By name; an option that is left out is always right. */
export type Rules = { readonly [option: string]: Rule | Rules }

const rule = (schema: Schema.Schema<unknown>, expected: string): Rule => ({ schema, expected })

/** Node's timers count milliseconds in 31 bits. */
const longest = 0x7fff_ffff

const duration = (accepts: (millis: number) => boolean, expected: string): Rule =>
  rule(
    Schema.Unknown.check(Schema.makeFilter((input) => {
      if (Number.isNaN(input)) return false
      // What is no duration at all is refused by `fromInput`, whatever its type.
      const parsed = Duration.fromInput(input as Duration.Input)
      return Option.isSome(parsed) && accepts(Duration.toMillis(parsed.value))
    })),
    expected
  )

/** A whole number from `minimum` on. */
export const whole = (minimum: number): Rule =>
  rule(Schema.Int.check(Schema.isGreaterThanOrEqualTo(minimum)), `a whole number of at least ${minimum}`)

/** A whole number from `minimum` to `maximum`. */
export const wholeBetween = (minimum: number, maximum: number): Rule =>
  rule(Schema.Int.check(Schema.isBetween({ minimum, maximum })), `a whole number from ${minimum} to ${maximum}`)

/** A whole number from `minimum` on, or `Infinity`. */
export const wholeOrInfinity = (minimum: number): Rule =>
  rule(
    Schema.Number.check(
      Schema.makeFilter((value) => value >= minimum && (Number.isInteger(value) || value === Number.POSITIVE_INFINITY))
    ),
    `a whole number of at least ${minimum}, or Infinity`
  )

/** A finite number above zero. */
export const positive: Rule = rule(Schema.Finite.check(Schema.isGreaterThan(0)), "a number above zero")

/** A time that may be 0 and may be endless. */
export const wait: Rule = duration((millis) => millis >= 0, "a duration, not negative")

/** A time that may be endless, but not 0. */
export const span: Rule = duration((millis) => millis > 0, "a duration above zero")

/** A time that a timer can wait for. */
export const delay: Rule = duration(
  (millis) => millis >= 0 && millis <= longest,
  "a duration of at most 24 days, not negative"
)

export const oneOf = (...values: ReadonlyArray<string>): Rule =>
  rule(Schema.Literals(values), values.map((value) => JSON.stringify(value)).join(" or "))

export const name: Rule = rule(Schema.NonEmptyString, "a text that is not empty")

/** What is wrong with the options given to `function_`, if something is. */
export const check = (function_: string, options: object, rules: Rules): InvalidOption | undefined => {
  for (const [option, given] of Object.entries(options)) {
    const expectation = rules[option]
    if (given === undefined || expectation === undefined) continue
    if (isRule(expectation)) {
      if (Schema.is(expectation.schema)(given)) continue
      return new InvalidOption({ function: function_, option, expected: expectation.expected, given: shown(given) })
    }
    const nested = Predicate.isObject(given) ? check(function_, given, expectation) : undefined
    if (nested !== undefined) return new InvalidOption({ ...nested, option: `${option}.${nested.option}` })
  }
  return undefined
}

const isRule = (rule: Rule | Rules): rule is Rule => Schema.isSchema(rule["schema"])

const shown = (value: unknown): string => typeof value === "string" ? JSON.stringify(value) : String(value)

/**
 * What the options of the public functions may be. They are checked where they are given, so that `hosts: NaN`,
 * `mailbox: 0` or a misspelled name is one sentence there and not a system that does nothing, or something else.
 */
import * as Duration from "effect/Duration"
import { format } from "effect/Formatter"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { InvalidOption } from "./errors.ts"

/** A schema whose `expected` says in words what it accepts. */
export interface Rule {
  readonly schema: Schema.Schema<unknown>
  readonly expected: string
  /** Whether it must be given. */
  readonly required?: boolean
}

/** What decides by itself about an option, and says what is wrong with it. */
export type Check = (function_: string, option: string, given: unknown) => InvalidOption | undefined

/** All that there are, by name. One that is left out is right, unless it is required. */
export type Rules = { readonly [option: string]: Rule | Rules | Check }

const rule = (schema: Schema.Schema<unknown>, expected: string): Rule => ({ schema, expected })

export const required = (rule: Rule): Rule => ({ ...rule, required: true })

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

/** A time of so many milliseconds at least that a timer can wait for. */
export const delayFrom = (least: number): Rule =>
  duration((millis) => millis >= least && millis <= longest, `a duration from ${least} ms to 24 days`)

export const oneOf = (...values: ReadonlyArray<string>): Rule =>
  rule(Schema.Literals(values), values.map((value) => JSON.stringify(value)).join(" or "))

export const name: Rule = rule(Schema.NonEmptyString, "a text that is not empty")

export const text: Rule = rule(Schema.String, "a text")

export const texts: Rule = rule(Schema.Array(Schema.String), "a list of texts")

export const boolean: Rule = rule(Schema.Boolean, "true or false")

/** What fits a description that no schema of ours has. */
export const such = (is: (value: unknown) => boolean, expected: string): Rule =>
  rule(Schema.Unknown.check(Schema.makeFilter(is)), expected)

export const callable: Rule = such((value) => typeof value === "function", "a function")

/** Checked elsewhere, or as it is. */
export const anything: Rule = rule(Schema.Unknown, "anything")

/** One rule after the other, so that each failing has its own sentence. */
export const inTurn = (...rules: ReadonlyArray<Rule>): Check => (function_, option, given) => {
  const broken = rules.find(({ schema }) => !Schema.is(schema)(given))
  return broken && invalid(function_, option, broken.expected, given)
}

/** What is wrong with the options given to `function_`, if something is. */
export const check = (function_: string, options: unknown, rules: Rules): InvalidOption | undefined => {
  if (!Predicate.isObject(options)) return invalid(function_, "options", "an object", options)
  for (const option of Object.keys(options)) {
    // A name that every object has is no option by that.
    if (Object.hasOwn(rules, option)) continue
    return new InvalidOption({
      ...invalid(function_, option, "left out", options[option]),
      known: Object.keys(rules).toSorted()
    })
  }
  for (const [option, expectation] of Object.entries(rules)) {
    const given = options[option]
    const wrong = wrongWith(function_, option, given, expectation)
    if (wrong !== undefined) return wrong
  }
  return undefined
}

const wrongWith = (
  function_: string,
  option: string,
  given: unknown,
  expectation: Rule | Rules | Check
): InvalidOption | undefined => {
  if (given === undefined && !(isRule(expectation) && expectation.required === true)) return undefined
  if (typeof expectation === "function") return expectation(function_, option, given)
  if (isRule(expectation)) {
    return Schema.is(expectation.schema)(given) ? undefined : invalid(function_, option, expectation.expected, given)
  }
  if (!Predicate.isObject(given)) return invalid(function_, option, "an object", given)
  return within(option, check(function_, given, expectation))
}

/** The same, of an option that lies within another. */
export const within = (option: string, nested: InvalidOption | undefined): InvalidOption | undefined =>
  nested && new InvalidOption({ ...nested, option: `${option}.${nested.option}` })

export const invalid = (function_: string, option: string, expected: string, given: unknown): InvalidOption =>
  new InvalidOption({ function: function_, option, expected, given: shown(given) })

const isRule = (rule: Rule | Rules | Check): rule is Rule => typeof rule === "object" && Schema.isSchema(rule["schema"])

/** At most this many characters of a value are shown. */
const longestShown = 80

/** A value, in a few words. */
export const shown = (value: unknown): string => {
  let whole: string
  try {
    whole = typeof value === "function" ? "a function" : format(value)
  } catch {
    whole = "something that has no text"
  }
  return whole.length > longestShown ? `${whole.slice(0, longestShown)}...` : whole
}

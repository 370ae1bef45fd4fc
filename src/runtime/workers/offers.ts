/**
 * Which environments the hosts of a runner step: those that come with Troupe, and those that the runner was started with. A
 * trainer names them by their ids; what an id stands for is the runner's own affair, and no path is heard.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { isGymnasium } from "../../envs/gymnasium/reference.ts"
import { EnvironmentNotLoaded, isModule } from "../../envs/loadEnvironment.ts"
import { joinReference, splitReference, wrappersOf } from "../../envs/options.ts"
import { Registry } from "../../envs/Registry.ts"
import { fromJson } from "../../text/json.ts"
import { plainLine } from "../../text/plainLine.ts"

/** An environment that a runner was started with. */
export const Offer = Schema.Struct({
  id: Schema.String,
  /** What it is here: a module, or one of Gymnasium's. */
  reference: Schema.String,
  /** Of the module; null where it has none. */
  fingerprint: Schema.NullOr(Schema.String)
})
export type Offer = typeof Offer.Type

/** What this program may step for whoever asks; null: whatever is named. */
export const Offers = Context.Reference<ReadonlyArray<Offer> | null>("troupe/runtime/Offers", {
  defaultValue: () => null
})

/** What a trainer needs of a runner: an environment, and the module that it takes for that. */
const Need = Schema.Struct({ environment: Schema.String, fingerprint: Schema.NullOr(Schema.String) })

export const encodeNeed = (need: typeof Need.Type): string => JSON.stringify(need)

const decodeNeed = Schema.decodeUnknownOption(fromJson(Need))

const offerOf = (offers: ReadonlyArray<Offer>, environment: string): Offer | undefined => {
  const { base } = splitReference(environment)
  // Options of Python's may be paths: there the whole must have been named.
  return isGymnasium(base)
    ? offers.find(({ reference }) => reference === environment)
    : offers.find(({ id }) => id === base)
}

/** Why there is no such environment here, after "it" or whoever is meant; undefined where there is. */
const missing = (offers: ReadonlyArray<Offer>, environment: string): string | undefined => {
  const { base } = splitReference(environment)
  if (offerOf(offers, environment) !== undefined) return undefined
  if (!isModule(environment) && !isGymnasium(base) && Registry.isBuiltIn(base)) return undefined
  return `has no environment ${plainLine(base, 100)}: start it with --env-id and what that is there`
}

/** Why a runner with these offers is of no use to who needs that, after "it"; undefined where it is. */
export const lacks = (offers: ReadonlyArray<Offer>, need: string): string | undefined => {
  const decoded = decodeNeed(need)
  if (Option.isNone(decoded)) return "it cannot read what is needed of it"
  const { environment, fingerprint } = decoded.value
  const offer = offerOf(offers, environment)
  if (offer !== undefined && offer.fingerprint !== fingerprint) {
    return `its ${plainLine(offer.id, 100)} is another than ours: the module, or something that it imports, differs`
  }
  const problem = missing(offers, environment)
  return problem === undefined ? undefined : `it ${problem}`
}

/** What an environment that a trainer names is here. */
export const offeredReference = (
  offers: ReadonlyArray<Offer>,
  environment: string
): Effect.Effect<string, EnvironmentNotLoaded> => {
  const problem = missing(offers, environment)
  if (problem !== undefined) {
    return Effect.fail(new EnvironmentNotLoaded({ reference: environment, problem: `the runner ${problem}` }))
  }
  const offer = offerOf(offers, environment)
  if (offer === undefined || offer.reference === environment) return Effect.succeed(environment)
  const { base } = splitReference(offer.reference)
  return Effect.succeed(joinReference(base, splitReference(environment).given, wrappersOf(environment)))
}

/**
 * The wrappers that can be named in text: `FrameStackObservation:4`, `RescaleAction:min_action=-1,max_action=1`. A command
 * line, a file of settings and a saved policy name them so; a name is one of this table and never a module, so that no
 * file runs anything.
 */
import * as Schema from "effect/Schema"
import type { EnvironmentDefinition } from "../EnvironmentDefinition.ts"
import { nearest } from "../nearest.ts"
import { optionValue } from "../options.ts"
import { ClipAction } from "./ClipAction.ts"
import { ClipReward } from "./ClipReward.ts"
import { FlattenObservation, OneHotObservation } from "./FlattenObservation.ts"
import { FrameStackObservation } from "./FrameStackObservation.ts"
import { MaxAndSkipObservation } from "./MaxAndSkipObservation.ts"
import { NormalizeObservation } from "./NormalizeObservation.ts"
import { NormalizeReward } from "./NormalizeReward.ts"
import { RecordEpisodeStatistics } from "./RecordEpisodeStatistics.ts"
import { RescaleAction } from "./RescaleAction.ts"
import { RescaleObservation } from "./RescaleObservation.ts"
import { StickyAction } from "./StickyAction.ts"
import { TimeAwareObservation } from "./TimeAwareObservation.ts"
import { TimeLimit } from "./TimeLimit.ts"

/** A wrapper in text that is none, or whose options cannot be. */
export class UnknownWrapper extends Schema.TaggedError<UnknownWrapper>()("UnknownWrapper", {
  text: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `The wrapper ${JSON.stringify(this.text)} cannot be used: ${this.problem}.`
  }
}

/** A wrapper that can be named. */
interface NamedWrapper {
  /** The names of its options, in the order in which they are given without. */
  readonly options: ReadonlyArray<string>
  /** Wraps with options as they were read; throws an UnknownWrapper or an InvalidWrapper. */
  readonly wrap: (definition: EnvironmentDefinition, options: unknown, text: string) => EnvironmentDefinition
}

const Bound = Schema.Union([Schema.Finite, Schema.Array(Schema.Finite)])

/** Options by their schemas, and the function that takes them. */
const named = <Options>(
  schema: Schema.ConstraintDecoder<Options> & { readonly fields: object },
  wrap: (definition: EnvironmentDefinition, options: Options) => EnvironmentDefinition
): NamedWrapper => {
  const decode = Schema.decodeUnknownSync(schema)
  return {
    options: Object.keys(schema.fields),
    wrap: (definition, options, text) => {
      let read: Options
      try {
        read = decode(options)
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message.replaceAll(/\s*\n\s*/g, " ") : String(cause)
        throw new UnknownWrapper({ text, problem: reason })
      }
      return wrap(definition, read)
    }
  }
}

/** Every wrapper that can be named, by Gymnasium's name for it. */
const wrappers = {
  TimeLimit: named(
    Schema.Struct({ max_episode_steps: Schema.Int.check(Schema.isGreaterThan(0)) }),
    (definition, { max_episode_steps }) => TimeLimit.wrap({ ...definition, maxEpisodeSteps: max_episode_steps })
  ),
  RecordEpisodeStatistics: named(
    Schema.Struct({ stats_key: Schema.optionalKey(Schema.NonEmptyString) }),
    RecordEpisodeStatistics.wrap
  ),
  NormalizeReward: named(
    Schema.Struct({ gamma: Schema.optionalKey(Schema.Finite), epsilon: Schema.optionalKey(Schema.Finite) }),
    NormalizeReward.wrap
  ),
  NormalizeObservation: named(Schema.Struct({ epsilon: Schema.optionalKey(Schema.Finite) }), NormalizeObservation.wrap),
  ClipAction: named(Schema.Struct({}), ClipAction.wrap),
  ClipReward: named(
    Schema.Struct({
      min_reward: Schema.optionalKey(Schema.NullOr(Schema.Finite)),
      max_reward: Schema.optionalKey(Schema.NullOr(Schema.Finite))
    }),
    ClipReward.wrap
  ),
  RescaleAction: named(Schema.Struct({ min_action: Bound, max_action: Bound }), RescaleAction.wrap),
  RescaleObservation: named(Schema.Struct({ min_obs: Bound, max_obs: Bound }), RescaleObservation.wrap),
  FrameStackObservation: named(
    Schema.Struct({ stack_size: Schema.Int, padding_type: Schema.optionalKey(Schema.Literals(["reset", "zero"])) }),
    FrameStackObservation.wrap
  ),
  MaxAndSkipObservation: named(Schema.Struct({ skip: Schema.optionalKey(Schema.Int) }), MaxAndSkipObservation.wrap),
  FlattenObservation: named(Schema.Struct({}), FlattenObservation.wrap),
  OneHotObservation: named(Schema.Struct({}), OneHotObservation.wrap),
  TimeAwareObservation: named(
    Schema.Struct({
      flatten: Schema.optionalKey(Schema.Boolean),
      normalize_time: Schema.optionalKey(Schema.Boolean),
      dict_time_key: Schema.optionalKey(Schema.NonEmptyString)
    }),
    TimeAwareObservation.wrap
  ),
  StickyAction: named(
    Schema.Struct({ repeat_action_probability: Schema.Finite, repeat_action_duration: Schema.optionalKey(Bound) }),
    StickyAction.wrap
  )
} satisfies Readonly<Record<string, NamedWrapper>>

type WrapperName = keyof typeof wrappers

/** The names, as they are told. */
export const wrapperNames = Object.keys(wrappers).filter((name): name is WrapperName => name in wrappers)

/** Gymnasium's wrappers that take a function, which text is not. */
const ofFunctions = ["TransformReward", "TransformObservation", "TransformAction"]

/** A name without how its words are put together. */
const squashed = (name: string): string => name.toLowerCase().replaceAll(/[-_\s]/g, "")

/** Names by how they may be written: `frame-stack` and `frame_stack_observation` are FrameStackObservation. */
const spellings: ReadonlyMap<string, WrapperName> = new Map([
  ...wrapperNames.flatMap((name): ReadonlyArray<readonly [string, WrapperName]> => {
    const short = squashed(name.replace(/Observation$/, ""))
    const shared = short !== squashed(name) &&
      wrapperNames.some((other) => other !== name && squashed(other).startsWith(short))
    return shared ? [] : [[short, name]]
  }),
  ...wrapperNames.map((name) => [squashed(name), name] as const)
])

/** Cuts at commas that stand in no brackets. */
const parts = (text: string): ReadonlyArray<string> => text.match(/(?:\[[^\]]*\]|\([^)]*\)|[^,[(])+/g) ?? []

interface Parsed {
  readonly name: WrapperName
  readonly options: Readonly<Record<string, Schema.Json>>
}

/** Reads `name`, `name:value,value` or `name:option=value,...`. Throws an UnknownWrapper. */
const parse = (text: string): Parsed => {
  const fail = (problem: string): never => {
    throw new UnknownWrapper({ text, problem })
  }
  const at = text.indexOf(":")
  const word = (at < 0 ? text : text.slice(0, at)).trim()
  const name = spellings.get(squashed(word))
  if (name === undefined) {
    if (ofFunctions.some((other) => squashed(other) === squashed(word))) {
      return fail("it takes a function: use it in a module that exports the environment")
    }
    const near = nearest(squashed(word), [...spellings.keys()])
    return fail(
      near === undefined
        ? `there is none of that name; there are ${wrapperNames.join(", ")}`
        : `there is none of that name: did you mean ${spellings.get(near)}`
    )
  }
  const { options: known } = wrappers[name]
  const options: Record<string, Schema.Json> = {}
  for (const [i, part] of (at < 0 ? [] : parts(text.slice(at + 1))).entries()) {
    const [, given, value] = /^\s*([A-Za-z_]\w*)\s*=(.*)$/s.exec(part) ?? [undefined, known[i], part]
    if (given === undefined) {
      return fail(known.length === 0 ? `it takes no options` : `it takes ${known.length} options, ${known.join(", ")}`)
    }
    if (!known.includes(given)) {
      return fail(
        known.length === 0 ? `it takes no options` : `it has no option ${given}; known are ${known.join(", ")}`
      )
    }
    if (Object.hasOwn(options, given)) return fail(`its option ${given} is given twice`)
    // Python writes a pair in parentheses.
    options[given] = optionValue(value!.trim().replace(/^\((.*)\)$/s, "[$1]"))
  }
  return { name, options }
}

/** The one way to write a wrapper and the options it was given. Throws an UnknownWrapper. */
export const canonicalWrapper = (text: string): string => {
  const { name, options } = parse(text)
  const given = wrappers[name].options.filter((option) => Object.hasOwn(options, option))
  if (given.length === 0) return name
  const written = given.map((option) => {
    const value = options[option]
    return `${option}=${typeof value === "string" && optionValue(value) === value ? value : JSON.stringify(value)}`
  })
  return `${name}:${written.join(",")}`
}

/**
 * A definition in the wrappers of these texts, the first innermost. The environment's own time limit is kept within them all,
 * as `gymnasium.make` has it. Throws an UnknownWrapper or an InvalidWrapper.
 */
export const wrapNamed = (definition: EnvironmentDefinition, texts: ReadonlyArray<string>): EnvironmentDefinition => {
  if (texts.length === 0) return definition
  let wrapped = TimeLimit.wrap(definition)
  for (const text of texts) {
    const { name, options } = parse(text)
    wrapped = wrappers[name].wrap(wrapped, options, text)
  }
  return TimeLimit.passOn(wrapped, {
    ...wrapped,
    wrapped: [...(definition.wrapped ?? []), ...texts.map(canonicalWrapper)]
  })
}

/**
 * The keyword options of an environment, Gymnasium's arguments of `make`: a table of names, each with its schema, what it
 * is by default and what it is for. A definition with options can be had with others, and a reference such as
 * `FrozenLake-v1?is_slippery=false` names it so that other threads and saved policies find the same one.
 */
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { fromJson } from "../text/json.ts"
import type { EnvironmentDefinition, JsonRecord } from "./EnvironmentDefinition.ts"
import { nearest } from "./nearest.ts"
import type { ActionSpace } from "./spaces/index.ts"

/** One option of an environment. */
export interface EnvironmentOption<Value> {
  readonly schema: Schema.Codec<Value, Schema.Json>
  readonly byDefault: Value
  /** What it changes, as one line. */
  readonly about: string
}

/** What a definition with options offers. */
export interface Configurable<A extends ActionSpace> {
  readonly options: EnvironmentOptions
  /** The environment with these options; throws an InvalidOption. */
  readonly configure: (given: JsonRecord) => EnvironmentDefinition<A>
}

/** The options of an environment by name. */
export type EnvironmentOptions = Readonly<Record<string, EnvironmentOption<unknown>>>

type Values<Options extends EnvironmentOptions> = {
  readonly [Name in keyof Options]: Options[Name] extends EnvironmentOption<infer Value> ? Value : never
}

/** An option that the environment does not have, or a value that it cannot be. */
export class InvalidOption extends Schema.TaggedError<InvalidOption>()("InvalidOption", {
  id: Schema.String,
  option: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `The environment "${this.id}" ${this.problem}.`
  }
}

const decode = (id: string, options: EnvironmentOptions, given: JsonRecord): Record<string, unknown> => {
  const names = Object.keys(options)
  const unknown = Object.keys(given).find((name) => !names.includes(name))
  if (unknown !== undefined) {
    const near = nearest(unknown, names)
    const hint = near === undefined ? `known are ${names.join(", ")}` : `did you mean "${near}"`
    throw new InvalidOption({ id, option: unknown, problem: `has no option "${unknown}": ${hint}` })
  }
  return Object.fromEntries(
    Object.entries(options).map(([name, { byDefault, schema }]) => {
      const value = given[name]
      if (value === undefined) return [name, byDefault]
      try {
        return [name, Schema.decodeUnknownSync(schema)(value)]
      } catch (cause) {
        const reason = cause instanceof Error ? cause.message.split("\n")[0]! : String(cause)
        const problem = `cannot have the option ${name}=${JSON.stringify(value)}: ${reason}`
        throw new InvalidOption({ id, option: name, problem })
      }
    })
  )
}

/**
 * A definition that takes options. `define` is given a value for each of them, and may throw an `InvalidOption` of its
 * own for values that do not fit one another.
 */
export const withOptions = <A extends ActionSpace, const Options extends EnvironmentOptions>(
  id: string,
  options: Options,
  define: (values: Values<Options>) => EnvironmentDefinition<A>
): EnvironmentDefinition<A> => {
  const configure = (given: JsonRecord): EnvironmentDefinition<A> => {
    const definition = define(decode(id, options, given) as Values<Options>)
    const configured = Object.keys(given).length === 0 ? { ...definition } : { ...definition, configured: given }
    return Object.defineProperty(configured, "configurable", { value: { options, configure }, enumerable: false })
  }
  return configure({})
}

/** A definition with these options; throws an `InvalidOption` for one that it does not take. */
export const configure = <A extends ActionSpace>(
  definition: EnvironmentDefinition<A>,
  given: JsonRecord
): EnvironmentDefinition<A> => {
  const names = Object.keys(given)
  // A changed copy of a configured definition still says what it was made with.
  if (JSON.stringify(given) === JSON.stringify(definition.configured ?? {})) return definition
  if (definition.configurable !== undefined) return definition.configurable.configure(given)
  const problem = `takes no options: leave ${names.join(", ")} out`
  throw new InvalidOption({ id: definition.id, option: names[0]!, problem })
}

/** What Python writes otherwise than JSON. */
const pythonWords: Readonly<Record<string, Schema.Json>> = { True: true, False: false, None: null }

const decodeJson = Schema.decodeUnknownOption(fromJson(Schema.Json))

/** The value that a person wrote: JSON, or Python's True, False and None; anything else is a string. */
export const optionValue = (text: string): Schema.Json => {
  if (Object.hasOwn(pythonWords, text)) return pythonWords[text]!
  return Option.getOrElse(decodeJson(text), () => text)
}

/** A path or URL of a module, and after a colon the id of one of its exports. */
export const modulePattern = /^(.+\.[cm]?[jt]sx?)(?::(.+))?$/

/** What may stand after the question mark: `name=value`, with what a path holds written otherwise. */
const optionsPattern = /^(?:[^/\\]+=[^/\\]*)?$/

/** The name among the options that stands for a wrapper, once for each, the innermost first. */
const wrapKey = "wrap"

/** A reference cut before and after the question mark. A path may hold a question mark itself. */
const cut = (reference: string): { readonly base: string; readonly written: URLSearchParams } => {
  const at = reference.lastIndexOf("?")
  return at < 0 || !optionsPattern.test(reference.slice(at + 1))
    ? { base: reference, written: new URLSearchParams() }
    : { base: reference.slice(0, at), written: new URLSearchParams(reference.slice(at + 1)) }
}

/** What a reference names, an id or a module, and the environment's options. */
export const splitReference = (reference: string): { readonly base: string; readonly given: JsonRecord } => {
  const { base, written } = cut(reference)
  written.delete(wrapKey)
  return { base, given: Object.fromEntries([...written].map(([name, value]) => [name, optionValue(value)])) }
}

/** The wrappers of a reference, in the words of `wrappers/namedWrappers.ts`, the innermost first. */
export const wrappersOf = (reference: string): ReadonlyArray<string> => cut(reference).written.getAll(wrapKey)

/** A reference with these options and wrappers; others that it has stay, the wrappers within. */
export const joinReference = (
  reference: string,
  more: JsonRecord,
  outer: ReadonlyArray<string> = []
): string => {
  const { base, given } = splitReference(reference)
  const all = Object.entries({ ...given, ...more })
  const wrappers = [...wrappersOf(reference), ...outer]
  if (all.length === 0 && wrappers.length === 0) return base
  // A string stays as it is where it reads back as itself: `map_name=8x8`.
  const written = all.map(([name, value]): [string, string] => [
    name,
    typeof value === "string" && optionValue(value) === value ? value : JSON.stringify(value)
  ])
  return `${base}?${new URLSearchParams([...written, ...wrappers.map((text): [string, string] => [wrapKey, text])])}`
}

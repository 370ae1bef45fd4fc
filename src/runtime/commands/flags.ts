/** The flags of `train`, made from the one table of settings: every flag is text, checked by `configSources`. */
import * as Flag from "effect/cli/Flag"
import * as Option from "effect/Option"
import * as Record from "effect/Record"
import { presets } from "../config/presets.ts"
import { flagName, type Option as Setting, type OptionName, options } from "../config/RunConfig.ts"
import { chosenAlgorithm } from "./chosenAlgorithm.ts"

/** What stands for a flag's value in the help: its choices where it has some. */
const metavar = ({ choices, kind }: Setting<unknown>): string =>
  choices?.join("|") ?? { text: "text", texts: "name:option", number: "number", numbers: "n,n,...", boolean: "" }[kind]

const defaultOf = (name: OptionName): string => {
  // What these default to depends on the machine, and on the algorithm: their help says it.
  if (name === "workers" || name === "preset") return ""
  const value = presets[chosenAlgorithm(process.argv).preset][name]
  return value === false || (Array.isArray(value) && value.length === 0)
    ? ""
    : ` (default ${Array.isArray(value) ? value.join(",") : String(value)})`
}

const flagOf = (name: OptionName): Flag.Flag<Option.Option<string>> => {
  const option: Setting<unknown> = options[name]
  const described = `${option.help}${defaultOf(name)}`
  if (option.kind === "texts") {
    return Flag.String(flagName(name)).pipe(
      Flag.withMetavar(metavar(option)),
      Flag.withDescription(described),
      Flag.atLeast(0),
      Flag.map((given) => given.length === 0 ? Option.none() : Option.some(given.join("\n")))
    )
  }
  const flag = option.kind === "boolean"
    ? Flag.Boolean(flagName(name)).pipe(Flag.map(String))
    : Flag.String(flagName(name)).pipe(Flag.withMetavar(metavar(option)))
  const aliased = option.alias !== undefined ? Flag.withAlias(flag, option.alias) : flag
  return aliased.pipe(Flag.withDescription(described), Flag.optional)
}

/** One optional text flag for each setting. */
export const runFlags: Record<OptionName, Flag.Flag<Option.Option<string>>> = Record.map(
  options,
  (_, name) => flagOf(name)
)

/** The file of settings that flags then change. */
export const settingsFile = Flag.String("config").pipe(
  Flag.withDescription("JSON file of settings, named as in config.json"),
  Flag.withMetavar("path"),
  Flag.optional
)

/** What was typed for `runFlags`, by the names of the settings. */
export const given = (flags: Readonly<Record<string, Option.Option<string>>>): Record<string, string> =>
  Record.getSomes(flags)

/**
 * What a person has typed: made into what the parser reads, and where that cannot be, a sentence with what was meant. The
 * words of similar programs are known here, and how npm comes in between.
 */
import type * as CliError from "effect/cli/CliError"
import { splitReference } from "../../envs/options.ts"
import { Registry } from "../../envs/Registry.ts"
import { aliasesOf, otherWords } from "../config/otherWords.ts"
import { flagName, optionNames, options } from "../config/RunConfig.ts"

/** What the program can do; the first is meant where none is named. */
const verbs = [
  "train",
  "eval",
  "export",
  "plot",
  "check",
  "sweep",
  "zoo",
  "simulate",
  "diff",
  "ps",
  "dashboard",
  "push",
  "runner"
]

/** Flags that stand without a verb. */
const globals = ["--version", "--completions", "--wizard"]

/** Words of similar programs (`otherWords`) that mean another flag after `eval`. */
const otherWordsOfEval: Readonly<Record<string, string>> = {
  n: "--episodes",
  "n-episodes": "--episodes",
  "num-episodes": "--episodes",
  "max-episodes": "--episodes",
  "total-episodes": "--episodes",
  "eval-episodes": "--episodes"
}

/** Flags whose value may be left out, and what it may be. */
const optionalValues: Readonly<Record<string, ReadonlyArray<string>>> = {
  "--async": ["async", "seeded"],
  "--render": ["none", "ansi", "svg"]
}

/** `--async seeded` is read as `--async=seeded`: the value of `--async` may be left out. */
const withAttachedValue = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const at = args.findIndex((arg, i) => optionalValues[arg]?.includes(args[i + 1] ?? "") === true)
  return at < 0 ? args : [...args.slice(0, at), `${args[at]}=${args[at + 1]}`, ...withAttachedValue(args.slice(at + 2))]
}

const isEnvironment = (word: string): boolean =>
  Registry.isBuiltIn(word) || /-v\d+$|\.[cm]?[jt]sx?(?::.*)?$/.test(splitReference(word).base)

/**
 * The arguments as the parser wants them: `--n-envs 10` alone means `train --n-envs 10`, and so does an environment in the
 * place of a verb; `help eval` means `eval --help`.
 */
export const toParse = (args: ReadonlyArray<string>): ReadonlyArray<string> => {
  const [first, ...others] = args
  if (first === "help") {
    const verb = others.find((word) => !word.startsWith("-")) ?? verbs[0]!
    return verbs.includes(verb) ? [verb, "--help"] : [verb]
  }
  const implied = first === undefined || (first.startsWith("-") && !globals.includes(first)) || isEnvironment(first)
  return withAttachedValue(implied ? [verbs[0]!, ...args] : args)
}

// ------------------------------------------------------------------------------------------------------ what was meant

/** One sentence for one mistake. `flags` are those of the verb at hand, without dashes. */
export const sentence = (error: CliError.CliError, flags: ReadonlyArray<string>, npm: Npm | undefined): string => {
  switch (error._tag) {
    case "UnrecognizedOption":
      return `There is no flag ${error.option}. ${meantByFlag(error, flags)}`
    case "UnknownSubcommand":
      return isNumber(error.subcommand)
        ? numberAlone(error.subcommand, npm)
        : `There is no verb "${error.subcommand}"; there are ${verbs.join(", ")}. ${didYouMean(error.suggestions)}`
    case "UnexpectedArgument": {
      const number = error.arguments.find(isNumber)
      return number === undefined ? error.message : numberAlone(number, npm)
    }
    default:
      return error.message.replaceAll(/\s*\n\s*/g, " ")
  }
}

const didYouMean = (suggestions: ReadonlyArray<string>): string =>
  suggestions.length === 0 ? "See --help." : `Did you mean ${suggestions.join(" or ")}?`

const meantByFlag = (
  { command = [], option, suggestions }: CliError.UnrecognizedOption,
  flags: ReadonlyArray<string>
): string => {
  const word = option.replace(/^-+/, "")
  const spelled = flagName(word).replaceAll("_", "-").replace(/^-+/, "")
  const inSmall = word.toLowerCase().replaceAll("_", "-")
  const inVerb = (flag: string | undefined): flag is string =>
    flag !== undefined && flags.includes(flag.split(" ")[0]!.slice(2))
  const ofEval = command.includes("eval") ? [otherWordsOfEval[spelled], otherWordsOfEval[inSmall]] : []
  const found = [`--${inSmall}`, `--${spelled}`, ...ofEval, otherWords[spelled], otherWords[inSmall]].find(inVerb)
  if (found !== undefined) return didYouMean([found])
  if (!command.includes(verbs[0]!) && trainFlags.includes(spelled)) return `--${spelled} is a flag of ${verbs[0]}.`
  // Every flag of one letter is near any other.
  return didYouMean(word.length === 1 ? [] : suggestions)
}

const isNumber = (word: string): boolean => word.trim() !== "" && !Number.isNaN(Number(word))

/** What to say of a number that stands where none is expected: mostly npm has taken the flag before it. */
export const numberAlone = (word: string, npm: Npm | undefined): string =>
  npm === undefined
    ? `"${word}" stands alone: a number belongs behind its flag, as in --n-envs ${word}`
    : `"${word}" stands alone: if it belongs to a flag, ${npm.advice}, as in ${npm.command} --n-envs ${word}`

/** A number where an environment is expected; undefined for all else. */
export const numberForEnvironment = (word: string): string | undefined =>
  isNumber(word) ? numberAlone(word, npmOf(process.env)) : undefined

// ----------------------------------------------------------------------------------------------------------------- npm

/** How npm, where it has started us, is told to pass flags on. */
interface Npm {
  readonly advice: string
  readonly command: string
}

export const npmOf = (variables: Readonly<Record<string, string | undefined>>): Npm | undefined => {
  const event = variables["npm_lifecycle_event"]
  if (event === undefined) return undefined
  return event === "npx"
    ? { advice: "put the flags behind the program's name", command: "npx troupe" }
    : { advice: "put -- before the flags", command: event === "start" ? "npm start --" : `npm run ${event} --` }
}

const trainFlags: ReadonlyArray<string> = [
  ...optionNames.flatMap((name) => [flagName(name), ...aliasesOf(name)]),
  "env-option",
  "config",
  "serial",
  "sync",
  "async",
  "replay",
  "resume",
  "trace",
  "trace-from",
  "trace-seconds",
  "metrics-port",
  "dashboard",
  "dashboard-port",
  "json",
  "quiet"
]

/** What npm may have taken for a flag of its own, as people type it. Its own `cpu` and `quiet` are nothing to go by. */
const takeable: ReadonlyArray<string> = [
  ...new Set([
    ...trainFlags,
    "episodes",
    "render",
    "out",
    "video",
    "format",
    "steps",
    "deadline",
    "jobs",
    "until",
    "hosts",
    "set",
    "sweep",
    "replications",
    "every",
    "checkpoint-every",
    "rewind",
    "agents",
    "events",
    "fork",
    "paused",
    "cluster",
    "cluster-run",
    "listen",
    "secret-file",
    "advertise",
    "simulation",
    "tls-cert",
    "tls-key",
    "spares",
    ...Object.keys(otherWords)
  ])
].filter((flag) => flag.length > 1 && flag !== "cpu" && flag !== "quiet")

const isSwitch = (flag: string): boolean =>
  ["serial", "sync", "async", "dashboard", "json"].includes(flag) ||
  optionNames.some((name) => flagName(name) === flag && options[name].kind === "boolean")

/**
 * What to say where npm has taken flags for itself, which it hands over as variables only: `npm start --seed=5` would train
 * with another seed without a word.
 */
export const takenByNpm = (
  args: ReadonlyArray<string>,
  variables: Readonly<Record<string, string | undefined>>
): string | undefined => {
  const npm = npmOf(variables)
  if (npm === undefined) return undefined
  const taken = takeable.flatMap((flag) => {
    const value = variables[`npm_config_${flag.replaceAll("-", "_")}`]
    return value === undefined || (flag === "json" && value !== "true") ? [] : [{ flag, value }]
  })
  // It reads `--async` as its own -a -s -y -n -c, and `--gamma` as -g -a -m -m -a.
  if (variables["npm_config_all"] === "true") {
    taken.push({ flag: variables["npm_config_global"] === "true" ? "gamma" : "async", value: "true" })
  }
  if (taken.length === 0) return undefined
  const [verb] = args
  const left = verb !== undefined && verbs.includes(verb) ? args.slice(1) : args
  // A value after a space has been left to us: of one flag we know which.
  const valueless = taken.filter(({ flag, value }) => value === "true" && !isSwitch(flag))
  const [value] = valueless.length === 1 && left.length === 1 ? left : ["..."]
  const words = valueless.length === 0 ? left : []
  const written = taken.map((one) =>
    // There may be a password in it.
    one.flag === "cluster"
      ? "--cluster ..."
      : one.value === ""
      ? `--no-${one.flag}`
      : valueless.includes(one)
      ? `--${one.flag} ${value}`
      : one.value === "true"
      ? `--${one.flag}`
      : `--${one.flag} ${one.value}`
  )
  const whole = [...(left === args ? [] : [verb]), ...words, ...written].join(" ")
  const names = taken.map(({ flag, value }) => value === "" ? `--no-${flag}` : `--${flag}`).join(", ")
  return `npm has taken ${names} for itself: ${npm.advice}, as in ${npm.command} ${whole}`
}

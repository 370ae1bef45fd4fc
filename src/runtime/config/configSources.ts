/**
 * Puts a `RunConfig` together. Later sources win: the preset, what was found for the environment (`zoo.ts`) unless a preset
 * is named, a JSON file, environment variables (`TROUPE_N_ENVS`, read through Effect's Config, so that a program may provide
 * them from anywhere), and what the caller gives (flags, or the library's input). Whatever is wrong is answered in one sentence that names the source.
 */
import * as Config from "effect/Config"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Schema from "effect/Schema"
import { dirname } from "node:path"
import type { JsonRecord } from "../../envs/EnvironmentDefinition.ts"
import { nearest } from "../../envs/nearest.ts"
import { joinReference, splitReference } from "../../envs/options.ts"
import { canonicalWrapper } from "../../envs/wrappers/namedWrappers.ts"
import { fromJson } from "../../text/json.ts"
import { plainLine } from "../../text/plainLine.ts"
import * as readData from "../files/readData.ts"
import { algorithmNames } from "./algorithmNames.ts"
import { needsExperience, ownersOf, schedulesOf, underSchedule } from "./algorithmSettings.ts"
import { confirmEnvironment, type NamedEnvironment } from "./confirmEnvironment.ts"
import { EnvironmentRecord } from "./EnvironmentRecord.ts"
import * as hosts from "./hosts.ts"
import { readOlder } from "./olderSettings.ts"
import { placements } from "./placements.ts"
import { presets, usualPreset } from "./presets.ts"
import { flagName, type OptionName, optionNames, options, type RunConfig, variableName } from "./RunConfig.ts"
import { drawSeed } from "./Seed.ts"
import { unitSize } from "./units.ts"
import { judge } from "./variables.ts"
import { tunedFor } from "./zoo.ts"

/** A setting that cannot be used: which one, where it was given, and what it must be. */
export class ConfigError extends Schema.TaggedError<ConfigError>()("ConfigError", {
  source: Schema.String,
  message: Schema.String
}) {}

/** Some settings by name. */
export type PartialConfig = { readonly [Name in OptionName]?: RunConfig[Name] }

const isOptionName = (name: string): name is OptionName => Object.hasOwn(options, name)

const show = (value: unknown): string => {
  const text = typeof value === "string"
    ? `"${value}"`
    : typeof value === "number"
    ? String(value)
    : JSON.stringify(value)
  return plainLine(text ?? String(value), 80)
}

/** Reads text as the kind of value a setting holds; text that is none stays text, for the schema to refuse. */
const fromText = (name: OptionName, value: string): unknown => {
  const { kind } = options[name]
  if (kind === "number") return value.trim() === "" || Number.isNaN(Number(value)) ? value : Number(value)
  if (kind === "boolean") return value === "true" ? true : value === "false" ? false : value
  if (kind === "numbers") {
    const parts = value.split(",").map((part) => part.trim()).filter((part) => part !== "")
    return parts.every((part) => /^\d+$/.test(part)) ? parts.map(Number) : value
  }
  if (kind === "texts") {
    const parts = value.split(/[;\n]/).map((part) => part.trim()).filter((part) => part !== "")
    return parts.length === 1 && parts[0] === "none" ? [] : parts
  }
  return value
}

const checked = (name: OptionName, source: string, value: unknown): Effect.Effect<unknown, ConfigError> => {
  if (!Schema.is(options[name].schema)(value)) {
    return Effect.fail(
      new ConfigError({ source, message: `${source} must be ${options[name].expected}; ${show(value)} is not.` })
    )
  }
  if (name !== "wrap" || !Array.isArray(value)) return Effect.succeed(value)
  // Written in one way, so that the same wrappers are the same setting.
  return Effect.try({
    try: () => value.map(canonicalWrapper),
    catch: (cause) => new ConfigError({ source, message: plainLine(cause instanceof Error ? cause.message : source) })
  })
}

/** Checks a record of settings: unknown names and wrong values are refused. */
export const fromRecord = Effect.fnUntraced(function*(
  record: Readonly<Record<string, unknown>>,
  source: (name: string) => string,
  where: string
) {
  const result: Record<string, unknown> = {}
  for (const [name, value] of Object.entries(record)) {
    if (!isOptionName(name)) {
      const near = nearest(name, optionNames)
      return yield* new ConfigError({
        source: name,
        message: `There is no setting "${name}" ${where}.${near === undefined ? "" : ` Did you mean "${near}"?`}`
      })
    }
    if (value !== undefined) result[name] = yield* checked(name, source(name), value)
  }
  // Every name and value was checked above, each by its own schema.
  return result as PartialConfig
})

/** Checks settings given as text: `{ nEnvs: "10" }` becomes `{ nEnvs: 10 }`. */
const fromTexts = (
  texts: Readonly<Record<string, string>>,
  source: (name: string) => string,
  where: string
): Effect.Effect<PartialConfig, ConfigError> =>
  fromRecord(
    Object.fromEntries(
      Object.entries(texts).map(([name, value]) => [name, isOptionName(name) ? fromText(name, value) : value])
    ),
    source,
    where
  )

/** Checks flags, by the names of their settings. */
export const fromFlags = (flags: Readonly<Record<string, string>>): Effect.Effect<PartialConfig, ConfigError> =>
  fromTexts(flags, (name) => `--${flagName(name)}`, "on the command line")

const fromFile = Effect.fnUntraced(function*(path: string, notice: Sources["notice"]) {
  const content = yield* readData.readText(path).pipe(
    Effect.mapError(() =>
      new ConfigError({ source: path, message: `The configuration file ${path} cannot be read. Check the path.` })
    )
  )
  const record = yield* Schema.decodeUnknownEffect(fromJson(Schema.Record(Schema.String, Schema.Unknown)))(
    content
  ).pipe(
    Effect.mapError(() =>
      new ConfigError({ source: path, message: `The configuration file ${path} must hold one JSON object.` })
    )
  )
  // The config.json of a run folder keeps the settings one level deeper.
  const ofRun = record["config"]
  const { notices, settings } = readOlder(Predicate.isObject(ofRun) ? { ...ofRun } : record)
  for (const message of notices) notice?.(message)
  const chosen = yield* fromRecord(settings, (name) => `"${name}" in ${path}`, `in ${path}`)
  const environment = Schema.decodeUnknownOption(EnvironmentRecord)(record["environment"])
  const named = (reference: string): NamedEnvironment => ({
    file: path,
    reference,
    ...(Predicate.isObject(ofRun) && Option.isSome(environment)
      ? { folder: dirname(path), fingerprint: environment.value.module ?? undefined }
      : {})
  })
  return { chosen, named }
})

const fromVariables = Effect.gen(function*() {
  const result: Record<string, string> = {}
  for (const name of optionNames) {
    const variable = variableName(name)
    const value = yield* Config.option(Config.String(variable)).pipe(
      Effect.mapError(() => new ConfigError({ source: variable, message: `${variable} must be text.` }))
    )
    if (Option.isSome(value)) result[name] = value.value
  }
  return yield* fromTexts(result, variableName, "in the environment")
})

/**
 * Refuses variables that were meant as settings and are none: `TROUPE_NENVS` would be ignored in silence. Answers what a
 * person should know of the others.
 */
export const checkVariables = (
  variables: ReadonlyArray<string>
): Effect.Effect<ReadonlyArray<string>, ConfigError> => {
  const notices: Array<string> = []
  for (const name of variables) {
    const judged = judge(name)
    if (judged === undefined) continue
    if ("refused" in judged) return Effect.fail(new ConfigError({ source: name, message: judged.refused }))
    notices.push(judged.notice)
  }
  return Effect.succeed(notices)
}

/** Where settings may come from, beside presets and variables. */
export interface Sources {
  /** Settings of the caller: flags that were checked, or a program's own. */
  readonly given?: PartialConfig
  /** A JSON file of settings. */
  readonly file?: string | undefined
  /** Options of the environment, whichever it is (`--env-option`); they become part of its reference. */
  readonly envOptions?: JsonRecord | undefined
  /** Told what a person should know of the sources. */
  readonly notice?: (message: string) => void
}

/**
 * The settings that somebody chose, by whichever source; the presets are not among them. An environment that only the file
 * names is one that may be loaded.
 */
export const chosen = Effect.fnUntraced(function*(sources: Sources) {
  const file = sources.file === undefined ? undefined : yield* fromFile(sources.file, sources.notice)
  const variables = yield* fromVariables
  const given = yield* fromRecord({ ...sources.given }, (name) => name, "among the settings")
  const reference = (given.envId ?? variables.envId) === undefined ? file?.chosen.envId : undefined
  if (file !== undefined && reference !== undefined) {
    yield* Effect.mapError(
      confirmEnvironment(file.named(reference)),
      ({ message }) => new ConfigError({ source: file.named(reference).file, message })
    )
  }
  const merged: PartialConfig = { ...file?.chosen, ...variables, ...given }
  if (sources.envOptions === undefined) return merged
  return { ...merged, envId: joinReference(merged.envId ?? presets.a2c.envId, sources.envOptions) }
})

/** The algorithm and its schedule, by what was chosen of both; and the preset that the other settings come from. */
const algorithmOf = Effect.fnUntraced(function*(chosen: PartialConfig, notice: Sources["notice"]) {
  const { algo, network, preset, schedule } = chosen
  const wanted = algo ?? (preset === undefined ? "a2c" : presets[preset].algo)
  if (schedule === undefined) {
    // A preset keeps its own schedule, as long as the algorithm has it.
    const base = preset ?? usualPreset(wanted, network)
    const own = presets[base].schedule
    return { algo: wanted, schedule: underSchedule(wanted, own) === wanted ? own : schedulesOf(wanted)[0], base }
  }
  const named = underSchedule(wanted, schedule)
  if (named === undefined) {
    return yield* new ConfigError({
      source: "schedule",
      message: `--algo ${wanted} goes with ${schedulesOf(wanted).map(flagOf).join(" or ")}, not with ${
        flagOf(schedule)
      }.`
    })
  }
  if (algo !== undefined && named !== algo) {
    notice?.(
      `--algo ${algo} with ${
        flagOf(schedule)
      } is ${named}, and is called so: it is the schedule that tells the two apart.`
    )
  }
  return { algo: named, schedule, base: preset ?? usualPreset(algo ?? named, network) }
})

const flagOf = (schedule: RunConfig["schedule"]): string =>
  ({ sync: "--sync", async: "--async", seeded: "--async seeded" })[schedule]

/** A setting that the algorithm of the run does not have, and that is not as it would be anyway: it would be ignored. */
const foreign = (config: RunConfig): string | undefined => {
  const usual: Partial<RunConfig> = presets[config.algo]
  const name = optionNames.find((name) => {
    const owners = ownersOf(name)
    return owners.length > 0 && !owners.includes(config.algo) &&
      JSON.stringify(config[name]) !== JSON.stringify(usual[name])
  })
  if (name === undefined) return undefined
  const value = typeof config[name] === "boolean" ? ` ${config[name]}` : ""
  const owners = ownersOf(name).join(", ").replace(/, ([^,]*)$/, " and $1")
  return `--${flagName(name)}${value} is for ${owners}, and this run is ${config.algo}. ` +
    `Leave it out, or say --algo ${ownersOf(name)[0]}.`
}

/** Puts together the configuration of a run from the sources that were given. A random sampling seed is drawn here. */
export const resolve = Effect.fnUntraced(function*(sources: Sources) {
  const merged = yield* chosen(sources)
  const { algo, base, schedule } = yield* algorithmOf(merged, sources.notice)
  const usual = { ...presets[base], ship: presets[algo].ship }
  const envId = merged.envId ?? usual.envId
  // What was found was found for policies that remember nothing.
  const mayBeTuned = merged.preset === undefined && merged.network !== "gru"
  const tuned = mayBeTuned ? tunedFor(envId, algo) : undefined
  const rows = (merged.nEnvs ?? tuned?.nEnvs ?? usual.nEnvs) * (merged.nSteps ?? tuned?.nSteps ?? usual.nSteps)
  const config: RunConfig = {
    workers: hosts.usualWorkers(),
    ...usual,
    ...tuned,
    // Who says how many wants these, and no others.
    ...(merged.workers === undefined && merged.localWorker === undefined ? {} : { placement: "thread" as const }),
    // Who asks for other numbers of environments or steps did not choose these minibatches.
    ...(tuned?.batchSize === undefined ? {} : { batchSize: nearestDivisor(rows, tuned.batchSize) }),
    // One for each runner, where nobody says how many.
    ...(merged.placement === "runner" && merged.runners !== "cluster"
      ? { workers: Math.max(1, hosts.runnersOf({ ...usual, ...merged }).length) }
      : {}),
    ...merged,
    preset: base,
    algo,
    schedule
  }
  if (tuned !== undefined) sources.notice?.(tunedNotice(envId, algo, config, tuned, usual))
  const others = algorithmNames.filter((name) => tunedFor(envId, name) !== undefined)
  if (tuned === undefined && mayBeTuned && others.length > 0) {
    sources.notice?.(
      `no settings were found for ${
        splitReference(envId).base
      } with ${algo}, whose own are for CartPole; there are some with ` +
        others.map((name) => `--algo ${name}`).join(" and ")
    )
  }
  const problem = contradiction(config) ?? foreign(config)
  if (problem !== undefined) return yield* new ConfigError({ source: "settings", message: problem })
  return yield* feasible(hosts.withinWork({
    ...config,
    ship: config.ship === "auto" && config.device !== "auto" ? shipping(config) : config.ship,
    samplingSeed: config.samplingSeed === "random" ? yield* drawSeed : config.samplingSeed
  }))
})

/** Says which settings come from the zoo: those that the preset has otherwise, and that nobody chose. */
const tunedNotice = (
  envId: string,
  algo: RunConfig["algo"],
  config: RunConfig,
  tuned: Partial<RunConfig>,
  usual: Omit<RunConfig, "workers">
): string => {
  const flags = optionNames.flatMap((name) => {
    if (name === "workers" || !(name in tuned)) return []
    const same = JSON.stringify(config[name]) === JSON.stringify(usual[name])
    const isTuned = name === "batchSize" || JSON.stringify(config[name]) === JSON.stringify(tuned[name])
    return same || !isTuned ? [] : [flagWith(name, config[name])]
  })
  return `settings found for ${splitReference(envId).base} with ${algo}: ${flags.join(" ")} ` +
    `(--preset ${config.preset} leaves them out)`
}

/** A setting as one would type it. */
const flagWith = (name: OptionName, value: RunConfig[OptionName]): string =>
  typeof value === "boolean" ? `--${value ? "" : "no-"}${flagName(name)}` : `--${flagName(name)} ${String(value)}`

export { withinWork } from "./hosts.ts"

/** The configuration, if there can be its workers, and so many: refused before the first of them starts. */
export const feasible = (config: RunConfig): Effect.Effect<RunConfig, ConfigError> => {
  const message = hosts.unreachable(config) ?? hosts.problemOf(config, hosts.memory())
  return message === undefined ? Effect.succeed(config) : Effect.fail(new ConfigError({ source: "workers", message }))
}

/**
 * What `--ship auto` is: gradients, unless they are for a device that makes them better itself. Where it travels between
 * processes, and the numbers are the same either way, it is what is smaller: `auto` until that is known
 * (`workers/shipment.ts`).
 */
export const shipping = ({ algo, device, placement, schedule }: RunConfig): RunConfig["ship"] => {
  if (needsExperience(algo)) return "experience"
  if (schedule !== "sync") return "gradients"
  if (device !== "cpu") return "experience"
  return placements[placement].sharesMemory ? "gradients" : "auto"
}

/** The divisor of `n` that is nearest to `to`, the smaller of two. */
const nearestDivisor = (n: number, to: number): number => {
  const near = Math.min(n, to)
  for (let away = 0;; away++) {
    if (near - away >= 1 && n % (near - away) === 0) return near - away
    if (n % (near + away) === 0) return near + away
  }
}

/** Settings that cannot go together, as a sentence. */
const contradiction = (config: RunConfig): string | undefined => {
  const { algo, clipCThreshold, clipRhoThreshold, loss, normalizeAdvantage, schedule, ship } = config
  if (needsExperience(algo) && ship === "gradients") {
    return `--algo ${algo} weighs experience by the learner's newest weights, which workers do not have; leave --ship ` +
      "gradients out."
  }
  if (normalizeAdvantage && ship !== "experience" && schedule !== "sync") {
    return "--normalize-advantage needs the whole batch in one place and cannot go with gradients that travel; " +
      "say --ship experience."
  }
  if (ship !== "experience" && schedule !== "sync" && config.nEpochs > 1) {
    return "--n-epochs above 1 cannot go with --async and --ship gradients: a gradient is good for one update."
  }
  if (loss === "td" && (ship === "experience" || schedule === "sync")) {
    return "--loss td is computed along one episode, in the worker: it needs --ship gradients and --async."
  }
  if (clipCThreshold > clipRhoThreshold) {
    return `--clip-c-threshold ${clipCThreshold} must be at most --clip-rho-threshold, which is ${clipRhoThreshold}.`
  }
  if (config.network === "gru") {
    if (config.hidden.length === 0) {
      return "--network gru needs a width in --hidden: the last says how many numbers it remembers."
    }
    if (loss === "td" || algo === "impala") {
      return `--network gru goes with a2c, a3c and ppo and their usual loss, not with ${
        loss === "td" ? "--loss td" : `--algo ${algo}`
      }.`
    }
  }
  const rows = config.nEnvs * config.nSteps
  if (ownersOf("batchSize").includes(config.algo) && rows % config.batchSize !== 0) {
    return `--batch-size ${config.batchSize} does not divide the ${config.nEnvs} x ${config.nSteps} = ${rows} rows of ` +
      `--n-envs and --n-steps; ${nearestDivisor(rows, config.batchSize)} does.`
  }
  const minibatches = rows / config.batchSize
  const sequence = unitSize(config.nEnvs, schedule !== "sync") * config.nSteps
  if (config.network === "gru" && ownersOf("batchSize").includes(algo) && minibatches > Math.ceil(rows / sequence)) {
    return `--network gru learns along whole fragments: --batch-size ${config.batchSize} must be at least ${sequence}.`
  }
  return undefined
}

/**
 * Draws several runs together, by setting: run folders, folders that hold such (a sweep's, `runs/`), and what
 * Stable-Baselines3's Monitor has written.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { flagName, type OptionName, optionNames } from "../config/RunConfig.ts"
import * as readData from "../files/readData.ts"
import { explain } from "../files/reason.ts"
import * as wholeFile from "../files/wholeFile.ts"
import { drawCurves, type RunCurve } from "./curves.ts"
import { plural } from "./formatting.ts"
import * as MonitorFile from "./MonitorFile.ts"
import { PlotFault } from "./plot.ts"
import { faultAt, ReportFault } from "./ReportFault.ts"
import { ConfigFileFromJson } from "./RunFolder.ts"

/** One run: its episodes, and what it was made from, where that is known. */
interface Found extends RunCurve {
  /** Its folder, or file. */
  readonly path: string
  readonly config: Readonly<Record<string, unknown>> | undefined
}

/** Settings in which runs of one setting may differ: the seeds, and what changes no number. */
const incidental: ReadonlySet<OptionName> = new Set<OptionName>([
  "seed",
  "samplingSeed",
  "workers",
  "envsPerWorker",
  "placement",
  "runners",
  "runnerSecretFile",
  "runnerCa",
  "runnerLease",
  "runnerDeadline",
  "workerMemory",
  "localWorker",
  "maxRestarts",
  "loadDeadline",
  "collectDeadline",
  "chaos",
  "logDir",
  "runFolder",
  "logInterval",
  "checkpointInterval",
  "keepCheckpoints",
  "totalTimesteps"
])

/** How deep a folder is searched for runs: `runs/<sweep>/<cell>/<run>`. */
const deepest = 3

const isMonitor = (name: string): boolean => name === "monitor.csv" || name.endsWith(".monitor.csv")

/** Where a run's episodes are: a folder with its files, or a file alone. */
interface Place {
  readonly at: string
  readonly files: ReadonlyArray<string>
}

const typeOf = (at: string) =>
  Effect.flatMap(FileSystem.FileSystem, (fs) => Effect.option(Effect.map(fs.stat(at), ({ type }) => type)))

/** The runs below a folder, in the order of their names. */
const search = (
  at: string,
  depth: number
): Effect.Effect<ReadonlyArray<Place>, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const paths = yield* Path.Path
    const names = (yield* Effect.orElseSucceed(fs.readDirectory(at), (): Array<string> => [])).toSorted()
    const files = names.filter(isMonitor).map((name) => paths.join(at, name))
    if (files.length > 0) return [{ at, files }]
    if (depth === 0) return []
    const found: Array<Place> = []
    for (const name of names) {
      const inner = paths.join(at, name)
      if (Option.contains(yield* typeOf(inner), "Directory")) found.push(...(yield* search(inner, depth - 1)))
    }
    return found
  })

const placesAt = Effect.fnUntraced(function*(path: string) {
  const type = yield* typeOf(path)
  if (Option.isNone(type)) return []
  return type.value === "File" ? [{ at: path, files: [path] }] : yield* search(path, deepest)
})

/** Whether a path is for `plotTogether`, and not the folder of one run of this program. */
export const holdsSeveral = Effect.fnUntraced(function*(path: string) {
  const paths = yield* Path.Path
  const places = yield* placesAt(path)
  return places.length > 1 || places.some(({ at, files }) => at !== path || paths.basename(files[0]!) !== "monitor.csv")
})

/** The runs at a path. */
const runsAt = Effect.fnUntraced(function*(path: string) {
  const paths = yield* Path.Path
  const fault = (reason: string) => new PlotFault({ folder: path, reason })
  const places = yield* placesAt(path)
  if (places.length === 0) {
    const there = Option.isSome(yield* typeOf(path))
    return yield* fault(there ? "it holds no monitor.csv, nor a folder that does" : "there is no such file or folder")
  }
  return yield* Effect.forEach(
    places,
    Effect.fnUntraced(function*({ at, files }) {
      const config = yield* readData.readText(paths.join(at, "config.json")).pipe(
        Effect.flatMap(Schema.decodeEffect(ConfigFileFromJson)),
        Effect.map(({ config }) => config),
        Effect.option
      )
      const episodes = yield* Effect.mapError(
        MonitorFile.readTogether(files),
        (error) => fault(`${files[0]} cannot be read: ${explain(error)}`)
      )
      return { path: at, config: Option.getOrUndefined(config), ...episodes } satisfies Found
    })
  )
})

const shown = (value: unknown): string => typeof value === "string" ? value : JSON.stringify(value)

/** Names that are told apart by a number at their end are runs of one setting: `ppo_1`, `CartPole-seed2`. */
const withoutNumber = (name: string): string =>
  name.replace(/\.(?:monitor\.)?csv$/, "").replace(/[-_.]?(?:seed|run)?[-_=]?\d+$/i, "") || name

/** The settings in which runs differ, by which they are put together. */
const differing = (runs: ReadonlyArray<Found>): ReadonlyArray<OptionName> => {
  const configs = runs.flatMap(({ config }) => config === undefined ? [] : [config])
  return optionNames.filter((name) =>
    !incidental.has(name) && new Set(configs.map((config) => JSON.stringify(config[name]))).size > 1
  )
}

/** Draws the runs at these paths into a file; gives its path. */
export const plotTogether = Effect.fnUntraced(function*(given: ReadonlyArray<string>, out: string) {
  const paths = yield* Path.Path
  const runs = (yield* Effect.forEach(given, runsAt)).flat().filter(({ returns }) => returns.length > 0)
  if (runs.length === 0) {
    return yield* new PlotFault({ folder: given.join(", "), reason: "there is no finished episode yet" })
  }
  const names = differing(runs)
  const settings = new Map<string, Array<RunCurve>>()
  for (const run of runs) {
    const { config } = run
    const name = config === undefined
      ? withoutNumber(paths.basename(paths.resolve(run.path)))
      : names.length === 0
      ? shown(config["envId"])
      : names.map((name) => name === "envId" ? shown(config[name]) : `${flagName(name)} ${shown(config[name])}`).join(
        ", "
      )
    settings.set(name, [...(settings.get(name) ?? []), run])
  }
  const environments = new Set(runs.flatMap(({ config }) => config === undefined ? [] : [shown(config["envId"])]))
  const svg = yield* drawCurves({
    title: environments.size === 1 ? [...environments][0]! : plural(runs.length, "run"),
    subtitle: `mean of ${plural(runs.length, "run")} with one standard deviation, returns smoothed with weight 0.9`,
    settings: [...settings].map(([name, runs]) => ({ name, runs }))
  }).pipe(Effect.mapError(({ reason }) => new ReportFault({ path: out, reason })))
  yield* Effect.mapError(wholeFile.write(out, svg), faultAt(out))
  return out
})

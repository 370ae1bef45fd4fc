/**
 * Runs a simulation for the command line: once, into a folder of series, tables, pictures and checkpoints; or many times, with
 * several seeds and configurations, into a table of what they come to.
 */
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { createHash } from "node:crypto"
import * as path from "node:path"
import * as Inspection from "../../actors/inspection/Inspection.ts"
import { attempt } from "../../simulation/attempt.ts"
import type { SimulationFault } from "../../simulation/errors.ts"
import type { HostsPlacement } from "../../simulation/hosts/placements.ts"
import { type HostsResult, run as simulate } from "../../simulation/hosts/run.ts"
import { open, restore, type Result, type World } from "../../simulation/World.ts"
import { plainJson, plainLine } from "../../text/plainLine.ts"
import { runningTime } from "../../time/runningTime.ts"
import { ConfigError } from "../config/configSources.ts"
import { shellWord } from "../config/confirmEnvironment.ts"
import * as FolderLock from "../files/FolderLock.ts"
import type { Window } from "../timeline/Timeline.ts"
import { keep as keepTimeline } from "../timeline/writeTimeline.ts"
import { type Estimate, estimates, measuresOf } from "./estimates.ts"
import { writeEvents } from "./eventLog.ts"
import type { LoadedModel } from "./loadModel.ts"
import { agentRows, scenes, seriesRow } from "./observation.ts"
import type { Onlooker } from "./Onlooker.ts"
import type { Runners } from "./onRunners.ts"
import type { Resumption } from "./resumption.ts"
import { drawnColumns, drawSeries } from "./seriesPicture.ts"
import * as SimulationFolder from "./SimulationFolder.ts"
import { csv, parquet, type Row } from "./tables.ts"
import { drawWorld, type Scene } from "./worldPicture.ts"

/** Points of a series, and checkpoints, of a run that knows its end. */
const points = 50
const kept = 10

/** Frames of the picture of a world: more would make it large. */
const mostFrames = 60

const usage = (source: string, message: string) => new ConfigError({ source, message })

/** Sets the model up once before anything is made: what does not fit is the person's to mend, and leaves nothing behind. */
const checked = ({ model }: LoadedModel, config: Readonly<Record<string, unknown>>) =>
  Effect.suspend((): Effect.Effect<void, ConfigError | SimulationFault> => {
    const { problem } = { problem: undefined, ...model.configure(config) }
    if (problem !== undefined) {
      return Effect.fail(usage("set", `${model.modelName}: its configuration: ${problem}. Mend it with --set.`))
    }
    return Effect.asVoid(attempt(() => open(model, { config })))
  })

/** What a person asked for. */
export interface Request {
  readonly loaded: LoadedModel
  /** The module, as it was named. */
  readonly file: string
  readonly seed: number | undefined
  readonly until: number | undefined
  readonly hosts: number
  readonly placement: HostsPlacement | undefined
  /** How the runners are spoken to that have its hosts, where these are there. */
  readonly runners: Runners | undefined
  readonly chaos: number
  readonly config: Readonly<Record<string, unknown>>
  readonly every: number | undefined
  readonly checkpointEvery: number | undefined
  readonly agents: boolean
  readonly events: boolean
  readonly logDir: string
  readonly runFolder: boolean
  readonly json: boolean
  readonly quiet: boolean
  /** How this program is called. */
  readonly program: string
  /** The file of its timeline, and which part of it that has. */
  readonly trace: (Window & { readonly path: string }) | undefined
  /** Who looks at it as it goes. */
  readonly onlooker: Onlooker | undefined
}

const say = (event: string, fields: Readonly<Record<string, unknown>>) =>
  Console.log(plainJson(JSON.stringify({ event, ...fields })))

/** Events of a host between two exchanges by way of messages below which these take most of the time. */
const worthIt = 1000

/** What to say where hosts that share no memory had little to do between two exchanges. */
const thinOf = ({ events, hosts }: HostsResult, exchanges: number): string | undefined => {
  const each = events / (exchanges * hosts)
  return exchanges === 0 || hosts === 1 || each >= worthIt
    ? undefined
    : `A host has handled ${
      rounded(Number(each.toPrecision(2)))
    } events between two exchanges on average, and each exchange ` +
      "goes there and back: threads, or a model with a larger lookahead, are quicker."
}

const rounded = (value: number): string => Number.isInteger(value) ? String(value) : value.toPrecision(6)

/** A result for people. */
const tell = (result: Result) =>
  Effect.gen(function*() {
    const lines = [
      ...Object.entries(result.counts).map(([name, count]) => [name, String(count)] as const),
      ...Object.entries(result.tallies).map(([name, { deviation, mean, n }]) =>
        [name, `mean ${rounded(mean)}, deviation ${rounded(deviation)}, of ${n}`] as const
      ),
      ...Object.entries(result.monitors).map(([name, { last, max, mean }]) =>
        [name, `mean over time ${rounded(mean)}, at most ${rounded(max)}, last ${rounded(last)}`] as const
      )
    ]
    const longest = Math.max(0, ...lines.map(([name]) => name.length))
    for (const [name, text] of lines) yield* Console.log(plainLine(`${name.padEnd(longest)}  ${text}`))
  })

// ------------------------------------------------------------------------------------------------------------ one run

export const once = Effect.fnUntraced(function*(request: Request, resumed: Resumption | undefined) {
  const { agents, chaos, config, events, file, hosts, json, loaded, onlooker, placement, quiet, runners } = request
  const { model, module } = loaded
  const began = yield* Clock.monotonicTimeNanos
  const before = resumed?.folder?.config ?? resumed?.from
  const seed = request.seed ?? before?.seed ?? 0
  const settings = { ...before?.config, ...config }
  yield* checked(loaded, settings)
  const until = request.until ?? before?.until ?? model.until
  const folder = resumed?.folder ?? (request.runFolder
    ? yield* SimulationFolder.create(request.logDir, {
      model: model.modelName,
      file,
      seed,
      until: until ?? null,
      forked_from: resumed?.forkedFrom ?? null,
      config: yield* Effect.mapError(
        Schema.decodeUnknownEffect(Schema.Record(Schema.String, Schema.Json))(settings),
        () => usage("set", "A configuration of a run is of numbers, texts and flags.")
      )
    })
    : undefined)
  if (folder !== undefined) {
    yield* Effect.catchTag(
      FolderLock.take(folder.path),
      "PlatformError",
      () => Effect.fail(new SimulationFolder.FolderFault({ path: folder.path, reason: "its lock cannot be taken" }))
    )
  }
  const shown = folder === undefined ? undefined : path.relative(".", folder.path)
  if (json) {
    const fields = {
      model: model.modelName,
      seed,
      until: until ?? null,
      hosts,
      config: settings,
      folder: shown ?? null
    }
    yield* say("started", fields)
  } else if (!quiet && shown !== undefined) yield* Console.error(plainLine(`${model.modelName} into ${shown}`))
  const fork = {
    ...(request.seed === undefined ? {} : { seed: request.seed }),
    ...(Object.keys(config).length === 0 ? {} : { config })
  }
  /** The world whose events are written down, beside the simulation. */
  const beside = events && folder !== undefined
    ? yield* attempt(() =>
      resumed === undefined
        ? open(model, { seed, config: settings })
        : restore(model, resumed.bytes, resumed.forkedFrom === undefined ? {} : fork)
    )
    : undefined
  const rows: Array<Row> = folder === undefined || resumed?.folder === undefined
    ? []
    : [...yield* SimulationFolder.goBackTo(folder, resumed.now, resumed.events)]
  const frames = new Map<string, Array<Scene>>()
  const tables = new Map<string, Array<Row>>()
  let collected: ReadonlyArray<string> = []
  // Who looks wants to see something, also of what knows no end.
  const every = request.every ?? (until === undefined ? onlooker && 1 : until / points)
  const keepEvery = request.checkpointEvery ?? (until === undefined ? request.every : until / kept)
  const nextDue = (now: number) => keepEvery === undefined ? Infinity : (Math.floor(now / keepEvery) + 1) * keepEvery
  let due = nextDue(resumed?.now ?? 0)

  /** What a folder keeps of a time. */
  const keep = Effect.fnUntraced(function*(
    folder: SimulationFolder.SimulationFolder,
    world: World,
    row: Row,
    seen: ReadonlyArray<Scene>,
    bytes: Uint8Array
  ) {
    const { now } = world
    yield* SimulationFolder.appendRow(folder, row)
    if (beside !== undefined) yield* writeEvents(folder, beside, world.engine.handled)
    for (const scene of seen) {
      const before = frames.get(scene.name) ?? []
      before.push(scene)
      // Every other frame is enough, from here on.
      frames.set(scene.name, before.length > mostFrames ? before.filter((_, i) => i % 2 === 0) : before)
    }
    if (agents) {
      for (const [kind, more] of agentRows(world)) tables.set(kind, [...tables.get(kind) ?? [], ...more])
    }
    if (now < due && now !== until && !world.isOver) return
    due = nextDue(now)
    yield* SimulationFolder.writeCheckpoint(folder, now, bytes)
  })

  /** Looks at a copy of the world; the world itself goes on as if nobody had. */
  const observe = Effect.fnUntraced(function*(bytes: Uint8Array<ArrayBuffer>, now: number) {
    const world = yield* Effect.sync(() => restore(model, bytes))
    const row = seriesRow(world)
    collected = [...world.engine.collectors.keys()]
    rows.push(row)
    if (json) yield* say("series", row)
    if (folder === undefined && onlooker === undefined) return
    const seen = scenes(world)
    if (folder !== undefined) yield* keep(folder, world, row, seen, bytes)
    if (onlooker !== undefined) yield* onlooker.look({ time: now, row, scenes: seen })
  })

  if (onlooker !== undefined) {
    onlooker.begin({ model: model.modelName, seed, until, hosts, config: settings, folder: shown ?? null })
    // Its beginning is worth a look too, and may be where it is held up.
    const world = yield* attempt(() =>
      resumed === undefined ? open(model, { seed, config: settings }) : restore(model, resumed.bytes)
    )
    yield* onlooker.look({ time: world.now, row: seriesRow(world), scenes: scenes(world) })
  }

  const looks = folder !== undefined || json || onlooker !== undefined
  /** A folder that cannot be written ends the run; the simulation itself knows no such end. */
  let fault: SimulationFolder.FolderFault | SimulationFault | undefined
  const context = yield* Effect.context<Effect.Services<ReturnType<typeof observe>>>()
  const timeline = request.trace === undefined ? undefined : yield* keepTimeline(
    path.resolve(request.trace.path),
    request.trace,
    runningTime.now() - performance.now(),
    (message) => quiet || json ? Effect.void : Console.error(plainLine(message))
  )
  let exchanges = 0
  const running = simulate(model, {
    onHosts: (actors) => {
      onlooker?.meet(actors)
      return Inspection.serve({ what: `simulate ${model.modelName}`, folder: folder?.path ?? null }, actors)
    },
    ...(timeline === undefined ? {} : { observer: timeline.observer }),
    ...(resumed === undefined
      ? { seed, config: settings }
      : resumed.forkedFrom === undefined
      ? { checkpoint: resumed.bytes }
      : { checkpoint: resumed.bytes, ...fork }),
    ...(until === undefined ? {} : { until }),
    hosts,
    ...(placement === undefined ? {} : { placement }),
    ...(runners === undefined ? {} : { runners }),
    onExchanges: (count) => {
      exchanges = count
    },
    module,
    chaos,
    ...(looks && every !== undefined ? { checkpointEvery: every } : {}),
    ...(looks
      ? {
        onCheckpoint: (bytes: Uint8Array<ArrayBuffer>, now: number) =>
          fault !== undefined
            ? Effect.void
            : observe(bytes, now).pipe(
              Effect.catch((error) =>
                Effect.sync(() => {
                  fault = error
                })
              ),
              Effect.provideContext(context)
            )
      }
      : {})
  }).pipe(
    Effect.onInterrupt(() =>
      shown === undefined
        ? Effect.void
        : Console.error(plainLine(
          `Interrupted. Go on with: ${request.program} simulate ${shellWord(file)} --resume ${shellWord(shown)}`
        ))
    )
  )
  const result: HostsResult = yield* Effect.tapError(
    running,
    () =>
      folder === undefined || resumed?.folder !== undefined
        ? Effect.void
        // A folder in which nothing came to lie is of no use to anybody.
        : rows.length === 0
        ? SimulationFolder.remove(folder)
        : quiet || json
        ? Effect.void
        : Console.error(plainLine(`What was until then is in ${path.relative(".", folder.path)}.`))
  )
  if (fault !== undefined) return yield* fault
  if (folder !== undefined) {
    yield* SimulationFolder.write(folder, "series.csv", csv(rows))
    yield* SimulationFolder.write(folder, "series.parquet", yield* parquet(rows))
    const title = `${model.modelName}, seed ${seed}`
    yield* SimulationFolder.write(
      folder,
      "series.svg",
      yield* drawSeries(title, rows, drawnColumns(rows, collected))
    )
    for (const [name, seen] of frames) {
      yield* SimulationFolder.write(folder, `${safe(name)}.svg`, drawWorld(seen))
    }
    for (const [kind, table] of tables) {
      yield* SimulationFolder.write(folder, `agents/${safe(kind)}.csv`, csv(table))
      yield* SimulationFolder.write(folder, `agents/${safe(kind)}.parquet`, yield* parquet(table))
    }
  }
  const seconds = Number((yield* Clock.monotonicTimeNanos) - began) / 1e9
  const { stateSha256, unsplit, ...told } = result
  const outcome = `${model.modelName} to time ${rounded(result.now)}: ${result.events} events`
  onlooker?.end(outcome)
  if (json) {
    return yield* say("finished", {
      ...told,
      unsplit: unsplit ?? null,
      folder: shown ?? null,
      wall_seconds: Number(seconds.toFixed(3)),
      state_sha256: stateSha256
    })
  }
  if (!quiet) {
    yield* tell(result)
    if (unsplit !== undefined) yield* Console.log(plainLine(`One host: ${unsplit}.`))
    const thin = thinOf(result, exchanges)
    if (thin !== undefined) yield* Console.log(plainLine(thin))
  }
  yield* Console.log(plainLine(`${outcome} in ${seconds.toFixed(2)} s, state_sha256 ${stateSha256}`))
}, Effect.scoped)

const safe = (name: string): string => name.replaceAll(/[^A-Za-z0-9._-]+/g, "-").replace(/^[-.]+/, "") || "unnamed"

// ----------------------------------------------------------------------------------------------------------- many runs

/** The most runs of an experiment. */
export const mostRuns = 1_000_000

/** Every combination of the values. */
const combinations = (
  sweeps: ReadonlyArray<readonly [string, ReadonlyArray<unknown>]>
): ReadonlyArray<Readonly<Record<string, unknown>>> =>
  sweeps.reduce<ReadonlyArray<Readonly<Record<string, unknown>>>>(
    (cells, [name, values]) => cells.flatMap((cell) => values.map((value) => ({ ...cell, [name]: value }))),
    [{}]
  )

const setting = (cell: Readonly<Record<string, unknown>>): string =>
  Object.entries(cell).map(([name, value]) => `${name}=${String(value)}`).join(" ")

export const many = Effect.fnUntraced(function*(
  request: Request,
  sweeps: ReadonlyArray<readonly [string, ReadonlyArray<unknown>]>,
  replications: number
) {
  const { config, hosts, json, loaded, quiet } = request
  const { model, module } = loaded
  const began = yield* Clock.monotonicTimeNanos
  const first = request.seed ?? 0
  const cells = combinations(sweeps)
  if (cells.length * replications > mostRuns) {
    return yield* usage("replications", `${cells.length * replications} runs are too many: at most ${mostRuns}.`)
  }
  for (const cell of cells) yield* checked(loaded, { ...config, ...cell })
  const until = request.until ?? model.until
  const jobs = cells.flatMap((cell) => Array.from({ length: replications }, (_, i) => ({ cell, seed: first + i })))
  const results = yield* Effect.forEach(jobs, ({ cell, seed }) =>
    simulate(model, {
      seed,
      config: { ...config, ...cell },
      ...(until === undefined ? {} : { until }),
      // A run is one host; hosts take runs side by side.
      hosts: 1,
      placement: request.placement ?? (hosts > 1 ? "thread" : "fiber"),
      ...(request.runners === undefined ? {} : { runners: request.runners }),
      module
    }).pipe(Effect.tap((result) =>
      json
        ? say("replication", { setting: setting(cell), seed, ...measuresOf(result), state_sha256: result.stateSha256 })
        : Effect.void
    )), { concurrency: hosts })
  const table: Array<Row> = jobs.map(({ cell, seed }, i) => ({
    ...Object.fromEntries(Object.entries(cell).map(([name, value]) => [name, String(value)])),
    seed,
    ...measuresOf(results[i]!)
  }))
  const summaries = cells.map((cell, i) => ({
    setting: setting(cell),
    estimates: estimates(results.slice(i * replications, (i + 1) * replications).map(measuresOf))
  }))
  const folder = request.runFolder
    ? yield* SimulationFolder.create(request.logDir, {
      model: model.modelName,
      file: request.file,
      seed: first,
      until: until ?? null,
      forked_from: null,
      config: yield* Effect.mapError(
        Schema.decodeUnknownEffect(Schema.Record(Schema.String, Schema.Json))({
          ...config,
          ...Object.fromEntries(sweeps)
        }),
        () => usage("set", "A configuration of a run is of numbers, texts and flags.")
      )
    })
    : undefined
  if (folder !== undefined) {
    yield* SimulationFolder.write(folder, "replications.csv", csv(table))
    yield* SimulationFolder.write(folder, "replications.parquet", yield* parquet(table))
    const rows = summaries.flatMap(({ estimates, setting }) =>
      Object.entries(estimates).map(([name, estimate]): Row => ({ setting, name, ...estimate }))
    )
    yield* SimulationFolder.write(folder, "estimates.csv", csv(rows))
  }
  if (!json && !quiet) { for (const summary of summaries) yield* tellEstimates(summary) }
  const sha = createHash("sha256").update(results.map(({ stateSha256 }) => stateSha256).join("\n")).digest("hex")
  const seconds = Number((yield* Clock.monotonicTimeNanos) - began) / 1e9
  const shown = folder === undefined ? null : path.relative(".", folder.path)
  if (json) {
    for (const summary of summaries) yield* say("setting", { ...summary })
    return yield* say("finished", {
      model: model.modelName,
      runs: jobs.length,
      folder: shown,
      wall_seconds: Number(seconds.toFixed(3)),
      state_sha256: sha
    })
  }
  yield* Console.log(
    plainLine(`${model.modelName}: ${jobs.length} runs in ${seconds.toFixed(2)} s, state_sha256 ${sha}`)
  )
})

const tellEstimates = (
  { estimates, setting }: { readonly setting: string; readonly estimates: Readonly<Record<string, Estimate>> }
) =>
  Effect.gen(function*() {
    if (setting !== "") yield* Console.log(plainLine(setting))
    const longest = Math.max(0, ...Object.keys(estimates).map((name) => name.length))
    for (const [name, { deviation, high, low, mean }] of Object.entries(estimates)) {
      yield* Console.log(plainLine(
        `${name.padEnd(longest)}  ${rounded(mean)} (95 %: ${rounded(low)} to ${rounded(high)}), deviation ${
          rounded(deviation)
        }`
      ))
    }
  })

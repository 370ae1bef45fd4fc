/**
 * The folder of one simulation, `<log-dir>/<model>__<seed>__<time>/`: `config.json`, `series.jsonl` as it grows, tables and
 * pictures at the end, and `checkpoints/<virtual time>.ckpt`.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import * as path from "node:path"
import { fromJson } from "../../text/json.ts"
import { plainLine } from "../../text/plainLine.ts"
import { ConfigError } from "../config/configSources.ts"
import * as readData from "../files/readData.ts"
import { explain } from "../files/reason.ts"
import * as wholeFile from "../files/wholeFile.ts"
import * as RunFolder from "../reporting/RunFolder.ts"
import type { Row } from "./tables.ts"

/** Something in the folder cannot be written. */
export class FolderFault extends Schema.TaggedError<FolderFault>()("FolderFault", {
  path: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${plainLine(this.path, 300)} cannot be written: ${this.reason}. Name another folder with --log-dir.`
  }
}

const ConfigFile = Schema.Struct({
  model: Schema.String,
  /** The module, as it was named. */
  file: Schema.String,
  seed: Schema.Finite,
  until: Schema.NullOr(Schema.Finite),
  /** The checkpoint that it is a fork from. */
  forked_from: Schema.NullOr(Schema.String),
  config: Schema.Record(Schema.String, Schema.Json)
})
export type ConfigFile = typeof ConfigFile.Type

const ConfigFileFromJson = fromJson(ConfigFile)
/** A line of `series.jsonl`. */
export const RowFromJson = fromJson(
  Schema.Record(Schema.String, Schema.Union([Schema.Number, Schema.String, Schema.Boolean]))
)

export interface SimulationFolder {
  readonly path: string
  readonly config: ConfigFile
}

const written = <A, R>(at: string, work: Effect.Effect<A, PlatformError, R>): Effect.Effect<A, FolderFault, R> =>
  Effect.mapError(work, (error) => new FolderFault({ path: at, reason: explain(error) }))

export const fileIn = ({ path: folder }: SimulationFolder, ...names: ReadonlyArray<string>): string =>
  path.join(folder, ...names)

export const write = (folder: SimulationFolder, name: string, content: string | Uint8Array) =>
  written(
    fileIn(folder, name),
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      yield* fs.makeDirectory(path.dirname(fileIn(folder, name)), { recursive: true })
      yield* wholeFile.write(fileIn(folder, name), content)
    })
  )

export const create = Effect.fnUntraced(function*(logDir: string, config: ConfigFile) {
  const fs = yield* FileSystem.FileSystem
  const model = config.model.replaceAll(/[^A-Za-z0-9._-]+/g, "-").replace(/^[-.]+/, "") || "simulation"
  const name = `${model}__${config.seed}__${yield* RunFolder.timeName}`
  yield* written(logDir, fs.makeDirectory(path.resolve(logDir), { recursive: true }))
  for (let attempt = 1;; attempt++) {
    const at = path.join(path.resolve(logDir), attempt === 1 ? name : `${name}-${attempt}`)
    const isNew = yield* written(
      at,
      Effect.as(fs.makeDirectory(at), true).pipe(
        Effect.catchIf((error) => error.reason._tag === "AlreadyExists", () => Effect.succeed(false))
      )
    )
    if (!isNew) continue
    const folder: SimulationFolder = { path: at, config }
    yield* write(folder, "config.json", `${JSON.stringify(config, undefined, 2)}\n`)
    return folder
  }
})

export const remove = (folder: SimulationFolder) =>
  written(folder.path, FileSystem.FileSystem.use((fs) => fs.remove(folder.path, { recursive: true, force: true })))

const refused = (message: string) => new ConfigError({ source: "resume", message })

export const open = Effect.fnUntraced(function*(at: string) {
  const file = path.join(at, "config.json")
  const text = yield* Effect.mapError(readData.readText(file), (error) =>
    refused(
      `${plainLine(file, 200)} cannot be read: ${
        explain(error)
      }. Name the folder of a simulation, as in runs/Bank__1__...`
    ))
  const config = yield* Effect.mapError(
    Schema.decodeEffect(ConfigFileFromJson)(text),
    () => refused(`${plainLine(file, 200)} is not that of a simulation.`)
  )
  return { path: path.resolve(at), config } satisfies SimulationFolder
})

const suffix = ".ckpt"
const checkpoints = "checkpoints"

export const writeCheckpoint = (folder: SimulationFolder, now: number, bytes: Uint8Array) =>
  write(folder, path.join(checkpoints, `${now}${suffix}`), bytes)

/** The times of the checkpoints there are, in their order. */
export const checkpointTimes = Effect.fnUntraced(function*(folder: SimulationFolder) {
  const fs = yield* FileSystem.FileSystem
  const names = yield* Effect.orElseSucceed(fs.readDirectory(fileIn(folder, checkpoints)), (): Array<string> => [])
  return names.filter((name) => name.endsWith(suffix) && !name.startsWith(".")).map((name) =>
    Number(name.slice(0, -suffix.length))
  ).filter((time) => time >= 0).toSorted((a, b) => a - b)
})

export const readCheckpoint = (folder: SimulationFolder, time: number) => {
  const file = fileIn(folder, checkpoints, `${time}${suffix}`)
  return Effect.mapError(
    readData.read(file),
    (error) => refused(`${plainLine(file, 200)} cannot be read: ${explain(error)}.`)
  )
}

const eventsFile = "events.jsonl"

export const appendEvents = (folder: SimulationFolder, lines: string) =>
  written(
    fileIn(folder, eventsFile),
    FileSystem.FileSystem.use((fs) => fs.writeFileString(fileIn(folder, eventsFile), lines, { flag: "a" }))
  )

const EventLine = fromJson(Schema.Struct({ before: Schema.Int }))

/** Forgets the events that were written down from the one on that so many were before, and a line that was cut off. */
const forgetEvents = Effect.fnUntraced(function*(folder: SimulationFolder, before: number) {
  const fs = yield* FileSystem.FileSystem
  const file = fileIn(folder, eventsFile)
  if (!(yield* Effect.orElseSucceed(fs.exists(file), () => false))) return
  const kept = yield* written(
    file,
    fs.stream(file).pipe(
      Stream.decodeText,
      Stream.splitLines,
      Stream.takeWhile((line) => Option.exists(Schema.decodeOption(EventLine)(line), (event) => event.before < before)),
      Stream.runFold(() => 0, (bytes, line) => bytes + Buffer.byteLength(line) + 1)
    )
  )
  yield* written(file, fs.truncate(file, kept))
})

/** Forgets what came after a time and so many events, to go on from there. Answers the rows of the series up to it. */
export const goBackTo = Effect.fnUntraced(function*(folder: SimulationFolder, time: number, events: number) {
  const fs = yield* FileSystem.FileSystem
  yield* wholeFile.sweep(folder.path)
  for (const other of yield* checkpointTimes(folder)) {
    const file = fileIn(folder, checkpoints, `${other}${suffix}`)
    if (other > time) yield* written(file, fs.remove(file, { force: true }))
  }
  yield* forgetEvents(folder, events)
  const rows = (yield* seriesOf(folder)).filter((row) => Number(row["time"]) <= time)
  yield* write(folder, "series.jsonl", rows.map((row) => `${JSON.stringify(row)}\n`).join(""))
  return rows
})

/** The series so far. A last line that was cut off is none. */
export const seriesOf = Effect.fnUntraced(function*(folder: SimulationFolder) {
  const text = yield* Effect.orElseSucceed(
    readData.readText(fileIn(folder, "series.jsonl"), Number.MAX_SAFE_INTEGER),
    () => ""
  )
  const lines = text.split("\n").filter((line) => line !== "")
  const rows = yield* Effect.forEach(lines, (line) => Effect.option(Schema.decodeEffect(RowFromJson)(line)))
  return rows.flatMap((row): ReadonlyArray<Row> => row._tag === "Some" ? [row.value] : [])
})

export const appendRow = (folder: SimulationFolder, row: Row) =>
  written(
    fileIn(folder, "series.jsonl"),
    FileSystem.FileSystem.use((fs) =>
      fs.writeFileString(fileIn(folder, "series.jsonl"), `${JSON.stringify(row)}\n`, { flag: "a" })
    )
  )

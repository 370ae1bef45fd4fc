/**
 * The folder of a sweep: `sweep.json`, what is to be run, and `results.jsonl`, a line for each run that has come to its end;
 * beside them a folder for each run. So a sweep that was stopped goes on with what is missing.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { fromJson } from "../../text/json.ts"
import * as readData from "../files/readData.ts"
import { explain } from "../files/reason.ts"
import * as wholeFile from "../files/wholeFile.ts"
import { Finished } from "../monitoring/RunEvent.ts"

/** One run of a sweep. */
export const Cell = Schema.Struct({
  /** The name of its folder. */
  name: Schema.String,
  /** The settings that differ over the sweep, but for the seed, as text. */
  setting: Schema.Record(Schema.String, Schema.String),
  seed: Schema.Int,
  /** All settings, as in the `config.json` of a run. */
  config: Schema.Record(Schema.String, Schema.Json)
})
export type Cell = typeof Cell.Type

const SweepFile = Schema.Struct({
  format: Schema.Literal("troupe-sweep"),
  version: Schema.Literal(1),
  cells: Schema.Array(Cell)
})
const SweepFileFromJson = fromJson(SweepFile)

/** How a run of a sweep ended. */
export const Result = Schema.Struct({
  name: Schema.String,
  /** Its folder, from that of the sweep. */
  folder: Schema.NullOr(Schema.String),
  finished: Finished,
  /** What its last policy came to on fresh episodes, where that was asked for. */
  evaluation: Schema.optionalKey(Schema.Struct({ episodes: Schema.Int, mean: Schema.Finite, std: Schema.Finite }))
})
export type Result = typeof Result.Type

const ResultFromJson = fromJson(Result)

/** A sweep that cannot be begun, or gone on with. */
export class SweepFault extends Schema.TaggedError<SweepFault>()("SweepFault", { message: Schema.String }) {}

/** The name of the file that says what a sweep is. */
export const sweepFile = "sweep.json"
const resultsFile = "results.jsonl"

export interface SweepFolder {
  readonly path: string
  readonly cells: ReadonlyArray<Cell>
}

/** Letters of the text of `sweep.json`: a sweep has many runs, and all settings of each. */
const mostText = 268_435_456

/** Makes the folder `name` of a sweep in `logDir`; another name where that is there already. */
export const create = Effect.fnUntraced(function*(logDir: string, name: string, cells: ReadonlyArray<Cell>) {
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const make = Effect.gen(function*() {
    yield* fs.makeDirectory(logDir, { recursive: true })
    for (let attempt = 1;; attempt++) {
      const path = paths.resolve(logDir, attempt === 1 ? name : `${name}-${attempt}`)
      if (yield* fs.exists(path)) continue
      yield* fs.makeDirectory(path)
      const file: typeof SweepFile.Type = { format: "troupe-sweep", version: 1, cells }
      yield* wholeFile.write(paths.join(path, sweepFile), `${JSON.stringify(file)}\n`)
      return { path, cells } satisfies SweepFolder
    }
  })
  return yield* Effect.mapError(
    make,
    (error) => new SweepFault({ message: `No folder for the sweep can be made in ${logDir}: ${explain(error)}.` })
  )
})

/** Reads the folder of a sweep. */
export const read = Effect.fnUntraced(function*(path: string) {
  const paths = yield* Path.Path
  const { cells } = yield* readData.readText(paths.join(path, sweepFile), mostText).pipe(
    Effect.flatMap(Schema.decodeEffect(SweepFileFromJson)),
    Effect.mapError(() =>
      new SweepFault({
        message: `There is no sweep at ${path}: it has no readable ${sweepFile}. Name the folder of a sweep.`
      })
    )
  )
  const unsafe = cells.find(({ name }) => !/^[\w.,=+-]+$/.test(name) || name.startsWith("."))
  if (unsafe !== undefined) {
    return yield* new SweepFault({
      message: `${sweepFile} in ${path} names a run by no plain name; it was not written by this program.`
    })
  }
  return { path: paths.resolve(path), cells } satisfies SweepFolder
})

/** The results so far, by name. A line that was cut off is none. */
export const results = Effect.fnUntraced(function*({ path }: SweepFolder) {
  const paths = yield* Path.Path
  const text = yield* Effect.orElseSucceed(readData.readText(paths.join(path, resultsFile), mostText), () => "")
  return new Map(
    text.split("\n").flatMap((line) =>
      Option.toArray(Schema.decodeOption(ResultFromJson)(line)).map((result) => [result.name, result] as const)
    )
  )
})

/** Adds a result. */
export const add = Effect.fnUntraced(function*({ path }: SweepFolder, result: Result) {
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  yield* Effect.mapError(
    // A line that a crash has cut off before ends here.
    fs.writeFileString(paths.join(path, resultsFile), `\n${JSON.stringify(result)}`, { flag: "a" }),
    (error) => new SweepFault({ message: `The result of ${result.name} cannot be written: ${explain(error)}.` })
  )
})

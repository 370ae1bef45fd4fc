/**
 * The folder of one run, `<log-dir>/<env>__<preset>__<seed>__<time>/`, and its `config.json`. Everything else in it is
 * written by the reporters (`folderReporter.ts`). Two runs that start in the same second get two
 * folders; a log directory that cannot be used is one `RunFolderFault`, and leaves nothing behind.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as Option from "effect/Option"
import * as Path from "effect/Path"
import type { PlatformError } from "effect/PlatformError"
import * as Schema from "effect/Schema"
import { fromJson } from "../../text/json.ts"
import { EnvironmentRecord } from "../config/EnvironmentRecord.ts"
import * as readData from "../files/readData.ts"
import { explain } from "../files/reason.ts"
import * as wholeFile from "../files/wholeFile.ts"

/** The log directory cannot hold a run folder. The message names the path and the way out. */
export class RunFolderFault extends Schema.TaggedError<RunFolderFault>()("RunFolderFault", {
  path: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `Cannot create a run folder in "${this.path}": ${this.reason}. Name another folder with --log-dir.`
  }
}

export interface RunFolder {
  /** Absolute path of the folder. */
  readonly path: string
  readonly envId: string
  readonly preset: string
  readonly seed: number
  /** The train20 at which the environment counts as solved, null where it names none. */
  readonly rewardThreshold: number | null
  /** When the run began, milliseconds since 1970: second 0 of its events. */
  readonly startedMillis: number
  /** What the environment was; undefined in a folder of 0.1.0. */
  readonly environment: EnvironmentRecord | undefined
  /** Every setting, as config.json has it. */
  readonly config: Schema.JsonObject
  /** The path of a file in the folder. */
  readonly file: (...names: ReadonlyArray<string>) => string
}

export interface RunFolderOptions {
  /** The folder that holds run folders; made where it is missing. */
  readonly logDir: string
  readonly envId: string
  readonly preset: string
  readonly seed: number
  readonly rewardThreshold?: number | undefined
  /** When the run began (milliseconds since 1970). Default: now. */
  readonly startedMillis?: number | undefined
  /** What the environment is. */
  readonly environment?: EnvironmentRecord | undefined
  /** The whole configuration, for people and for `--config`; goes into config.json as it is. */
  readonly config: Schema.JsonObject
}

/** The head of config.json, which the reporters and the `plot` verb read; the configuration follows under `config`. */
export const ConfigFile = Schema.Struct({
  env_id: Schema.String,
  preset: Schema.String,
  seed: Schema.Finite,
  reward_threshold: Schema.NullOr(Schema.Finite),
  started: Schema.String,
  environment: Schema.optionalKey(EnvironmentRecord),
  config: Schema.Record(Schema.String, Schema.Json)
})
export type ConfigFile = typeof ConfigFile.Type

export const ConfigFileFromJson = fromJson(ConfigFile)

/** A name that every file system takes. */
const safe = (name: string): string => name.replace(/[^A-Za-z0-9._-]+/g, "-").replace(/^[-.]+|-+$/g, "") || "run"

/** A date as part of a folder's name, to the second. */
const timeOf = (date: string): string => date.slice(0, 19).replaceAll(":", "-")

/** The time now, as part of a folder's name. */
export const timeName: Effect.Effect<string> = Effect.map(
  Clock.currentTimeMillis,
  (millis) => timeOf(new Date(millis).toISOString())
)

const isTag = (error: PlatformError, tag: string): boolean => error.reason._tag === tag

/** Makes the folder and writes config.json. */
export const create = (
  options: RunFolderOptions
): Effect.Effect<RunFolder, RunFolderFault, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const paths = yield* Path.Path
    const fault = (reason: string) => new RunFolderFault({ path: options.logDir, reason })
    if (options.logDir.trim() === "") return yield* fault("the name is empty")
    const startedMillis = options.startedMillis ?? (yield* Clock.currentTimeMillis)
    const started = new Date(startedMillis).toISOString()
    const time = timeOf(started)
    const name = `${safe(options.envId)}__${safe(options.preset)}__${options.seed}__${time}`
    const logDir = paths.resolve(options.logDir)
    const config: ConfigFile = {
      env_id: options.envId,
      preset: options.preset,
      seed: options.seed,
      reward_threshold: options.rewardThreshold ?? null,
      started,
      ...(options.environment === undefined ? {} : { environment: options.environment }),
      config: options.config
    }

    /** What this call has made, outermost first, to be taken back if it cannot finish. */
    const parents: Array<string> = []
    let folder: string | undefined

    const makeParent = (path: string): Effect.Effect<void, PlatformError> =>
      Effect.tap(fs.makeDirectory(path), () => Effect.sync(() => parents.push(path))).pipe(
        // There already, perhaps through another run that starts at the same time.
        Effect.catchIf((error) => isTag(error, "AlreadyExists"), () => Effect.void)
      )

    const makeParents = (path: string): Effect.Effect<void, PlatformError> =>
      Effect.catchIf(
        makeParent(path),
        (error) => isTag(error, "NotFound") && paths.dirname(path) !== path,
        () => Effect.andThen(makeParents(paths.dirname(path)), makeParent(path))
      )

    const makeRunFolder = (attempt: number): Effect.Effect<string, PlatformError> => {
      const path = paths.join(logDir, attempt === 1 ? name : `${name}-${attempt}`)
      return Effect.as(fs.makeDirectory(path), path).pipe(
        Effect.tap(() => Effect.sync(() => folder = path)),
        Effect.catchIf(
          (error) => isTag(error, "AlreadyExists") && attempt < 10_000,
          () => makeRunFolder(attempt + 1)
        )
      )
    }

    /** The run folder goes with its content, a parent only while nobody else has put something into it. */
    const takeBack = Effect.suspend(() =>
      Effect.andThen(
        folder === undefined ? Effect.void : fs.remove(folder, { recursive: true }),
        Effect.forEach(parents.toReversed(), (parent) =>
          Effect.flatMap(
            fs.readDirectory(parent),
            (names) => names.length === 0 ? fs.remove(parent, { recursive: true }) : Effect.void
          ), { discard: true })
      )
    ).pipe(Effect.ignore)

    const path = yield* makeParents(logDir).pipe(
      Effect.andThen(makeRunFolder(1)),
      Effect.tap((path) =>
        // A run that has not begun has nothing to lose, and does not wait for the disk.
        wholeFile.write(paths.join(path, "config.json"), `${JSON.stringify(config, undefined, 2)}\n`, {
          durable: false
        })
      ),
      Effect.mapError((error) => fault(explain(error))),
      Effect.onError(() => takeBack)
    )
    return fromConfig(paths, path, config)
  })

const fromConfig = (paths: Path.Path, path: string, config: ConfigFile): RunFolder => ({
  path,
  envId: config.env_id,
  preset: config.preset,
  seed: config.seed,
  rewardThreshold: config.reward_threshold,
  startedMillis: Date.parse(config.started),
  environment: config.environment,
  config: config.config,
  file: (...names) => paths.join(path, ...names)
})

/** Writes config.json anew, with other settings: all of it or none. */
export const rewriteConfig = Effect.fnUntraced(function*(
  folder: RunFolder,
  settings: Schema.JsonObject,
  environment: EnvironmentRecord
) {
  const config: ConfigFile = {
    env_id: folder.envId,
    preset: folder.preset,
    seed: folder.seed,
    reward_threshold: folder.rewardThreshold,
    started: new Date(folder.startedMillis).toISOString(),
    environment,
    config: settings
  }
  yield* wholeFile.write(folder.file("config.json"), `${JSON.stringify(config, undefined, 2)}\n`)
})

/** An existing run folder, by its config.json; none where that is missing or not ours. */
export const read = (
  path: string
): Effect.Effect<Option.Option<RunFolder>, never, FileSystem.FileSystem | Path.Path> =>
  Effect.gen(function*() {
    const paths = yield* Path.Path
    const absolute = paths.resolve(path)
    return yield* readData.readText(paths.join(absolute, "config.json")).pipe(
      Effect.flatMap(Schema.decodeEffect(ConfigFileFromJson)),
      Effect.map((config) => fromConfig(paths, absolute, config)),
      Effect.option
    )
  })

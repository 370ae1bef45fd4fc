/**
 * What `train` trains: anew from all sources, again from a recording, or on from a checkpoint; and whether its environment is
 * still what it was.
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import type * as Scope from "effect/Scope"
import type { JsonRecord } from "../../envs/EnvironmentDefinition.ts"
import { isModule } from "../../envs/loadEnvironment.ts"
import type { UnknownEnvironment } from "../../envs/Registry.ts"
import * as recording from "../arrivals/recording.ts"
import * as configSources from "../config/configSources.ts"
import { confirmEnvironment, type UnconfirmedEnvironment } from "../config/confirmEnvironment.ts"
import { changes, type EnvironmentRecord } from "../config/EnvironmentRecord.ts"
import { usualWorkers } from "../config/hosts.ts"
import { flagName, type RunConfig } from "../config/RunConfig.ts"
import type * as FolderLock from "../files/FolderLock.ts"
import * as readData from "../files/readData.ts"
import { recordingName } from "./leftBehind.ts"
import * as resume from "./resume.ts"

/** What a person asks to be trained. */
export interface Wanted {
  readonly given: configSources.PartialConfig
  readonly file: string | undefined
  readonly envOptions: JsonRecord | undefined
  /** Folder of the run to repeat. */
  readonly replay: string | undefined
  /** Folder, or checkpoint, of the run to go on with. */
  readonly resume: string | undefined
  /** Repeat a run though its environment has changed. */
  readonly force: boolean
}

/** What is trained: anew from all sources, again from a recording, or on from a checkpoint. */
export interface Plan {
  readonly config: RunConfig
  readonly replayed?: recording.Recording
  readonly resumed?: resume.Resumption
  /** What a person should know of the settings. */
  readonly notices: Iterable<string>
}

/** The recording in a run's folder. */
const recordingOf = Effect.fnUntraced(function*(folder: string, config: RunConfig) {
  const paths = yield* Path.Path
  const path = paths.join(folder, recordingName)
  const bytes = yield* readData.read(path).pipe(Effect.mapError(() =>
    new recording.RecordingError({
      message: `${path} cannot be read. Name the folder of a run with --async; only these are recorded.`
    })
  ))
  return yield* recording.read(bytes, path, config)
})

/** Puts the run's settings together. */
export const settings = Effect.fnUntraced(function*(request: Wanted): Effect.fn.Return<
  Plan,
  | configSources.ConfigError
  | recording.RecordingError
  | resume.ResumeError
  | UnconfirmedEnvironment
  | UnknownEnvironment
  | FolderLock.FolderInUse,
  FileSystem.FileSystem | Path.Path | Scope.Scope
> {
  const { file, given, replay } = request
  const notices = new Set<string>()
  const sources = {
    given,
    file,
    envOptions: request.envOptions,
    notice: (message: string) => void notices.add(message)
  }
  if (request.force && replay === undefined) {
    return yield* new configSources.ConfigError({ source: "force", message: "--force goes with --replay." })
  }
  if (request.resume !== undefined) {
    if (replay !== undefined) {
      return yield* new configSources.ConfigError({
        source: "resume",
        message: "Give --resume or --replay, not both: a replay can be repeated from its beginning."
      })
    }
    const resumed = yield* resume.resume(request.resume, sources)
    return { config: resumed.config, resumed, notices: [...notices, ...resumed.notices] }
  }
  const resolved = yield* configSources.resolve(sources)
  if (replay === undefined) return { config: resolved, notices }
  const replayed = yield* recordingOf(replay, resolved)
  const chosen = yield* configSources.chosen(sources)
  const { envId } = chosen
  const { config } = replayed
  // A module may lie elsewhere now; that it is the same environment is seen when it is there.
  const elsewhere = envId !== undefined && isModule(envId) && isModule(config.envId)
  const changed = recording.firstDifference(config, {
    ...config,
    ...chosen,
    ...(elsewhere ? { envId: config.envId } : {})
  })
  if (changed !== undefined) {
    return yield* new configSources.ConfigError({
      source: flagName(changed),
      message: `--${flagName(changed)} cannot be changed by a replay; leave it out, or train anew.`
    })
  }
  if (envId === undefined) {
    yield* confirmEnvironment({
      file: replay,
      reference: config.envId,
      fingerprint: replayed.environment?.module ?? undefined,
      folder: replay,
      changed: request.force
    })
  }
  const workers = chosen.workers ?? usualWorkers()
  for (const message of replayed.notices) notices.add(message)
  const again = configSources.withinWork({ ...config, envId: envId ?? config.envId, workers })
  return { config: yield* configSources.feasible(again), replayed, notices }
})

/**
 * Holds the environment to what it was when the run was trained, or recorded. A run that goes on says what has changed; one
 * that is to be repeated exactly is refused, unless it is forced.
 */
export const compareEnvironments = Effect.fnUntraced(function*(
  { replayed, resumed }: Plan,
  { force, replay = "" }: Wanted,
  now: EnvironmentRecord
) {
  const before = replayed === undefined ? resumed?.environment : replayed.environment
  const id = before?.id ?? resumed?.folder.envId
  if (id !== undefined && id !== now.id) {
    const message = `The run is one of ${id}, and --env-id gives ${now.id}. Give the environment it was trained in.`
    return yield* replayed === undefined
      ? new resume.ResumeError({ message })
      : new recording.RecordingError({ message })
  }
  const changed = before === undefined ? [] : changes(before, now)
  if (changed.length === 0) return []
  const what = `The environment ${now.id} is not what it was: ${changed.join("; ")}`
  if (replayed === undefined) return [`${what}. The weights come to differ from those of a run without a break.`]
  if (force) return [`${what}. This is not an exact repetition.`]
  return yield* new recording.RecordingError({
    message: `${replay} cannot be repeated exactly. ${what}. Say --force to repeat it all the same.`
  })
})

/** What `--resume` names: which folder, which checkpoint in it, and with which settings the run goes on. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { isModule } from "../../envs/loadEnvironment.ts"
import { decisive } from "../arrivals/recording.ts"
import * as CheckpointFolder from "../checkpoint/CheckpointFolder.ts"
import { UnreadableCheckpoint } from "../checkpoint/container.ts"
import { type Checkpoint, decode, settingsOf } from "../checkpoint/RunState.ts"
import * as configSources from "../config/configSources.ts"
import { confirmEnvironment, shellWord } from "../config/confirmEnvironment.ts"
import type { EnvironmentRecord } from "../config/EnvironmentRecord.ts"
import { runnersOf, usualWorkers } from "../config/hosts.ts"
import { placements } from "../config/placements.ts"
import { flagName, type OptionName, optionNames, type RunConfig } from "../config/RunConfig.ts"
import * as FolderLock from "../files/FolderLock.ts"
import { foreignEntry } from "../files/foreignEntry.ts"
import * as readData from "../files/readData.ts"
import { explain } from "../files/reason.ts"
import * as wholeFile from "../files/wholeFile.ts"
import * as RunFolder from "../reporting/RunFolder.ts"
import { isOver } from "../stopping/stoppingRules.ts"
import { buildId } from "../workers/hostEntry.ts"
import { programName } from "./programName.ts"

/** A run that cannot be resumed: why, and what to do about it. */
export class ResumeError extends Schema.TaggedError<ResumeError>()("ResumeError", { message: Schema.String }) {}

/** A run that goes on. */
export interface Resumption {
  readonly folder: RunFolder.RunFolder
  readonly config: RunConfig
  /** Undefined where the run was stopped before its first checkpoint: it begins anew. */
  readonly checkpoint: Checkpoint | undefined
  /** What the environment was; undefined where 0.1.0 wrote it. */
  readonly environment: EnvironmentRecord | undefined
  /** What a person should know. */
  readonly notices: ReadonlyArray<string>
}

/** The command that resumes from a path, as the person would type it here; with the environment, where it must be named. */
export const command = (path: string, environment?: string): string =>
  `${programName()} --resume ${shellWord(path)}${
    environment === undefined ? "" : ` --env-id ${shellWord(environment)}`
  }`

/** Settings that only say how long a run goes on, and where the learner computes. */
const changeable: ReadonlyArray<OptionName> = ["totalTimesteps", "totalEpisodes", "keepGoing", "device"]
/** Where the learner computes: the run goes on from the same numbers, and by others of their last digits. */
const movable: ReadonlyArray<OptionName> = ["device"]
/** The folder is that of the run. */
const placed: ReadonlyArray<OptionName> = ["logDir", "runFolder"]

const fixed = (name: OptionName): boolean =>
  (decisive.includes(name) && !changeable.includes(name) && !movable.includes(name)) || placed.includes(name)

const shipOn = (config: RunConfig): RunConfig["ship"] =>
  config.device === "auto" ? "auto" : configSources.shipping(config)

/**
 * Where a run goes on unless it is said anew. Which machines are spoken to, and with which secret, is for the person to say,
 * and not for a file.
 */
const here = (own: RunConfig, chosen: configSources.PartialConfig): Partial<RunConfig> => {
  const { placement = own.placement, runners = "none" } = chosen
  const nobody = { runners: "none", runnerSecretFile: "none", runnerCa: "none" } as const
  if (!placements[placement].otherMachines) return { ...nobody, workers: usualWorkers() }
  return chosen.placement === undefined && runners === "none"
    ? { ...nobody, workers: usualWorkers(), placement: "auto" }
    : { ...nobody, workers: runners === "cluster" ? usualWorkers() : Math.max(1, runnersOf({ runners }).length) }
}

/** The folder that a path names, and the checkpoint, where it names one. */
const locate = Effect.fnUntraced(function*(path: string) {
  const paths = yield* Path.Path
  const whole = yield* RunFolder.read(path)
  if (Option.isSome(whole)) return { folder: whole.value, update: undefined }
  const absolute = paths.resolve(path)
  const update = /^(\d+)(?:\.ckpt)?$/.exec(paths.basename(absolute))?.[1]
  const folder = yield* RunFolder.read(paths.dirname(paths.dirname(absolute)))
  if (update !== undefined && Option.isSome(folder)) return { folder: folder.value, update: Number(update) }
  return yield* new ResumeError({
    message: `There is no run to resume at ${path}: it has no readable config.json. ` +
      "Name the folder of a run, or one of the checkpoints in it."
  })
})

const readCheckpoint = Effect.fnUntraced(function*(file: string) {
  const bytes = yield* readData.read(file).pipe(
    Effect.mapError(() => new UnreadableCheckpoint({ reason: "it cannot be read" }))
  )
  return yield* decode(bytes)
})

/** Reads the checkpoint of an update, the newest where none is named. One that is not whole is refused by name. */
const choose = Effect.fnUntraced(function*(folder: RunFolder.RunFolder, wanted: number | undefined) {
  const paths = yield* Path.Path
  const updates = yield* CheckpointFolder.list(folder.file(CheckpointFolder.name))
  const update = wanted ?? updates.at(-1)
  if (update === undefined) return undefined
  const shown = (update: number) =>
    paths.relative(".", folder.file(CheckpointFolder.name, CheckpointFolder.fileOf(update)))
  if (!updates.includes(update)) {
    return yield* new ResumeError({
      message: updates.length === 0
        ? `There is no checkpoint ${shown(update)}, nor any other; ${
          command(paths.relative(".", folder.path))
        } begins anew.`
        : `There is no checkpoint ${shown(update)}; there are those of the updates ${updates.join(", ")}.`
    })
  }
  const refused = Effect.fnUntraced(function*({ reason }: UnreadableCheckpoint) {
    for (const other of updates.filter((other) => other < update).toReversed()) {
      if (Option.isNone(yield* Effect.option(readCheckpoint(shown(other))))) continue
      return yield* new ResumeError({
        message: `${shown(update)} cannot be resumed from: ${reason}. The one before it is good: ${
          command(shown(other))
        }`
      })
    }
    return yield* new ResumeError({
      message: `${shown(update)} cannot be resumed from: ${reason}. There is no good one before it.`
    })
  })
  return yield* Effect.catchTag(readCheckpoint(shown(update)), "UnreadableCheckpoint", refused)
})

/** Finds what `path` names and puts the settings together: the run's own, and what may be chosen anew. */
export const resume = Effect.fnUntraced(function*(path: string, sources: configSources.Sources) {
  const paths = yield* Path.Path
  const { folder, update } = yield* locate(path)
  const foreign = yield* foreignEntry(folder.path)
  if (foreign !== undefined) {
    return yield* new ResumeError({
      message:
        `${paths.relative(".", foreign)} is a link or no plain file, and a run writes into its own folder only. ` +
        "Put the file itself in its place, or remove it."
    })
  }
  const shown = paths.relative(".", folder.path)
  // Until the run is over: nobody else reads or writes a checkpoint meanwhile.
  yield* FolderLock.take(shown === "" ? "." : shown).pipe(
    // Before it is looked which checkpoints there are: what an old trainer was about to add is not added any more.
    Effect.andThen(
      Effect.forEach([folder.path, folder.file(CheckpointFolder.name)], wholeFile.sweep, { discard: true })
    ),
    Effect.catchTag(
      "PlatformError",
      (error) =>
        Effect.fail(
          new ResumeError({
            message: `${shown} cannot be resumed, since nothing can be written there: ${explain(error)}.`
          })
        )
    )
  )
  const checkpoint = yield* choose(folder, update)
  const { config: own, notices: noticed } = checkpoint ?? (yield* readData.readText(folder.file("config.json")).pipe(
    Effect.flatMap(Schema.decodeEffect(RunFolder.ConfigFileFromJson)),
    Effect.flatMap(({ config }) => settingsOf(config)),
    Effect.mapError(() =>
      new ResumeError({ message: `${folder.file("config.json")} does not hold the settings of a run.` })
    )
  ))
  const chosen = yield* configSources.chosen(sources)
  const named = chosen.envId
  const changed = optionNames.find((name) =>
    fixed(name) && chosen[name] !== undefined && JSON.stringify(chosen[name]) !== JSON.stringify(own[name]) &&
    // A module may lie elsewhere now; that it is the same environment is seen when it is there.
    !(name === "envId" && named !== undefined && isModule(named) && isModule(own.envId))
  )
  if (changed !== undefined) {
    return yield* new configSources.ConfigError({
      source: flagName(changed),
      message: `--${flagName(changed)} cannot be changed by a resume: the run has ${
        JSON.stringify(own[changed])
      }. Leave it out, or train anew.`
    })
  }
  const environment = checkpoint === undefined ? folder.environment : checkpoint.environment
  if (named === undefined) {
    yield* confirmEnvironment({
      file: checkpoint === undefined ? paths.relative(".", folder.file("config.json")) : shown,
      reference: own.envId,
      fingerprint: environment?.module ?? undefined,
      folder: folder.path
    })
  }
  const notices: Array<string> = [...noticed]
  const moved = chosen.device !== undefined && chosen.device !== own.device
  const config = yield* configSources.feasible(configSources.withinWork({
    ...own,
    ...here(own, chosen),
    chaos: 0,
    ...chosen,
    // What travels best depends on the device; in step it makes no difference to the numbers.
    ...(moved && own.schedule === "sync" ? { ship: shipOn({ ...own, ...chosen }) } : {})
  }))
  if (placements[own.placement].otherMachines && !placements[config.placement].otherMachines) {
    notices.push(
      "The run was on runners and goes on here: to go on there, give --placement runner and its flags again."
    )
  }
  if (moved) {
    notices.push(`The run was on the device ${own.device}: on another its weights come to differ in their last digits.`)
  }
  if (checkpoint === undefined) notices.push("There is no checkpoint yet: the run begins anew.")
  else {
    if (checkpoint.build !== buildId) {
      notices.push("The checkpoint is of another build of this program: the weights may come to differ.")
    }
    if (config.device !== own.device) {
      notices.push(
        `The run was on the device ${own.device} so far: from here on it is another run than one that stays there.`
      )
    }
    if (isOver(config, checkpoint.state.monitor.progress, checkpoint.state.monitor)) {
      notices.push("This run has come to its end already. To train on, say --keep-going, or more --total-timesteps.")
    }
  }
  const resumption: Resumption = { folder, config, checkpoint, environment, notices }
  return resumption
})

/**
 * What a training run leaves behind: its folder, where something came of it, the recording in that, and the word how to go on. Where
 * a run goes on, the folder is first brought back to where its checkpoint was taken.
 */
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FileSystem from "effect/FileSystem"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import type { EnvironmentDefinition } from "../../envs/EnvironmentDefinition.ts"
import * as CheckpointFolder from "../checkpoint/CheckpointFolder.ts"
import { confirmEnvironment } from "../config/confirmEnvironment.ts"
import type { EnvironmentRecord } from "../config/EnvironmentRecord.ts"
import type { RunConfig } from "../config/RunConfig.ts"
import { CurrentFence } from "../files/Fence.ts"
import { explain } from "../files/reason.ts"
import * as wholeFile from "../files/wholeFile.ts"
import type { RunStatus } from "../monitoring/RunMonitor.ts"
import { cutBack } from "../reporting/folderReporter.ts"
import { faultAt } from "../reporting/ReportFault.ts"
import * as RunFolder from "../reporting/RunFolder.ts"
import * as resume from "./resume.ts"

/** The recording's name in a run's folder. */
export const recordingName = "arrivals.bin"

/** Makes the folder of a run that began then, in milliseconds since 1970. */
export const openFolder = (
  config: RunConfig,
  { id, rewardThreshold }: EnvironmentDefinition,
  environment: EnvironmentRecord,
  startedMillis: number
) =>
  RunFolder.create({
    logDir: config.logDir,
    environment,
    envId: id,
    preset: config.preset,
    seed: config.seed,
    rewardThreshold,
    startedMillis,
    config: { ...config }
  })

/** Writes the recording when the scope closes, however it closes: all of it or none. */
export const keepRecording = Effect.fnUntraced(function*(path: string, bytes: () => Uint8Array) {
  const fs = yield* FileSystem.FileSystem
  yield* Effect.addFinalizer((exit) =>
    Effect.suspend(() => wholeFile.write(path, bytes())).pipe(
      Effect.provideService(FileSystem.FileSystem, fs),
      // Why a run failed is told; that its recording cannot be written either is no news.
      Effect.catch((error) =>
        Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause)
          ? Effect.void
          : Effect.logError(`The recording ${path} cannot be written: ${explain(error)}.`)
      )
    )
  )
})

/** A run that failed before an episode or an update was over leaves no folder. */
export const removeIfNothingCame = Effect.fnUntraced(function*(path: string, status: Effect.Effect<RunStatus>) {
  const fs = yield* FileSystem.FileSystem
  yield* Effect.addFinalizer(Effect.fnUntraced(function*(exit) {
    if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return
    const { episodes, updates } = yield* status
    if (episodes === 0 && updates < 2) yield* Effect.ignore(fs.remove(path, { recursive: true }))
  }))
})

/** A run that has ended because what it has to say could not be written. */
export class RunNotKept extends Schema.TaggedError<RunNotKept>()("RunNotKept", { message: Schema.String }) {}

/** Brings the folder of a run back to where its checkpoint was taken. */
export const goBack = Effect.fnUntraced(function*(
  { checkpoint, config, folder }: resume.Resumption,
  environment: EnvironmentRecord
) {
  const update = checkpoint?.state.monitor.progress.updates ?? 0
  const checkpoints = folder.file(CheckpointFolder.name)
  // In this order: a checkpoint must not speak of more than there is in the files.
  yield* Effect.mapError(CheckpointFolder.goBackTo(checkpoints, update), faultAt(checkpoints))
  const short = yield* cutBack(folder, checkpoint?.files ?? {})
  yield* Effect.mapError(
    RunFolder.rewriteConfig(folder, { ...config }, environment),
    faultAt(folder.file("config.json"))
  )
  return short.map((name) => `${folder.file(name)} is shorter than when the checkpoint was taken: rows are missing.`)
})

/** The command that goes on with a run; it names the environment where a file alone would not be believed. */
export const commandToResume = Effect.fnUntraced(
  function*(folder: RunFolder.RunFolder, reference: string, environment: EnvironmentRecord) {
    const paths = yield* Path.Path
    const confirmed = yield* Effect.isSuccess(confirmEnvironment({
      file: folder.path,
      reference,
      fingerprint: environment.module ?? undefined,
      folder: folder.path
    }))
    return resume.command(paths.relative(".", folder.path), confirmed ? undefined : reference)
  }
)

/** Says how to go on with a run that was interrupted. */
export const tellHowToResume = Effect.fnUntraced(
  function*(
    folder: RunFolder.RunFolder,
    written: Effect.Effect<number | undefined>,
    reference: string,
    environment: EnvironmentRecord
  ) {
    const update = yield* written
    const go = (yield* CurrentFence) === null
      ? `go on with: ${yield* commandToResume(folder, reference, environment)}`
      : "the same command goes on"
    const kept = update === undefined ? "No checkpoint was written" : `The last checkpoint is that of update ${update}`
    yield* Console.error(`Interrupted. ${kept}; ${go}`)
  }
)

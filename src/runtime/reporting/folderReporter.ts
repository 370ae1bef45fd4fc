/** Everything a run writes into its folder while it goes, as one reporter; the scope owns the open files. */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type * as Scope from "effect/Scope"
import * as Fence from "../files/Fence.ts"
import * as wholeFile from "../files/wholeFile.ts"
import type { RunEvent } from "../monitoring/RunEvent.ts"
import * as MonitorFile from "./MonitorFile.ts"
import * as plot from "./plot.ts"
import * as ProgressFiles from "./ProgressFiles.ts"
import { all, type FileReporter, type Reporter } from "./Reporter.ts"
import { faultAt, type ReportFault } from "./ReportFault.ts"
import type { RunFolder } from "./RunFolder.ts"
import * as TensorBoard from "./TensorBoard.ts"
import { isRow } from "./thinning.ts"

/** Hears of each checkpoint, when all that was told before it is in the files: these, with their lengths. */
export type OnCheckpoint = (
  update: number,
  files: ReadonlyArray<FileReporter>
) => Effect.Effect<void, ReportFault>

/** A reporter that hears of those reports of progress only that become rows. */
const thinned = (reporter: FileReporter, logInterval: number): FileReporter => ({
  ...reporter,
  on: (events) => reporter.on(events.filter((event) => event.event !== "progress" || isRow(event.update, logInterval)))
})

/**
 * `progress.csv`, `progress.jsonl`, `monitor.csv`, `events.out.tfevents.*` and, at the end, `curve.svg`. `logInterval`:
 * updates between two reports of progress, which become ever rarer rows (`thinning.ts`).
 */
export const folderReporter = (
  folder: RunFolder,
  onCheckpoint: OnCheckpoint = () => Effect.void,
  logInterval = 1
): Effect.Effect<Reporter, ReportFault, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function*() {
    const curve = yield* plot.reporter(folder)
    const files = [
      thinned(yield* ProgressFiles.csv(folder), logInterval),
      thinned(yield* ProgressFiles.jsonl(folder), logInterval),
      yield* MonitorFile.reporter(folder),
      thinned(yield* TensorBoard.reporter(folder), logInterval)
    ]
    const reporter = all([...files, curve])
    return {
      on: Effect.fnUntraced(function*(events) {
        for (const part of untilCheckpoints(events)) {
          yield* reporter.on(part)
          const last = part.at(-1)
          if (last?.event !== "checkpoint") continue
          yield* Effect.forEach(files, ({ flush }) => flush, { discard: true })
          yield* onCheckpoint(last.update, files)
        }
      })
    }
  })

/** The events in parts that end with a checkpoint, or with the last event. */
const untilCheckpoints = (events: ReadonlyArray<RunEvent>): ReadonlyArray<ReadonlyArray<RunEvent>> => {
  const parts: Array<ReadonlyArray<RunEvent>> = []
  let from = 0
  for (let i = 0; i < events.length; i++) {
    if (events[i]!.event !== "checkpoint" && i < events.length - 1) continue
    parts.push(events.slice(from, i + 1))
    from = i + 1
  }
  return parts
}

/**
 * Cuts the files of a folder back to what they were, by their lengths in bytes; those that were not there are taken away.
 * Answers the names of files that are shorter than they were.
 */
export const cutBack = Effect.fnUntraced(function*(folder: RunFolder, lengths: Readonly<Record<string, number>>) {
  const fs = yield* FileSystem.FileSystem
  const short: Array<string> = []
  const names = yield* Effect.mapError(fs.readDirectory(folder.path), faultAt(folder.path))
  yield* Effect.mapError(Fence.stand, faultAt(folder.path))
  for (const name of names.filter(isGrowing)) {
    const path = folder.file(name)
    const length = lengths[name]
    if (length === undefined) {
      yield* Effect.mapError(wholeFile.discard(path, ""), faultAt(path))
      continue
    }
    const { size } = yield* Effect.mapError(fs.stat(path), faultAt(path))
    if (Number(size) < length) short.push(name)
    else yield* Effect.mapError(wholeFile.cutBack(path, length), faultAt(path))
  }
  return [...short, ...Object.keys(lengths).filter((name) => !names.includes(name))]
})

/** Files that are appended to while a run goes. */
const isGrowing = (name: string): boolean =>
  ["progress.csv", "progress.jsonl", "monitor.csv"].includes(name) || name.startsWith(TensorBoard.prefix)

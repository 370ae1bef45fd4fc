/** Everything a run writes into its folder while it goes, as one reporter; the scope owns the open files. */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Path from "effect/Path"
import type * as Scope from "effect/Scope"
import * as MonitorFile from "./MonitorFile.ts"
import * as plot from "./plot.ts"
import * as ProgressFiles from "./ProgressFiles.ts"
import { all, type Reporter } from "./Reporter.ts"
import type { ReportFault } from "./ReportFault.ts"
import type { RunFolder } from "./RunFolder.ts"
import * as TensorBoard from "./TensorBoard.ts"

/** `progress.csv`, `progress.jsonl`, `monitor.csv`, `events.out.tfevents.*` and, at the end, `curve.svg`. */
export const folderReporter = (
  folder: RunFolder
): Effect.Effect<Reporter, ReportFault, FileSystem.FileSystem | Path.Path | Scope.Scope> =>
  Effect.gen(function*() {
    const curve = yield* plot.reporter(folder)
    const csv = yield* ProgressFiles.csv(folder)
    const jsonl = yield* ProgressFiles.jsonl(folder)
    const monitor = yield* MonitorFile.reporter(folder)
    const tensorBoard = yield* TensorBoard.reporter(folder)
    return all([csv, jsonl, monitor, tensorBoard, curve])
  })

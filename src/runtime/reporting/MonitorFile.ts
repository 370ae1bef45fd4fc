/**
 * `monitor.csv`, an episode a row, in the format of Stable-Baselines3's Monitor, so that its `load_results` and plots
 * read it: a line of JSON after `#`, then `r,l,t` (return, length, seconds since `t_start`). Also the reader, which the
 * curve is drawn from.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { lines } from "./ProgressFiles.ts"
import type { Reporter } from "./Reporter.ts"
import type { ReportFault } from "./ReportFault.ts"
import type { RunFolder } from "./RunFolder.ts"

/** Six decimals, as Monitor writes; nothing for a number that is not finite. */
const rounded = (value: number): string => Number.isFinite(value) ? String(Math.round(value * 1e6) / 1e6) : ""

export const header = (startedMillis: number, envId: string): string =>
  `#${JSON.stringify({ t_start: startedMillis / 1000, env_id: envId })}\nr,l,t\n`

export const reporter = (
  folder: RunFolder
): Effect.Effect<Reporter, ReportFault, FileSystem.FileSystem | Scope.Scope> =>
  lines(folder.file("monitor.csv"), header(folder.startedMillis, folder.envId), (event) =>
    event.event === "episode"
      ? `${rounded(event.return)},${event.length},${rounded(event.wall_seconds)}\n`
      : undefined)

/** The columns of a monitor.csv, one entry per episode in order of their ends. */
export interface Episodes {
  readonly returns: ReadonlyArray<number>
  readonly lengths: ReadonlyArray<number>
  /** Seconds since the run began. */
  readonly seconds: ReadonlyArray<number>
}

/** Reads the rows of a monitor.csv; a row that is not three numbers (a header, a line cut by a crash) is passed over. */
export const read = (path: string): Effect.Effect<Episodes, PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const returns: Array<number> = []
    const lengths: Array<number> = []
    const seconds: Array<number> = []
    yield* fs.stream(path).pipe(
      Stream.decodeText,
      Stream.splitLines,
      Stream.runForEachArray((rows) =>
        Effect.sync(() => {
          for (const row of rows) {
            const fields = row.split(",")
            if (fields.length < 3) continue
            const [r, l, t] = [Number(fields[0] || NaN), Number(fields[1] || NaN), Number(fields[2] || NaN)]
            if (!(Number.isFinite(r) && Number.isFinite(l) && Number.isFinite(t))) continue
            returns.push(r)
            lengths.push(l)
            seconds.push(t)
          }
        })
      )
    )
    return { returns, lengths, seconds }
  })

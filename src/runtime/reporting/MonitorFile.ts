/**
 * `monitor.csv`, an episode a row, in the format of Stable-Baselines3's Monitor, so that its `load_results` and plots
 * read it: a line of JSON after `#`, then `r,l,t` (return, length, seconds since `t_start`), and as a column of our own,
 * which Monitor allows, the run's environment steps at which the episode ended. Also the reader, which the curve is
 * drawn from.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import type { PlatformError } from "effect/PlatformError"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { lines } from "./ProgressFiles.ts"
import type { FileReporter } from "./Reporter.ts"
import type { ReportFault } from "./ReportFault.ts"
import type { RunFolder } from "./RunFolder.ts"

/** Six decimals, as Monitor writes; nothing for a number that is not finite. */
const rounded = (value: number): string => Number.isFinite(value) ? String(Math.round(value * 1e6) / 1e6) : ""

export const header = (startedMillis: number, envId: string): string =>
  `#${JSON.stringify({ t_start: startedMillis / 1000, env_id: envId })}\nr,l,t,env_steps\n`

export const reporter = (
  folder: RunFolder
): Effect.Effect<FileReporter, ReportFault, FileSystem.FileSystem | Scope.Scope> =>
  lines(folder, "monitor.csv", header(folder.startedMillis, folder.envId), (event) =>
    event.event === "episode"
      ? `${rounded(event.return)},${event.length},${rounded(event.wall_seconds)},${event.env_steps}\n`
      : undefined)

/** What the curve needs of a monitor.csv: an entry per episode, in order of their ends. */
export interface Episodes {
  readonly returns: ReadonlyArray<number>
  /** Environment steps of the run; lengths added up where the file does not say (Stable-Baselines3's own). */
  readonly steps: ReadonlyArray<number>
}

/** Reads the rows of a monitor.csv; a row that is not numbers (a header, a line cut by a crash) is passed over. */
const eachRow = (
  path: string,
  visit: (reward: number, length: number, time: number, at: number | undefined) => void
): Effect.Effect<void, PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    let columns = 3
    yield* fs.stream(path).pipe(
      Stream.decodeText,
      Stream.splitLines,
      Stream.runForEachArray((rows) =>
        Effect.sync(() => {
          for (const row of rows) {
            if (row.startsWith("r,l,t,env_steps")) columns = 4
            const [reward, length, time, at] = row.split(",").map((field) => Number(field || NaN))
            if (!Number.isFinite(reward) || !Number.isFinite(length) || !Number.isFinite(time)) continue
            if (columns === 4 && !Number.isFinite(at)) continue
            visit(reward!, length!, time!, columns === 4 ? at : undefined)
          }
        })
      )
    )
  })

/** Reads a monitor.csv. */
export const read = (path: string): Effect.Effect<Episodes, PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const returns: Array<number> = []
    const steps: Array<number> = []
    yield* eachRow(path, (reward, length, _, at) => {
      returns.push(reward)
      steps.push(at ?? (steps.at(-1) ?? 0) + length)
    })
    return { returns, steps }
  })

/**
 * Reads the files of one run of Stable-Baselines3, whose environments have a file each (`0.monitor.csv`, `1.monitor.csv`): the
 * episodes of all in the order of their ends, as its `load_results` has them.
 */
export const readTogether = (
  files: ReadonlyArray<string>
): Effect.Effect<Episodes, PlatformError, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const [only] = files
    if (files.length === 1 && only !== undefined) return yield* read(only)
    const all: Array<readonly [time: number, reward: number, length: number]> = []
    for (const file of files) yield* eachRow(file, (reward, length, time) => all.push([time, reward, length]))
    all.sort(([a], [b]) => a - b)
    let total = 0
    return { returns: all.map(([, reward]) => reward), steps: all.map(([, , length]) => total += length) }
  })

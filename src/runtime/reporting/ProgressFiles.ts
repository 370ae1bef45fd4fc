/**
 * `progress.csv` and `progress.jsonl`: a row per measuring event, under the names of `metrics.ts`. The CSV has every
 * column from the first row on, and an empty field where an event says nothing or a number is not finite; the JSON
 * lines name only what the event measured, with `null` for a number that is not finite.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { RunEvent } from "../monitoring/RunEvent.ts"
import * as BlockFile from "./BlockFile.ts"
import { type MetricName, metricNames, type Metrics, metricsOf } from "./metrics.ts"
import type { FileReporter } from "./Reporter.ts"
import type { ReportFault } from "./ReportFault.ts"
import type { RunFolder } from "./RunFolder.ts"

type Made = Effect.Effect<FileReporter, ReportFault, FileSystem.FileSystem | Scope.Scope>

/** A reporter that writes one line for each event that `lineOf` has a line for, after `header` in an empty file. */
export const lines = (
  folder: RunFolder,
  name: string,
  header: string,
  lineOf: (event: RunEvent) => string | undefined
): Made =>
  Effect.map(BlockFile.text(folder.file(name)), (file) => {
    if (file.fresh && header !== "") file.append(header)
    return {
      name,
      flush: file.flush,
      length: file.length,
      sync: file.sync,
      on: (events) => {
        let finished = false
        for (const event of events) {
          const line = lineOf(event)
          if (line !== undefined) file.append(line)
          finished ||= event.event === "finished"
        }
        return finished ? file.flush : file.settle
      }
    }
  })

export const csvHeader = `${metricNames.join(",")}\n`

export const csvRow = ({ values }: Metrics, columns: ReadonlyArray<MetricName> = metricNames): string =>
  `${columns.map((name) => values[name] ?? "").join(",")}\n`

export const jsonRow = ({ values }: Metrics): string => `${JSON.stringify(values)}\n`

const rows = (row: (metrics: Metrics) => string) => (event: RunEvent): string | undefined => {
  const metrics = metricsOf(event)
  return metrics === undefined ? undefined : row(metrics)
}

/** The columns of a file that an earlier version began: its rows stay as long as its header. */
const columnsOf = Effect.fnUntraced(function*(path: string) {
  const fs = yield* FileSystem.FileSystem
  const content = yield* Effect.option(fs.readFileString(path))
  const header = Option.getOrElse(content, () => "").split("\n", 1)[0]!.split(",")
  const known = metricNames.filter((name) => header.includes(name))
  return known.length === header.length ? known : metricNames
})

/** The last number in a column of a progress.csv; null where there is none, or no such file. */
export const lastRowOf = (
  path: string,
  column: MetricName
): Effect.Effect<number | null, never, FileSystem.FileSystem> =>
  Effect.gen(function*() {
    const fs = yield* FileSystem.FileSystem
    const [header = "", ...rows] = (yield* fs.readFileString(path)).split("\n")
    const at = header.split(",").indexOf(column)
    const fields = rows.map((row) => row.split(",")[at] ?? "").filter((field) =>
      field !== "" && !Number.isNaN(Number(field))
    )
    return fields.length === 0 ? null : Number(fields.at(-1))
  }).pipe(Effect.orElseSucceed(() => null))

export const csv = (folder: RunFolder): Made =>
  Effect.flatMap(
    columnsOf(folder.file("progress.csv")),
    (columns) => lines(folder, "progress.csv", csvHeader, rows((metrics) => csvRow(metrics, columns)))
  )

export const jsonl = (folder: RunFolder): Made => lines(folder, "progress.jsonl", "", rows(jsonRow))

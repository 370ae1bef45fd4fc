/**
 * `progress.csv` and `progress.jsonl`: a row per measuring event, under the names of `metrics.ts`. The CSV has every
 * column from the first row on, and an empty field where an event says nothing or a number is not finite; the JSON
 * lines name only what the event measured, with `null` for a number that is not finite.
 */
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import type * as Scope from "effect/Scope"
import type { RunEvent } from "../monitoring/RunEvent.ts"
import * as BlockFile from "./BlockFile.ts"
import { metricNames, type Metrics, metricsOf } from "./metrics.ts"
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

export const csvRow = ({ values }: Metrics): string => {
  let row = ""
  for (const name of metricNames) row += `${row === "" && name === metricNames[0] ? "" : ","}${values[name] ?? ""}`
  return `${row}\n`
}

export const jsonRow = ({ values }: Metrics): string => `${JSON.stringify(values)}\n`

const rows = (row: (metrics: Metrics) => string) => (event: RunEvent): string | undefined => {
  const metrics = metricsOf(event)
  return metrics === undefined ? undefined : row(metrics)
}

export const csv = (folder: RunFolder): Made => lines(folder, "progress.csv", csvHeader, rows(csvRow))

export const jsonl = (folder: RunFolder): Made => lines(folder, "progress.jsonl", "", rows(jsonRow))

/** The table at the end of a sweep: what the runs of each setting come to together. Pure. */
import { flagName } from "../config/RunConfig.ts"
import type { Finished } from "../monitoring/RunEvent.ts"
import { duration, score, whole } from "../reporting/formatting.ts"
import { deviation, mean, median } from "./statistics.ts"
import type { Cell, Result } from "./SweepFolder.ts"

/** The runs of one setting. */
export interface Setting {
  /** What differs from the others, as it would be typed; the environment where nothing does. */
  readonly name: string
  readonly finished: ReadonlyArray<Finished>
}

/** The name of a setting among others. */
const nameOf = ({ config, setting }: Cell): string => {
  const parts = Object.entries(setting).map(([name, value]) => name === "envId" ? value : `${flagName(name)} ${value}`)
  return parts.length === 0 ? String(config["envId"]) : parts.join(", ")
}

/** The results by setting, in the order of the sweep. */
export const bySetting = (
  results: ReadonlyArray<{ readonly cell: Cell; readonly result: Result }>
): ReadonlyArray<Setting> => {
  const settings = new Map<string, Array<Finished>>()
  for (const { cell, result } of results) {
    const name = nameOf(cell)
    settings.set(name, [...(settings.get(name) ?? []), result.finished])
  }
  return [...settings].map(([name, finished]) => ({ name, finished }))
}

const numbers = (values: ReadonlyArray<number | null>): ReadonlyArray<number> =>
  values.filter((value): value is number => value !== null && Number.isFinite(value))

/** Mean and deviation of what there is. */
export const spreadOf = (values: ReadonlyArray<number | null>): string => {
  const known = numbers(values)
  return known.length === 0 ? "-" : `${score(mean(known))} ± ${score(deviation(known), mean(known))}`
}

const titles = ["setting", "runs", "solved", "steps", "train20", "evaluation", "time"] as const

const rowOf = ({ finished, name }: Setting): ReadonlyArray<string> => [
  name,
  String(finished.length),
  String(finished.filter(({ solved }) => solved).length),
  whole(median(finished.map(({ env_steps }) => env_steps))),
  spreadOf(finished.map(({ train20 }) => train20)),
  spreadOf(finished.map(({ eval_mean }) => eval_mean)),
  duration(mean(finished.map(({ wall_seconds }) => wall_seconds)))
]

/** Rows whose columns stand under each other: the first to the left, the others to the right. */
export const aligned = (rows: ReadonlyArray<ReadonlyArray<string>>): ReadonlyArray<string> => {
  const widths = rows[0]!.map((_, column) => Math.max(...rows.map((row) => (row[column] ?? "").length)))
  return rows.map((row) =>
    row.map((cell, column) => column === 0 ? cell.padEnd(widths[column]!) : cell.padStart(widths[column]!)).join("  ")
  )
}

/** The table: the steps are the median's, the rest means with deviations. */
export const table = (settings: ReadonlyArray<Setting>): ReadonlyArray<string> =>
  settings.length === 0 ? [] : aligned([titles, ...settings.map(rowOf)])

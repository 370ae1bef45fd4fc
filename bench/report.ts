/**
 * What the benchmarks share: a figure, how it is shown, and the Markdown tables that figures make.
 *
 * Each part (`training.ts`, `actors.ts`, ...) is a program: alone it prints tables; with `--json` an array of figures, as
 * `index.ts` reads them; with `--quick` it does a little of everything, to show that it still runs.
 */
import { parseArgs } from "node:util"

/** Of what kind a figure is, and how it is shown. */
const shown = {
  "/s": (value: number): string => {
    if (value >= 1e6) return `${(value / 1e6).toFixed(2)}M/s`
    if (value >= 1e4) return `${Math.round(value / 1e3)}k/s`
    return value >= 1e3 ? `${(value / 1e3).toFixed(1)}k/s` : `${digits(value)}/s`
  },
  "s": (value: number): string => `${value < 10 ? value.toFixed(2) : value.toFixed(0)} s`,
  "ms": (value: number): string => `${digits(value)} ms`,
  "us": (value: number): string => `${digits(value)} µs`,
  "MiB": (value: number): string => `${Math.round(value)} MiB`,
  "GB/s": (value: number): string => `${digits(value)} GB/s`,
  "GFLOP/s": (value: number): string => digits(value),
  "steps": (value: number): string => Math.round(value).toLocaleString("en-GB"),
  "%": (value: number): string => `${digits(value)} %`,
  /** How many times. */
  "x": (value: number): string => `${value < 100 ? digits(value) : Math.round(value).toLocaleString("en-GB")}×`
}

/** Three digits that count. */
const digits = (value: number): string => {
  if (!Number.isFinite(value)) return "-"
  const size = Math.abs(value)
  return size >= 100 ? value.toFixed(0) : size >= 10 ? value.toFixed(1) : size >= 1 ? value.toFixed(2) : size === 0
    ? "0"
    : String(Number(value.toPrecision(2)))
}

/** One cell of one table: a median, and of what. */
export interface Figure {
  readonly table: string
  readonly row: string
  readonly column: string
  readonly unit: keyof typeof shown
  readonly value: number
  readonly least: number
  readonly most: number
  /** How many measurements it is the median of. */
  readonly samples: number
}

/** The middle one; of an even number, the mean of the two in the middle. */
export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const middle = sorted.length >> 1
  const upper = sorted[middle] ?? Number.NaN
  return sorted.length % 2 === 1 ? upper : ((sorted[middle - 1] ?? Number.NaN) + upper) / 2
}

/** A figure of some measurements. */
export const figure = (
  table: string,
  row: string,
  column: string,
  unit: Figure["unit"],
  values: ReadonlyArray<number> | number
): Figure => {
  const all = typeof values === "number" ? [values] : values
  return {
    table,
    row,
    column,
    unit,
    value: median(all),
    least: Math.min(...all),
    most: Math.max(...all),
    samples: all.length
  }
}

export const show = ({ unit, value }: Pick<Figure, "unit" | "value">): string => shown[unit](value)

/** Markdown of one table; numbers to the right. */
export const markdown = (head: ReadonlyArray<string>, rows: ReadonlyArray<ReadonlyArray<string>>): string =>
  [head, head.map((_, i) => i === 0 ? "---" : "---:"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n")

/** All tables of some figures, each under its title: rows and columns in the order in which they first come. */
export const tables = (figures: ReadonlyArray<Figure>): string =>
  [...Map.groupBy(figures, ({ table }) => table)].map(([title, own]) => {
    const columns = [...new Set(own.map(({ column }) => column))]
    const rows = [...Map.groupBy(own, ({ row }) => row)].map(([row, cells]) => [
      row,
      ...columns.map((column) => {
        const cell = cells.find((cell) => cell.column === column)
        return cell === undefined ? "" : show(cell)
      })
    ])
    return `**${title}**\n\n${markdown(["", ...columns], rows)}`
  }).join("\n\n")

const { json, quick } = parseArgs({
  options: { json: { type: "boolean", default: false }, quick: { type: "boolean", default: false } },
  strict: false
}).values

/** A smoke of everything instead of a measurement. */
export const isQuick = quick === true

/** What is going on, for the person who waits: on standard error, so that `--json` stays JSON. */
export const say = (text: string): void => {
  process.stderr.write(`${text}\n`)
}

/** Prints what a part has found, as it was asked for. */
export const print = (figures: ReadonlyArray<Figure>): void => {
  console.log(json === true ? JSON.stringify(figures) : tables(figures))
}

/** The tables of docs/outputs.md name the metrics and the fields of events that there are. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { RunEvent } from "../../src/runtime/monitoring/RunEvent.ts"
import { metricNames } from "../../src/runtime/reporting/metrics.ts"

const text = readFileSync(new URL("../../docs/outputs.md", import.meta.url), "utf8")

/** The rows of the table with these titles, as cells. */
const rowsOf = (titles: string): ReadonlyArray<ReadonlyArray<string>> => {
  const from = text.indexOf(`\n${titles}\n`)
  assert.isAtLeast(from, 0, titles)
  const lines = text.slice(from + 1).split("\n\n")[0]!.split("\n").slice(2)
  return lines.map((line) => line.split("|").slice(1, -1).map((cell) => cell.trim()))
}

/** The names in a cell: what stands in backquotes, outside brackets. */
const named = (cell: string): ReadonlyArray<string> =>
  [...cell.replaceAll(/\([^)]*\)/g, "").matchAll(/`([^`]+)`/g)].map(([, name]) => name!)

describe("docs/outputs.md", () => {
  it("names every metric", () => {
    const rows = rowsOf("| metric | meaning | in the row of |")
    assert.deepStrictEqual(rows.map(([name]) => named(name!)[0]), [...metricNames])
  })

  it("names every event and its fields, in their order", () => {
    const rows = rowsOf("| event | when | fields |")
    const found = rows.map(([event, , fields]) => [named(event!)[0], named(fields!)] as const)
    const wanted = Object.entries(RunEvent.cases).map(([event, { fields }]) => [
      event,
      Object.keys(fields).filter((field) => field !== "event")
    ])
    assert.deepStrictEqual(Object.fromEntries(found), Object.fromEntries(wanted))
  })
})

/** A run's series as a picture: a line for each number over virtual time, drawn by ECharts as SVG text without a browser. */
import type { init as Init } from "echarts/core"
import * as Effect from "effect/Effect"
import { axis, type DrawFault, drawFault, font, height, ink, width } from "../reporting/curve.ts"
import type { Row } from "./tables.ts"

/** Columns that would only crowd the picture. */
const left: ReadonlyArray<string> = ["time", "events", "agents"]

/** More lines than this nobody tells apart. */
const mostLines = 8

const colors = ["#4c8df6", "#f0803c", "#2fa866", "#b36ae2", "#d9534f", "#17a2b8", "#c9a227", "#7d8793"]

/** What is drawn: what the model collects where it collects, else the rest. */
export const drawnColumns = (rows: ReadonlyArray<Row>, collected: ReadonlyArray<string>): ReadonlyArray<string> =>
  (collected.length > 0 ? collected : [...new Set(rows.flatMap(Object.keys))].filter((name) => !left.includes(name)))
    .slice(0, mostLines)

/** SVG text. Loads ECharts on the first call. */
export const drawSeries = (
  title: string,
  rows: ReadonlyArray<Row>,
  columns: ReadonlyArray<string>
): Effect.Effect<string, DrawFault> =>
  Effect.tryPromise({ try: () => import("echarts/dist/echarts.esm.min"), catch: drawFault }).pipe(
    Effect.flatMap(({ init }) => Effect.try({ try: () => render(init, title, rows, columns), catch: drawFault }))
  )

const render = (
  init: typeof Init,
  title: string,
  rows: ReadonlyArray<Row>,
  columns: ReadonlyArray<string>
): string => {
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height })
  const series = columns.map((name, i) => ({
    type: "line" as const,
    name,
    data: rows.flatMap((row) => typeof row[name] === "number" ? [[Number(row["time"]), row[name]]] : []),
    symbol: rows.length === 1 ? "circle" : "none",
    lineStyle: { color: colors[i]!, width: 1.8 },
    itemStyle: { color: colors[i]! }
  }))
  chart.setOption({
    animation: false,
    backgroundColor: "transparent",
    textStyle: { fontFamily: font },
    title: { text: title, left: 24, top: 12, textStyle: { color: ink, fontSize: 18, fontWeight: 600 } },
    legend: { data: [...columns], right: 40, top: 44, itemWidth: 24, textStyle: { color: ink, fontSize: 12 } },
    grid: { left: 72, right: 32, top: 84, bottom: 60 },
    xAxis: { ...axis, name: "time", nameGap: 32, splitLine: { show: false } },
    yAxis: { ...axis },
    series
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return svg
}

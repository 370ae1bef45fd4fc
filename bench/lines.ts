/** Lines in one picture, drawn by ECharts as SVG text, in the manner of the run folder's `curve.svg`. */
import * as Effect from "effect/Effect"
import { DrawFault, height, short, width } from "../src/runtime/reporting/curve.ts"

export interface Line {
  readonly name: string
  readonly points: ReadonlyArray<readonly [x: number, y: number]>
  readonly dashed?: boolean
}

export interface Picture {
  readonly title: string
  readonly subtitle: string
  /** What the axes show. */
  readonly x: string
  readonly y: string
  readonly lines: ReadonlyArray<Line>
}

/** Of middle lightness, so that they read on a white page and on a dark one. */
const ink = "#7d8793"
const faint = "rgba(125, 135, 147, 0.25)"
const colors = ["#4c8df6", "#f0803c", "#2fa866", "#b06fe0", "#d9a21b", "#e0567a", "#23a5b5"]

/** Room for the legend beside the lines. */
const legendWidth = 230

const faultOf = (cause: unknown) => new DrawFault({ reason: cause instanceof Error ? cause.message : String(cause) })

/** SVG text of the picture. */
export const drawLines = ({ lines, subtitle, title, x, y }: Picture): Effect.Effect<string, DrawFault> =>
  Effect.tryPromise({
    try: async () => {
      const { init } = await import("echarts")
      const chart = init(null, null, { renderer: "svg", ssr: true, width: width + legendWidth, height })
      const axis = {
        type: "value" as const,
        nameLocation: "middle" as const,
        nameTextStyle: { color: ink, fontSize: 13 },
        axisLabel: { color: ink, fontSize: 12, formatter: short },
        axisLine: { show: true, lineStyle: { color: ink } },
        axisTick: { show: true, lineStyle: { color: ink } },
        splitLine: { lineStyle: { color: faint } }
      }
      chart.setOption({
        animation: false,
        backgroundColor: "transparent",
        color: colors,
        textStyle: { fontFamily: "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif" },
        title: {
          text: title,
          subtext: subtitle,
          left: 24,
          top: 12,
          itemGap: 6,
          textStyle: { color: ink, fontSize: 18, fontWeight: 600 },
          subtextStyle: { color: ink, fontSize: 12 }
        },
        legend: {
          data: lines.map(({ name }) => name),
          orient: "vertical",
          left: width,
          top: 84,
          icon: "path://M0 0h28v2h-28z",
          itemWidth: 28,
          itemGap: 14,
          textStyle: { color: ink, fontSize: 12 }
        },
        grid: { left: 72, right: legendWidth + 32, top: 84, bottom: 60 },
        xAxis: { ...axis, name: x, nameGap: 32, splitLine: { show: false }, max: "dataMax" },
        yAxis: { ...axis, name: y, nameGap: 46, min: 0 },
        series: lines.map(({ dashed, name, points }) => ({
          type: "line" as const,
          name,
          data: points.map(([at, value]) => [at, value]),
          symbol: "none",
          ...(dashed === true
            ? { itemStyle: { color: ink }, lineStyle: { color: ink, width: 2, type: [6, 4] } }
            : { lineStyle: { width: 1.8 } })
        }))
      })
      const svg = chart.renderToSVGString()
      chart.dispose()
      return svg
    },
    catch: faultOf
  })

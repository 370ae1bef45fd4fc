/**
 * The learning curve as a picture: episode returns over environment steps, raw and smoothed, drawn by ECharts as SVG
 * text without a browser. The background is transparent and every color is of middle lightness, so that it reads on a
 * white page and on a dark one. `plot.ts` finds the numbers and writes the file.
 */
import type { init as Init } from "echarts/core"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { downsample, smooth } from "./smoothing.ts"

export interface Curve {
  /** Environment steps at which each episode ended, not descending. */
  readonly steps: ReadonlyArray<number>
  /** The return of each. */
  readonly returns: ReadonlyArray<number>
  readonly title: string
  readonly subtitle: string
  /** Drawn as a dashed line. */
  readonly threshold: number | null
}

export const width = 880
export const height = 440

/** Points a line is drawn with at most: about two a pixel. */
const limit = 2000

export const ink = "#7d8793"
const faint = "rgba(125, 135, 147, 0.25)"
const raw = "rgba(76, 141, 246, 0.5)"
const smoothed = "#f0803c"
const goal = "#2fa866"

/** ECharts measures text itself, so this list only decides the letter shapes. */
export const font = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Helvetica Neue', Arial, sans-serif"

/** Legend marks in the shape of the lines: ECharts's own has a dot on it. */
const dash = "path://M0 0h28v2h-28z"
const dashes = "path://M0 0h7v2h-7z M10.5 0h7v2h-7z M21 0h7v2h-7z"

/** 120000 as 120k, 1500000 as 1.5M: axis labels. */
export const short = (value: number): string => {
  const size = Math.abs(value)
  const [divisor, suffix] = size >= 1e9 ? [1e9, "B"] : size >= 1e6 ? [1e6, "M"] : size >= 1e3 ? [1e3, "k"] : [1, ""]
  return `${Number((value / divisor).toPrecision(6))}${suffix}`
}

/** What both axes have in common. */
export const axis = {
  type: "value" as const,
  nameLocation: "middle" as const,
  nameTextStyle: { color: ink, fontSize: 13 },
  axisLabel: { color: ink, fontSize: 12, formatter: short },
  axisLine: { show: true, lineStyle: { color: ink } },
  axisTick: { show: true, lineStyle: { color: ink } },
  splitLine: { lineStyle: { color: faint } }
}

/** ECharts could not be loaded, or could not draw. */
export class DrawFault extends Schema.TaggedError<DrawFault>()("DrawFault", { reason: Schema.String }) {
  override get message(): string {
    return `Cannot draw the curve: ${this.reason}.`
  }
}

export const drawFault = (cause: unknown) =>
  new DrawFault({ reason: cause instanceof Error ? cause.message : String(cause) })

/** SVG text of the curve. Loads ECharts on the first call. */
export const draw = (curve: Curve): Effect.Effect<string, DrawFault> =>
  Effect.tryPromise({ try: () => import("echarts/dist/echarts.esm.min"), catch: drawFault }).pipe(
    Effect.flatMap(({ init }) => Effect.try({ try: () => render(init, curve), catch: drawFault }))
  )

const render = (init: typeof Init, curve: Curve): string => {
  const line = (name: string, values: ReadonlyArray<number>, color: string, width: number) => ({
    type: "line" as const,
    name,
    data: downsample(values, limit).map((i) => [curve.steps[i]!, values[i]!]),
    // A single episode is a dot, for a line needs two.
    symbol: values.length === 1 ? "circle" : "none",
    lineStyle: { color, width, join: "round" as const },
    itemStyle: { color }
  })
  const last = curve.steps.at(-1) ?? 0
  const first = Math.min(0, curve.steps[0] ?? 0)
  const { threshold } = curve
  const series = [
    line("episode return", curve.returns, raw, 1),
    line("smoothed, weight 0.9", smooth(curve.returns), smoothed, 2.2),
    ...(threshold === null ? [] : [{
      type: "line" as const,
      name: `reward threshold ${short(threshold)}`,
      data: [[first, threshold], [last, threshold]],
      symbol: "none",
      lineStyle: { color: goal, width: 1.6, type: [6, 4] },
      itemStyle: { color: goal }
    }])
  ]
  const chart = init(null, null, { renderer: "svg", ssr: true, width, height })
  chart.setOption({
    animation: false,
    backgroundColor: "transparent",
    textStyle: { fontFamily: font },
    title: {
      text: curve.title,
      subtext: curve.subtitle,
      left: 24,
      top: 12,
      itemGap: 6,
      textStyle: { color: ink, fontSize: 18, fontWeight: 600 },
      subtextStyle: { color: ink, fontSize: 12 }
    },
    legend: {
      data: series.map(({ name, lineStyle }) => ({ name, icon: "type" in lineStyle ? dashes : dash })),
      right: 40,
      top: 18,
      itemWidth: 28,
      itemGap: 24,
      textStyle: { color: ink, fontSize: 12 }
    },
    grid: { left: 72, right: 32, top: 84, bottom: 60 },
    xAxis: { ...axis, name: "environment steps", nameGap: 32, min: first, max: last, splitLine: { show: false } },
    yAxis: { ...axis, name: "return", nameGap: 46 },
    series
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return svg
}

/**
 * Several runs in one picture: of each setting the mean of its runs' smoothed returns, with a band of one deviation to either
 * side. Drawn like `curve.ts`, with the same colors for a white page and a dark one.
 */
import type { init as Init } from "echarts/core"
import * as Effect from "effect/Effect"
import { axis, type DrawFault, drawFault, font, height, ink, width } from "./curve.ts"
import { smooth } from "./smoothing.ts"

/** The episodes of one run. */
export interface RunCurve {
  /** Environment steps at which each episode ended, not descending. */
  readonly steps: ReadonlyArray<number>
  readonly returns: ReadonlyArray<number>
}

/** The runs of one setting. */
export interface SettingCurve {
  readonly name: string
  readonly runs: ReadonlyArray<RunCurve>
}

export interface Curves {
  readonly title: string
  readonly subtitle: string
  readonly settings: ReadonlyArray<SettingCurve>
}

/** A setting's mean and deviation, at the same steps for all. */
export interface Band {
  readonly steps: ReadonlyArray<number>
  /** NaN where no run has an episode yet. */
  readonly mean: ReadonlyArray<number>
  readonly deviation: ReadonlyArray<number>
}

const square = (value: number): number => value * value

/** Points of a line. */
const points = 240

/**
 * Mean and deviation of the smoothed returns of several runs up to step `last`. A run that has ended before stays where it was:
 * most end because they are solved.
 */
export const bandOf = (runs: ReadonlyArray<RunCurve>, last: number): Band => {
  const steps = Array.from({ length: points }, (_, i) => Math.round((last * (i + 1)) / points))
  const columns = runs.map(({ returns, steps: ends }) => {
    const smoothed = smooth(returns)
    let at = 0
    return steps.map((step) => {
      while (at < ends.length && ends[at]! <= step) at++
      return at === 0 ? Number.NaN : smoothed[at - 1]!
    })
  })
  const known = steps.map((_, i) => columns.map((column) => column[i]!).filter((value) => !Number.isNaN(value)))
  const mean = known.map((values) => values.reduce((sum, value) => sum + value, 0) / values.length)
  const deviation = known.map((values, i) =>
    values.length < 2
      ? 0
      : Math.sqrt(values.reduce((sum, value) => sum + square(value - mean[i]!), 0) / (values.length - 1))
  )
  return { steps, mean, deviation }
}

/** Colors of middle lightness, told apart by those who do not see red and green alike too (Okabe and Ito). */
const colors = ["#4c8df6", "#e69f00", "#2fa866", "#cc79a7", "#d55e00", "#56b4e9", "#8f7ae5", "#a3a500"]

/** SVG text of the curves. Loads ECharts on the first call. */
export const drawCurves = (curves: Curves): Effect.Effect<string, DrawFault> =>
  Effect.tryPromise({ try: () => import("echarts/dist/echarts.esm.min"), catch: drawFault }).pipe(
    Effect.flatMap(({ init }) => Effect.try({ try: () => render(init, curves), catch: drawFault }))
  )

const render = (init: typeof Init, { settings, subtitle, title }: Curves): string => {
  const last = Math.max(1, ...settings.flatMap(({ runs }) => runs.map(({ steps }) => steps.at(-1) ?? 0)))
  const named = settings.map(({ name, runs }) => `${name} (${runs.length})`)
  const series = settings.flatMap(({ runs }, s) => {
    const { deviation, mean, steps } = bandOf(runs, last)
    const color = colors[s % colors.length]!
    const line = (values: ReadonlyArray<number>) =>
      steps.flatMap((step, i) => Number.isNaN(mean[i]) ? [] : [[step, values[i]!]])
    const common = { type: "line" as const, symbol: "none", silent: true }
    return [
      // The lower edge carries the band: what is stacked on it is twice the deviation.
      {
        ...common,
        data: line(mean.map((value, i) => value - deviation[i]!)),
        stack: `band ${s}`,
        stackStrategy: "all" as const,
        lineStyle: { opacity: 0 }
      },
      {
        ...common,
        data: line(deviation.map((value) => 2 * value)),
        stack: `band ${s}`,
        stackStrategy: "all" as const,
        lineStyle: { opacity: 0 },
        areaStyle: { color, opacity: 0.18 }
      },
      {
        ...common,
        name: named[s]!,
        data: line(mean),
        lineStyle: { color, width: 2.2, join: "round" as const },
        itemStyle: { color }
      }
    ]
  })
  const chart = init(null, null, {
    renderer: "svg",
    ssr: true,
    width,
    height: height + 22 * Math.ceil(named.length / 3)
  })
  chart.setOption({
    animation: false,
    backgroundColor: "transparent",
    textStyle: { fontFamily: font },
    title: {
      text: title,
      subtext: subtitle,
      left: 24,
      top: 12,
      itemGap: 6,
      textStyle: { color: ink, fontSize: 18, fontWeight: 600 },
      subtextStyle: { color: ink, fontSize: 12 }
    },
    legend: { data: named, bottom: 8, left: 72, itemWidth: 28, textStyle: { color: ink, fontSize: 12 } },
    grid: { left: 72, right: 32, top: 84, bottom: 64 + 22 * Math.ceil(named.length / 3) },
    xAxis: { ...axis, name: "environment steps", nameGap: 32, min: 0, max: last, splitLine: { show: false } },
    yAxis: { ...axis, name: "return", nameGap: 46 },
    series
  })
  const svg = chart.renderToSVGString()
  chart.dispose()
  return svg
}

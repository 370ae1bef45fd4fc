/** A curve for each metric that any of the chosen runs has, all runs in it, smoothed as TensorBoard smooths. */
import type * as Library from "echarts/core"
import { axes } from "../Message.ts"
import { byId, keep, make, short, within, write } from "./elements.ts"
import type { Model, Subject } from "./Model.ts"

/** The charts of the whole library, which a script of its own has loaded. */
declare const echarts: typeof Library
type Chart = ReturnType<typeof Library.init>

type Point = readonly [number, number]

const smoothed = (points: ReadonlyArray<Point>, weight: number): ReadonlyArray<Point> => {
  let last = points[0]?.[1] ?? 0
  return points.map(([x, y]) => {
    last = last * weight + (1 - weight) * y
    return [x, last]
  })
}

const isAxis = (name: string): boolean => axes.some((axis) => axis === name)

/** The points of one metric, over an axis. */
const pointsOf = ({ tables }: Subject, metric: string, axis: string): ReadonlyArray<Point> => {
  const points: Array<Point> = []
  for (const { columns, latest, rows } of tables.values()) {
    const y = columns.indexOf(metric)
    const own = columns.indexOf(axis)
    const x = own < 0 ? columns.indexOf("time") : own
    if (x < 0 || y < 0) continue
    for (const row of latest === undefined ? rows : [...rows, latest]) {
      const [at, value] = [row[x], row[y]]
      if (typeof at === "number" && typeof value === "number") points.push([at, value])
    }
  }
  return points
}

/** Those that people look at first. */
const first = ["rollout/ep_rew_mean", "eval/mean_reward", "rollout/ep_len_mean", "time/fps"]
const rank = (name: string): number => {
  const at = first.indexOf(name)
  return at < 0 ? first.length : at
}

const style = (name: string): string => getComputedStyle(document.documentElement).getPropertyValue(name).trim()

interface Shown {
  readonly figure: HTMLElement
  chart: Chart | undefined
  visible: boolean
  at: number
  /** What was drawn last. */
  drawn: string
}

export class Curves {
  private readonly model: Model
  private readonly items = within(byId("curves"), ".items", HTMLElement)
  private readonly smoothing = within(document, "#smoothing", HTMLInputElement)
  private readonly axis = within(document, "#axis", HTMLSelectElement)
  private readonly filter = within(document, "#filter", HTMLInputElement)
  private readonly shown = new Map<string, Shown>()
  private changed = (): void => {}
  private readonly seen = new IntersectionObserver((entries) => {
    for (const { isIntersecting, target } of entries) {
      for (const one of this.shown.values()) if (one.figure === target) one.visible = isIntersecting
    }
    this.changed()
  }, { rootMargin: "200px" })

  constructor(model: Model) {
    this.model = model
    const output = within(byId("curves"), "output", HTMLOutputElement)
    this.smoothing.addEventListener("input", () => {
      output.value = Number(this.smoothing.value).toFixed(2)
      this.changed()
    })
    for (const input of [this.axis, this.filter]) input.addEventListener("input", () => this.changed())
    within(byId("curves"), "form", HTMLFormElement).addEventListener("submit", (event) => event.preventDefault())
    addEventListener("resize", () => {
      for (const { chart } of this.shown.values()) chart?.resize()
    })
    matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
      for (const one of this.shown.values()) one.drawn = ""
      this.changed()
    })
  }

  onChange(changed: () => void): void {
    this.changed = changed
  }

  private get metrics(): ReadonlyArray<string> {
    const part = this.filter.value.trim().toLowerCase()
    const names = new Set(
      this.model.shown.flatMap(({ tables }) => Array.from(tables.values(), ({ columns }) => columns).flat())
    )
    return [...names].filter((name) => !isAxis(name) && name.toLowerCase().includes(part))
      .filter((name) => this.model.shown.some((subject) => pointsOf(subject, name, this.axis.value).length > 0))
      .toSorted((a, b) => rank(a) - rank(b))
  }

  draw(): void {
    const { metrics } = this
    // Simulations have virtual time alone.
    const label = this.axis.closest("label")
    if (label !== null) label.hidden = this.model.shown.every(({ head }) => head.is === "simulation")
    keep(this.items, metrics, {
      key: (name) => name,
      create: (name) => this.create(name),
      update: (_, name) => this.update(name)
    })
    for (const [name, { chart, figure }] of this.shown) {
      if (metrics.includes(name)) continue
      chart?.dispose()
      this.seen.unobserve(figure)
      this.shown.delete(name)
    }
  }

  private create(name: string): HTMLElement {
    const figure = make(
      "figure",
      {},
      make("figcaption", {}, make("h3", { text: name }), make("output")),
      make("div", { class: "chart" })
    )
    figure.tabIndex = 0
    figure.setAttribute("aria-label", name)
    figure.dataset["metric"] = name
    const one: Shown = { figure, chart: undefined, visible: false, at: -1, drawn: "" }
    this.shown.set(name, one)
    this.seen.observe(figure)
    figure.addEventListener("keydown", (event) => this.pressed(one, event))
    figure.addEventListener("blur", () => one.chart?.dispatchAction({ type: "hideTip" }))
    return figure
  }

  private pressed(one: Shown, event: KeyboardEvent): void {
    const { chart, figure } = one
    const points = Number(figure.dataset["points"] ?? 0)
    const moves: Readonly<Record<string, number>> = { ArrowLeft: -1, ArrowRight: 1, Home: -Infinity, End: Infinity }
    const move = moves[event.key]
    if (event.key === "Enter") {
      figure.classList.toggle("large")
      chart?.resize()
    } else if (move !== undefined && points > 0) {
      // Along a long curve in some hundred steps.
      const far = Math.max(1, Math.round(points / 100))
      const from = one.at < 0 ? points : one.at
      one.at = Math.max(0, Math.min(points - 1, from + move * far))
      chart?.dispatchAction({ type: "showTip", seriesIndex: 0, dataIndex: one.at })
    } else return
    event.preventDefault()
  }

  private update(name: string): void {
    const one = this.shown.get(name)
    if (one === undefined) return
    const weight = Number(this.smoothing.value)
    const axis = this.axis.value
    const lines = this.model.shown.map((subject) => ({ subject, points: pointsOf(subject, name, axis) }))
      .filter(({ points }) => points.length > 0)
    const { figure } = one
    const count = lines.reduce((sum, { points }) => sum + points.length, 0)
    const lasts = lines.map(({ points }) => points.at(-1)![1])
    figure.dataset["points"] = String(lines[0]?.points.length ?? 0)
    figure.dataset["lines"] = String(lines.length)
    write(within(figure, "output", HTMLOutputElement), lasts.slice(0, 4).map(short).join("  "))
    if (!one.visible) return
    const key = [weight, axis, count, ...lasts, ...lines.map(({ subject }) => subject.id)].join(" ")
    if (key === one.drawn) return
    one.drawn = key
    one.chart ??= echarts.init(within(figure, ".chart", HTMLElement))
    one.chart.setOption(this.option(name, lines, weight), { replaceMerge: ["series"] })
  }

  private option(
    name: string,
    lines: ReadonlyArray<{ readonly subject: Subject; readonly points: ReadonlyArray<Point> }>,
    weight: number
  ) {
    const [dim, line, card, ink] = ["--dim", "--line", "--card", "--ink"].map(style)
    const axis = {
      type: "value" as const,
      scale: true,
      axisLabel: { color: dim, fontSize: 11, formatter: short, hideOverlap: true },
      axisLine: { onZero: false, lineStyle: { color: line } },
      splitLine: { lineStyle: { color: line } }
    }
    const common = { type: "line" as const, sampling: "lttb" as const, animation: false }
    const series = lines.flatMap(({ points, subject: { color, head, id } }) => {
      const symbol = points.length === 1 ? "circle" : "none"
      const main = {
        ...common,
        id,
        name: head.name,
        symbol,
        data: weight === 0 ? points : smoothed(points, weight),
        lineStyle: { color, width: 2 },
        itemStyle: { color },
        ...(name === "rollout/ep_rew_mean" && head.threshold !== null
          ? {
            markLine: {
              silent: true,
              symbol: "none",
              label: { show: false },
              lineStyle: { color: "#2fa866", type: "dashed" as const },
              data: [{ yAxis: head.threshold }]
            }
          }
          : {})
      }
      // The values themselves would cover one another where there are many.
      if (weight === 0 || lines.length > 3) return [main]
      const raw = { ...common, id: `${id} raw`, symbol: "none", silent: true, tooltip: { show: false }, data: points }
      return [main, { ...raw, lineStyle: { color, width: 1, opacity: 0.35 }, itemStyle: { color } }]
    })
    return {
      animation: false,
      grid: { left: 8, right: 22, top: 12, bottom: 4, containLabel: true },
      tooltip: {
        trigger: "axis" as const,
        confine: true,
        backgroundColor: card,
        borderColor: line,
        textStyle: { color: ink, fontSize: 12 },
        valueFormatter: (value: unknown) => typeof value === "number" ? short(value) : "-"
      },
      xAxis: { ...axis, splitLine: { show: false } },
      yAxis: axis,
      series
    }
  }
}

/** Simulations as they go: who is where, and where one can be held up, its pause, step and pace. */
import { type Order, paths, type View } from "../Message.ts"
import { byId, keep, make, short, within, write } from "./elements.ts"
import { colorOf, type Model, type Subject } from "./Model.ts"

/** Pixels to a side of the canvas: the browser makes it as large as there is room. */
const pixels = 640

const order = (id: string, what: Order, pace = 0): void => {
  const query = new URLSearchParams({ id, order: what, pace: String(pace) })
  void fetch(`${paths.control}?${query}`, { method: "POST" }).catch(() => {})
}

const hold = (id: string): HTMLElement => {
  const pause = make("button", { class: "pause" })
  const step = make("button", { class: "step", text: "Step" })
  for (const button of [pause, step]) button.type = "button"
  pause.addEventListener("click", () => order(id, pause.dataset["order"] === "resume" ? "resume" : "pause"))
  step.addEventListener("click", () => order(id, "step"))
  const pace = make("select", { class: "pace" })
  for (
    const [value, text] of [["0", "as fast as it goes"], ["20", "20 a second"], ["5", "5 a second"], [
      "1",
      "1 a second"
    ]]
  ) {
    const option = make("option", { text: text! })
    option.value = value!
    pace.append(option)
  }
  pace.addEventListener("change", () => order(id, "pace", Number(pace.value)))
  return make("div", { class: "hold" }, pause, step, make("label", { text: "Speed " }, pace))
}

/** Draws a view; a square of the canvas is a cell, or a place of the plane. */
const draw = (canvas: HTMLCanvasElement, view: View): void => {
  const scale = pixels / Math.max(view.width, view.height)
  const cell = view.cells === null ? scale : Math.max(1, Math.floor(scale))
  canvas.width = Math.round(view.width * cell)
  canvas.height = Math.round(view.height * cell)
  const context = canvas.getContext("2d")
  if (context === null) return
  const root = getComputedStyle(document.documentElement)
  context.fillStyle = root.getPropertyValue("--empty")
  context.fillRect(0, 0, canvas.width, canvas.height)
  const earth = root.getPropertyValue("--earth")
  view.ground?.forEach((shade, i) => {
    if (shade === 0) return
    context.fillStyle = `rgba(${earth}, ${0.45 * shade})`
    context.fillRect((i % view.width) * cell, Math.floor(i / view.width) * cell, cell, cell)
  })
  const gap = cell > 6 ? 1 : 0
  view.cells?.forEach((group, i) => {
    if (group < 0) return
    context.fillStyle = colorOf(group)
    context.fillRect((i % view.width) * cell, Math.floor(i / view.width) * cell, cell - gap, cell - gap)
  })
  const { points } = view
  if (points === null) return
  for (let i = 0; i < points.length; i += 3) {
    context.fillStyle = colorOf(points[i + 2]!)
    context.beginPath()
    context.arc(points[i]! * scale, points[i + 1]! * scale, 3, 0, 7)
    context.fill()
  }
}

const countsOf = ({ cells, groups, points }: View): ReadonlyArray<number> => {
  const counts = groups.map(() => 0)
  for (const group of cells ?? []) if (group >= 0) counts[group]!++
  for (let i = 2; i < (points?.length ?? 0); i += 3) counts[points![i]!]!++
  return counts
}

const showView = (figure: HTMLElement, view: View, time: number): void => {
  const counts = countsOf(view)
  const words = view.groups.map((group, i) => `${group} ${counts[i]}`)
  const canvas = within(figure, "canvas", HTMLCanvasElement)
  canvas.ariaLabel = `${view.name}, ${view.width} by ${view.height}, at time ${short(time)}: ${words.join(", ")}`
  draw(canvas, view)
  const legend = within(figure, ".legend", HTMLElement)
  keep(legend, words.map((text, i) => ({ text, i })), {
    key: ({ i }) => String(i),
    create: ({ i }) => {
      const span = make("span")
      span.style.setProperty("--swatch", colorOf(i))
      return span
    },
    update: (span, { text }) => write(span, text)
  })
}

const emptyView = (): HTMLElement => {
  const canvas = make("canvas", { class: "world" })
  canvas.setAttribute("role", "img")
  return make("figure", {}, make("figcaption", {}, make("h3")), canvas, make("div", { class: "legend" }))
}

/** The views that are on the page: they are drawn again only when they are new. */
const drawn = new WeakMap<HTMLElement, View>()

export const showWorlds = (model: Model): void => {
  const section = byId("worlds")
  const having = Array.from(model.subjects.values()).filter(({ head, views }) =>
    views.length > 0 || head.control !== null
  )
  section.hidden = having.length === 0
  keep(within(section, ".items", HTMLElement), having, {
    key: ({ id }) => id,
    create: ({ id }) =>
      make("div", { class: "simulation" }, hold(id), make("p", { class: "dim time" }), make("div", { class: "views" })),
    update: (item, { head, time, views }: Subject) => {
      const { control } = head
      within(item, ".hold", HTMLElement).hidden = control === null
      if (control !== null) {
        const pause = within(item, ".pause", HTMLButtonElement)
        pause.dataset["order"] = control.paused ? "resume" : "pause"
        write(pause, control.paused ? "Resume" : "Pause")
        const pace = within(item, ".pace", HTMLSelectElement)
        if (document.activeElement !== pace) pace.value = String(control.pace)
      }
      const line = within(item, ".time", HTMLElement)
      write(line, `${head.name} at time ${short(time)}, ${head.state}`)
      line.dataset["time"] = String(time)
      keep(within(item, ".views", HTMLElement), views, {
        key: ({ name }) => name,
        create: emptyView,
        update: (figure, view) => {
          if (drawn.get(figure) === view) return
          drawn.set(figure, view)
          write(within(figure, "h3", HTMLElement), view.name)
          showView(figure, view, time)
        }
      })
    }
  })
}

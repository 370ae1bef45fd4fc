/** Actors as a tree (where they live, whose name they share), and what threads and processes take of the machine. */
import type { Actor, Load } from "../Message.ts"
import { byId, duration, keep, make, short, within, write } from "./elements.ts"
import type { Model, Subject } from "./Model.ts"

const grouped = <T>(items: ReadonlyArray<T>, of: (item: T) => string): ReadonlyArray<readonly [string, Array<T>]> => {
  const groups = new Map<string, Array<T>>()
  for (const item of items) {
    const group = groups.get(of(item))
    if (group === undefined) groups.set(of(item), [item])
    else group.push(item)
  }
  return [...groups]
}

/** A part of the tree that can be folded. */
const branch = (): HTMLDetailsElement => {
  const made = make("details", {}, make("summary"), make("div"))
  made.open = true
  return made
}

const titleOf = (name: string, actors: ReadonlyArray<Actor>): string => {
  const restarts = actors.reduce((sum, actor) => sum + actor.restarts, 0)
  return `${name}: ${actors.length} ${actors.length === 1 ? "actor" : "actors"}` +
    (restarts === 0 ? "" : `, ${restarts} ${restarts === 1 ? "restart" : "restarts"}`)
}

const familyOf = ({ name }: Actor): string => {
  const at = name.lastIndexOf("/")
  return at < 0 ? name : name.slice(0, at)
}

/** What it does, and what waits for it. */
const doingOf = ({ mailbox, message, status }: Actor): string =>
  [
    status,
    `${mailbox} in the mailbox`,
    ...(message === null ? [] : [`${message.method} for ${duration(message.millis / 1000)}`])
  ].join(", ")

/** How often it has come back, and how long that took. */
const returnsOf = ({ recoveries, restarts }: Actor): string =>
  restarts === 0
    ? ""
    : `${restarts} ${restarts === 1 ? "restart" : "restarts"}` +
      (recoveries.length === 0 ? "" : `, back in ${recoveries.join(", ")} ms`)

const showFamily = (at: HTMLElement, actors: ReadonlyArray<Actor>): void => {
  if (at.firstElementChild === null) at.append(make("ul"))
  keep(within(at, "ul", HTMLUListElement), actors, {
    key: ({ name }) => name,
    create: ({ name }) =>
      make(
        "li",
        {},
        make("span", { class: "name", text: name }),
        make("span", { text: " " }),
        make("span", { class: "doing" }),
        make("span", { text: " " }),
        make("span", { class: "restarts" })
      ),
    update: (item, actor) => {
      item.dataset["actor"] = actor.name
      item.dataset["state"] = actor.status
      item.dataset["restarts"] = String(actor.restarts)
      write(within(item, ".doing", HTMLElement), doingOf(actor))
      write(within(item, ".restarts", HTMLElement), returnsOf(actor))
    }
  })
}

const showPlaces = (at: HTMLElement, actors: ReadonlyArray<Actor>): void =>
  keep(at, grouped(actors, ({ place }) => place), {
    key: ([place]) => place,
    create: branch,
    update: (place, [name, those]) => {
      write(within(place, "summary", HTMLElement), titleOf(name, those))
      keep(within(place, "div", HTMLElement), grouped(those, familyOf), {
        key: ([family]) => family,
        create: branch,
        update: (family, [name, members]) => {
          write(within(family, "summary", HTMLElement), titleOf(name, members))
          showFamily(within(family, "div", HTMLElement), members)
        }
      })
    }
  })

export const showActors = (model: Model): void => {
  const section = byId("actors")
  const having = Array.from(model.subjects.values()).filter(({ actors }) => actors.length > 0)
  section.hidden = having.length === 0
  keep(within(section, ".items", HTMLElement), having, {
    key: ({ id }) => id,
    create: branch,
    update: (one, { actors, head, otherActors }: Subject) => {
      const others = otherActors === 0 ? "" : ` and ${otherActors} more`
      write(within(one, "summary", HTMLElement), titleOf(head.name, actors) + others)
      showPlaces(within(one, "div", HTMLElement), actors)
    }
  })
}

const rowOfLoad = (): HTMLTableRowElement => {
  const meter = make("meter")
  meter.min = 0
  return make("tr", {}, make("td"), make("td", {}, meter, make("span")), make("td", { class: "number" }))
}

export const showLoad = (model: Model): void => {
  const section = byId("load")
  section.hidden = model.load.length === 0
  const most = Math.max(1, ...model.load.map(({ cores }) => cores))
  keep(within(section, "tbody", HTMLTableSectionElement), model.load, {
    key: ({ name }) => name,
    create: rowOfLoad,
    update: (row, { cores, memory, name }: Load) => {
      write(row.children[0]!, name)
      const meter = within(row, "meter", HTMLMeterElement)
      meter.max = most
      meter.value = cores
      meter.ariaLabel = `${name}: ${cores.toFixed(2)} cores`
      write(within(row, "span", HTMLElement), cores.toFixed(2))
      write(row.children[2]!, memory === null ? "" : `${short(Math.round(memory / 1048576))} MiB`)
    }
  })
}

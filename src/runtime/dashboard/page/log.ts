/** What happened, the newest first. */
import type { LogLine } from "../Message.ts"
import { byId, duration, keep, make, within } from "./elements.ts"
import type { Model, Subject } from "./Model.ts"

/** Lines that are shown. */
const most = 200

const ids = new WeakMap<LogLine, number>()
let serial = 0

/** A line stays the same element. */
const idOf = (line: LogLine): string => {
  let id = ids.get(line)
  if (id === undefined) ids.set(line, id = serial++)
  return String(id)
}

export const showLog = (model: Model): void => {
  const list = within(byId("log"), "ol", HTMLOListElement)
  const subjects = model.shown
  const lines = subjects.flatMap((subject) => subject.lines.slice(-most).map((line) => ({ line, subject })))
  if (subjects.length > 1) lines.sort((a, b) => (a.line.at ?? -1) - (b.line.at ?? -1))
  keep(list, lines.slice(-most).toReversed(), {
    key: ({ line }) => idOf(line),
    create: ({ line, subject }) => itemOf(line, subject, subjects.length > 1),
    update: () => {}
  })
}

const itemOf = ({ at, kind, text }: LogLine, { head }: Subject, several: boolean): HTMLLIElement => {
  const item = make(
    "li",
    {},
    make("time", { text: at === null ? "" : head.is === "run" ? duration(at) : String(at) }),
    make("span", { text: several ? `${head.name}: ${text}` : text })
  )
  item.dataset["kind"] = kind
  return item
}

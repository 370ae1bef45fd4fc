/** What the page knows: all that it was told since the last `hello`. */
import type { Actor, Cell, Head, Load, LogLine, Message, View } from "../Message.ts"

/** Colors that are told apart by those who do not see red and green alike too (Okabe and Ito), on light and dark. */
export const colors = ["#4c8df6", "#e69f00", "#2fa866", "#cc79a7", "#d55e00", "#56b4e9", "#8f7ae5", "#a3a500"] as const
export const colorOf = (index: number): string => colors[index % colors.length]!

/** Runs that are shown when there are more: of the others a person says so. */
const shownAtFirst = 8
const mostLines = 400

export interface Table {
  readonly columns: ReadonlyArray<string>
  readonly rows: Array<ReadonlyArray<Cell>>
  latest: ReadonlyArray<Cell> | undefined
}

export interface Subject {
  readonly id: string
  head: Head
  readonly color: string
  /** Whether its curves are shown. */
  shown: boolean
  readonly tables: Map<string, Table>
  readonly lines: Array<LogLine>
  actors: ReadonlyArray<Actor>
  otherActors: number
  time: number
  views: ReadonlyArray<View>
}

export class Model {
  program = ""
  load: ReadonlyArray<Load> = []
  readonly subjects = new Map<string, Subject>()
  /** What a person has chosen, by folder or name: it outlives a lost connection. */
  private readonly chosen = new Map<string, boolean>()

  get shown(): ReadonlyArray<Subject> {
    return Array.from(this.subjects.values()).filter(({ shown }) => shown)
  }

  choose(subject: Subject, shown: boolean): void {
    subject.shown = shown
    this.chosen.set(subject.head.folder ?? subject.head.name, shown)
  }

  private add(id: string, head: Head): void {
    const index = this.subjects.size
    this.subjects.set(id, {
      id,
      head,
      color: colorOf(index),
      shown: this.chosen.get(head.folder ?? head.name) ?? index < shownAtFirst,
      tables: new Map(),
      lines: [],
      actors: [],
      otherActors: 0,
      time: 0,
      views: []
    })
  }

  take(message: Message): void {
    switch (message.is) {
      case "hello":
        this.program = message.program
        this.subjects.clear()
        return
      case "bye":
        return
      case "load":
        this.load = message.load
        return
      case "head": {
        const known = this.subjects.get(message.id)
        if (known === undefined) this.add(message.id, message.head)
        else known.head = message.head
        return
      }
    }
    const subject = this.subjects.get(message.id)
    if (subject === undefined) return
    switch (message.is) {
      case "gone":
        subject.tables.clear()
        return
      case "rows": {
        let table = subject.tables.get(message.table)
        if (table === undefined) {
          table = { columns: message.columns, rows: [], latest: undefined }
          subject.tables.set(message.table, table)
        }
        for (const row of message.rows) table.rows.push(row)
        table.latest = undefined
        return
      }
      case "latest": {
        const table = subject.tables.get(message.table)
        if (table !== undefined) table.latest = message.row
        return
      }
      case "log":
        subject.lines.push(...message.lines)
        if (subject.lines.length > mostLines) subject.lines.splice(0, subject.lines.length - mostLines)
        return
      case "actors":
        subject.actors = message.actors
        subject.otherActors = message.others
        return
      case "world":
        subject.time = message.time
        subject.views = message.views
        return
      default:
        return message satisfies never
    }
  }
}

/**
 * All that a dashboard shows at a time: of each run and simulation what it is, its numbers, its log, its actors. It is bounded:
 * rows become rarer as a run grows, and of a log the last lines are kept. What is new is collected only while somebody looks.
 */
import type * as Effect from "effect/Effect"
import { plainLine } from "../../text/plainLine.ts"
import { isRow } from "../reporting/thinning.ts"
import type { Actor, Cell, Head, Load, LogLine, Message, Picture, View } from "./Message.ts"

/** Rows of a table for each doubling of the run: as many as a curve has pixels. */
const perDoubling = 256
/** Lines of a log that are kept. */
const mostLines = 400
/** Actors that are shown; the others are counted. */
const mostActors = 400

/** Six digits are more than a screen has; whole numbers are counts, and stay whole. */
const rounded = (value: number | null | undefined): Cell =>
  value === null || value === undefined || !Number.isFinite(value)
    ? null
    : Number.isInteger(value)
    ? value
    : Number(value.toPrecision(6))

/** Numbers that belong together, a row a report. */
class Table {
  readonly columns: ReadonlyArray<string>
  readonly rows: Array<ReadonlyArray<Cell>> = []
  latest: ReadonlyArray<Cell> | undefined
  private count = 0

  constructor(columns: ReadonlyArray<string>) {
    this.columns = columns
  }

  /** Counts a row, and says whether it is one of those that are kept. */
  next(): boolean {
    return isRow(++this.count, 1, perDoubling)
  }
}

/** A run, or a simulation. */
export class Subject {
  readonly id: string
  private readonly board: Board
  private head: Head
  private readonly tables = new Map<string, Table>()
  private readonly lines: Array<LogLine> = []
  private actors: Message | undefined
  private world: Message | undefined
  /** What draws each of its pictures, by the end of their paths. */
  private readonly drawn = new Map<string, Effect.Effect<string, { readonly message: string }>>()
  private told = ""

  constructor(board: Board, id: string, head: Omit<Head, "pictures" | "control">) {
    this.board = board
    this.id = id
    this.head = { ...head, pictures: [], control: null }
    this.tellHead()
  }

  private tellHead(): void {
    this.board.tell({ is: "head", id: this.id, head: this.head })
  }

  change(head: Partial<Head>): void {
    this.head = { ...this.head, ...head }
    this.tellHead()
  }

  get state(): string {
    return this.head.state
  }

  /**
   * A row of a table that has these columns. `always`: whatever the others become, it is kept. `row` is asked for it only
   * where it is.
   */
  row(
    name: string,
    columns: ReadonlyArray<string>,
    row: () => ReadonlyArray<number | null | undefined>,
    always = false
  ) {
    let table = this.tables.get(name)
    if (table === undefined) this.tables.set(name, table = new Table(columns))
    if (!table.next() && !always) return false
    const cells = row().map(rounded)
    table.rows.push(cells)
    table.latest = undefined
    this.board.tell({ is: "rows", id: this.id, table: name, columns: table.columns, rows: [cells] })
    return true
  }

  /** The newest row, where it is not among those that are kept. */
  latest(name: string, row: ReadonlyArray<number | null | undefined>): void {
    const table = this.tables.get(name)
    if (table === undefined) return
    table.latest = row.map(rounded)
    this.board.tell({ is: "latest", id: this.id, table: name, row: table.latest })
  }

  /** Forgets all numbers: they are told anew. */
  empty(): void {
    this.tables.clear()
    this.board.tell({ is: "gone", id: this.id })
    this.tellHead()
  }

  say(at: number | null, kind: LogLine["kind"], text: string): void {
    const line = { at: rounded(at), kind, text: plainLine(text) }
    this.lines.push(line)
    if (this.lines.length > mostLines) this.lines.shift()
    this.board.tell({ is: "log", id: this.id, lines: [line] })
  }

  setActors(actors: ReadonlyArray<Actor>): void {
    const shown = actors.length <= mostActors
      ? actors
      : actors.toSorted((a, b) => (b.message?.millis ?? -1) - (a.message?.millis ?? -1)).slice(0, mostActors)
    const message: Message = { is: "actors", id: this.id, actors: shown, others: actors.length - shown.length }
    const text = JSON.stringify(message)
    if (text === this.told) return
    this.told = text
    this.actors = message
    this.board.tell(message)
  }

  setWorld(time: number, views: ReadonlyArray<View>): void {
    this.world = { is: "world", id: this.id, time, views }
    this.board.tell(this.world)
  }

  /** Pictures, and what draws them when somebody asks. `most`: of them the last are kept. */
  addPicture(
    name: string,
    title: string,
    draw: Effect.Effect<string, { readonly message: string }>,
    most: number
  ): void {
    this.drawn.delete(name)
    this.drawn.set(name, draw)
    const path = `/pictures/${this.id}/${name}`
    const pictures: ReadonlyArray<Picture> = [...this.head.pictures.filter((old) => old.path !== path), { title, path }]
    for (const old of pictures.slice(0, -most)) this.drawn.delete(old.path.slice(`/pictures/${this.id}/`.length))
    this.change({ pictures: pictures.slice(-most) })
  }

  picture(name: string): Effect.Effect<string, { readonly message: string }> | undefined {
    return this.drawn.get(name)
  }

  /** All there is to tell of it. */
  get everything(): ReadonlyArray<Message> {
    const { id } = this
    return [
      { is: "head", id, head: this.head },
      ...Array.from(this.tables, ([table, { columns, rows }]): Message => ({ is: "rows", id, table, columns, rows })),
      ...Array.from(
        this.tables,
        ([table, { latest: row }]): ReadonlyArray<Message> =>
          row === undefined ? [] : [{ is: "latest", id, table, row }]
      ).flat(),
      { is: "log", id, lines: this.lines },
      ...(this.actors === undefined ? [] : [this.actors]),
      ...(this.world === undefined ? [] : [this.world])
    ]
  }
}

export class Board {
  private readonly program: string
  private readonly subjects = new Map<string, Subject>()
  private changes: Array<Message> = []
  private load: ReadonlyArray<Load> = []
  /** Whether somebody looks. */
  watched = false

  constructor(program: string) {
    this.program = program
  }

  /** A new subject; its id is a number, and says nothing. */
  add(head: Omit<Head, "pictures" | "control">): Subject {
    const id = String(this.serial++)
    const subject = new Subject(this, id, head)
    this.subjects.set(id, subject)
    return subject
  }
  private serial = 0

  find(id: string): Subject | undefined {
    return this.subjects.get(id)
  }

  setLoad(load: ReadonlyArray<Load>): void {
    this.load = load
    this.tell({ is: "load", load })
  }

  tell(message: Message): void {
    if (this.watched) this.changes.push(message)
  }

  /** What is new since the last call. */
  drain(): ReadonlyArray<Message> {
    const { changes } = this
    this.changes = []
    return changes
  }

  get everything(): ReadonlyArray<Message> {
    return [
      { is: "hello", program: this.program },
      ...Array.from(this.subjects.values(), (subject) => subject.everything).flat(),
      { is: "load", load: this.load }
    ]
  }
}

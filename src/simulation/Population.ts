/**
 * Populations: a great many simple agents as rows of flat columns, moved by one sweep a tick. A population as a whole is an
 * agent of the simulation: it has a share, a stream, and may be sent messages; its rows are numbers in arrays.
 *
 * ```ts
 * const Sheep = Simulation.population("Sheep", {
 *   columns: { x: "int32", energy: "float64" },
 *   step: (rows, sim) => {
 *     for (let i = rows.count - 1; i >= 0; i--) {
 *       rows.x[i]! += sim.random.integers(-1, 2)
 *       if (--rows.energy[i]! <= 0) rows.remove(i)
 *     }
 *   }
 * })
 * sim.populate(Sheep, 1_000_000, (rows, i) => { rows.energy[i] = 10 })
 * ```
 */
import type { Agent, AnyAgent, Handlers, ProtocolOf } from "./Agent.ts"
import { type Column, columnArrays, type ColumnOf, type Columns, columnsProblem } from "./columns.ts"
import type { Sim } from "./Sim.ts"

/** Members of rows that are no columns. */
const reserved = ["count", "add", "remove"] as const

interface RowsMembers<C extends Columns> {
  /** How many rows there are: those from 0. */
  readonly count: number
  /** A birth: a row at the end; what is not said is 0. Answers its index. Columns may be other arrays afterwards. */
  add(values?: { readonly [K in keyof C]?: number }): number
  /** A death: the last row takes its place. So a sweep in which rows die goes from the last to the first. */
  remove(index: number): void
}

/** The rows of a population; each column is an array, of which the first `count` entries are rows. */
export type Rows<C extends Columns> = RowsMembers<C> & { readonly [K in keyof C]: ColumnOf<C[K]> }

const firstCapacity = 16

class FlatRows implements RowsMembers<Columns> {
  count = 0
  readonly #columns: Columns
  readonly #name: string

  constructor(name: string, columns: Columns, capacity: number) {
    this.#name = name
    this.#columns = columns
    for (const column in columns) this.#set(column, new columnArrays[columns[column]!](capacity))
  }

  /** Columns are members, so that a sweep reads them as such. */
  #set(column: string, array: Column): void {
    Reflect.set(this, column, array)
  }

  column(name: string): Column {
    // Set by the constructor.
    return Reflect.get(this, name) as Column
  }

  add(values: Readonly<Record<string, number | undefined>> = {}): number {
    const index = this.count++
    for (const name in this.#columns) {
      let column = this.column(name)
      if (index === column.length) {
        const grown = new columnArrays[this.#columns[name]!](Math.max(firstCapacity, 2 * index))
        grown.set(column)
        this.#set(name, column = grown)
      }
      column[index] = values[name] ?? 0
    }
    return index
  }

  remove(index: number): void {
    if (!(Number.isInteger(index) && index >= 0 && index < this.count)) {
      throw new RangeError(`${this.#name} has no row ${index}: it has ${this.count}`)
    }
    const last = --this.count
    for (const name in this.#columns) {
      const column = this.column(name)
      column[index] = column[last]!
      column[last] = 0
    }
  }
}

/** A kind of populations with columns `C` and protocol `P`. */
export interface Population<C extends Columns, P> extends Agent<Rows<C>, P> {
  readonly columns: C
  /** Virtual time between sweeps; `undefined` where there are none. */
  readonly period: number | undefined
  /** Rows that were not filled yet. */
  readonly rows: (count: number) => Rows<C>
}

/** A population whose columns are not looked at. */
export interface AnyPopulation extends AnyAgent {
  readonly period: number | undefined
  readonly rows: (count: number) => unknown
}

/** The message at which a population moves. */
export const stepMessage = "Step"

/** Defines a kind of populations; see the head of this file. Throws a `RangeError` for a column that cannot be. */
export const population = <
  const C extends Columns,
  H extends Handlers<Rows<C>> = Record<never, never>
>(name: string, options: {
  /** A type of numbers for each column. */
  readonly columns: C
  /** Moves all rows once. */
  readonly step?: (rows: Rows<C>, sim: Sim) => void
  /** Virtual time between two sweeps, above 0; the first is one period after the birth. Default 1. */
  readonly every?: number
  /** What it may be sent besides. */
  readonly on?: H
}): Population<C, ProtocolOf<H>> => {
  const { columns, every = 1, step } = options
  const problem = columnsProblem(columns, reserved)
  if (problem !== undefined) throw new RangeError(`${name}.${problem}`)
  if (!(every > 0 && every < Infinity)) {
    throw new RangeError(`${name} moves every ${every}: give a finite period above 0`)
  }
  const rows = (count: number): FlatRows => {
    const made = new FlatRows(name, columns, Math.max(firstCapacity, count))
    made.count = count
    return made
  }
  const handlers: Record<string, unknown> = { ...options.on }
  if (step !== undefined) handlers[stepMessage] = (self: Rows<C>, _: unknown, sim: Sim) => step(self, sim)
  return {
    agentName: name,
    columns,
    period: step === undefined ? undefined : every,
    // Columns are members that the constructor sets.
    rows: rows as unknown as Population<C, unknown>["rows"],
    handlers: handlers as AnyAgent["handlers"],
    // `populate` has made them.
    admit: (made) => made,
    save: (state) => {
      const made = state as FlatRows
      return Object.fromEntries(
        Object.keys(columns).map((column) => [column, made.column(column).slice(0, made.count)])
      )
    },
    load: (saved) => {
      const given = typeof saved === "object" && saved !== null ? saved : {}
      const first: unknown = Reflect.get(given, Object.keys(columns)[0] ?? "")
      const count = ArrayBuffer.isView(first) && "length" in first ? Number(first.length) : 0
      const made = rows(count)
      for (const [column, type] of Object.entries(columns)) {
        const array: unknown = Reflect.get(given, column)
        if (!(array instanceof columnArrays[type]) || array.length !== count) {
          throw new RangeError(`column ${column} is no ${type} array of ${count} rows`)
        }
        made.column(column).set(array)
      }
      return made
    }
  }
}

/**
 * A grid that lies over all shares, for synchronous activation: at each tick all cells see the grid as it was, and become at
 * once what they have decided. Each share decides for some rows of it, its band, and has a copy of all; what a band changes is
 * sent to all the others, and is there at the next tick. So a grid whose agents may look and go anywhere runs on any number
 * of hosts, with one result.
 *
 * ```ts
 * const City = Simulation.lattice("City", {
 *   width: 40, height: 40, layers: { group: "uint8" },
 *   step: (city, sim) => {
 *     for (let cell = city.first; cell < city.end; cell++) if (unhappy(city, cell)) city.move(cell, empty(city, sim))
 *   }
 * })
 * sim.spread(City, (city) => void city.group.fill(1))
 * ```
 */
import * as Schema from "effect/Schema"
import type { Agent, AgentRef, AnyAgent } from "./Agent.ts"
import { type Column, columnArrays, type ColumnOf, type Columns, columnsProblem } from "./columns.ts"
import {
  extentProblem,
  type NeighborhoodOptions,
  Neighborhoods,
  type NeighborhoodShape
} from "./parts/Neighborhoods.ts"
import { stepMessage } from "./Population.ts"
import type { EventHandle, Sim } from "./Sim.ts"

interface CellsMembers<C extends Columns> {
  readonly width: number
  readonly height: number
  /** The cells that this share decides for: from `first`, before `end`. A cell is `y * width + x`. */
  readonly first: number
  readonly end: number
  /** How many have moved at the last tick, everywhere. */
  readonly moved: number
  /** The cells around one, by row and column. The same array each time: not to be changed. */
  neighborhood(cell: number, options?: NeighborhoodOptions): ReadonlyArray<number>
  /** From the next tick on one of one's own cells has this number. */
  set(layer: keyof C & string, cell: number, value: number): void
  /**
   * From the next tick on what one of one's own cells holds, in all layers, is in another cell, anywhere, and the first is 0. Who
   * goes to a cell that is taken (its first layer is not 0) stays; where several go to one cell, one of them is drawn.
   */
  move(from: number, to: number): void
}

/** All cells as they were at the last tick, an array for each layer: to read; in `spread` to fill. */
export type Cells<C extends Columns> = CellsMembers<C> & { readonly [K in keyof C]: ColumnOf<C[K]> }

/** Members of cells that are no layers. */
const reserved = ["width", "height", "first", "end", "moved", "neighborhood", "set", "move"] as const

const int32 = Schema.declare((value): value is Int32Array => value instanceof Int32Array, { expected: "an Int32Array" })
const float64 = Schema.declare((value): value is Float64Array => value instanceof Float64Array, {
  expected: "a Float64Array"
})

/** What a band changes: numbers of cells, by layer; and who moves, with a lot that decides where several want one cell. */
const Changes = Schema.Struct({
  band: Schema.Int,
  layers: int32,
  cells: int32,
  values: float64,
  from: int32,
  to: int32,
  lots: float64
})
type Changes = typeof Changes.Type

const Saved = Schema.Struct({
  band: Schema.Int,
  bands: Schema.Int,
  moved: Schema.Int,
  ticks: Schema.Int,
  peers: Schema.Array(Schema.Number),
  heard: Schema.Array(Changes),
  layers: Schema.Record(Schema.String, Schema.Unknown)
})

interface Shape {
  readonly name: string
  readonly width: number
  readonly height: number
  readonly layers: Columns
  readonly neighborhoods: Neighborhoods
}

class SharedCells implements CellsMembers<Columns> {
  readonly band: number
  readonly bands: number
  readonly first: number
  readonly end: number
  moved = 0
  /** How many ticks there were. */
  ticks = 0
  /** The agents that have the bands, this one among them. */
  peers: ReadonlyArray<AgentRef> = []
  /** What was told since the last tick. */
  heard: Array<Changes> = []
  readonly #shape: Shape
  readonly #names: ReadonlyArray<string>
  readonly #set: { layers: Array<number>; cells: Array<number>; values: Array<number> } = {
    layers: [],
    cells: [],
    values: []
  }
  readonly #from: Array<number> = []
  readonly #to: Array<number> = []

  constructor(shape: Shape, band: number, bands: number) {
    const { height, layers, width } = shape
    this.#shape = shape
    this.#names = Object.keys(layers)
    this.band = band
    this.bands = bands
    this.first = Math.floor(band * height / bands) * width
    this.end = Math.floor((band + 1) * height / bands) * width
    // Layers are members, so that a step reads them as such.
    for (const name of this.#names) Reflect.set(this, name, new columnArrays[layers[name]!](width * height))
  }

  get width(): number {
    return this.#shape.width
  }

  get height(): number {
    return this.#shape.height
  }

  layer(name: string): Column {
    // Set by the constructor.
    return Reflect.get(this, name) as Column
  }

  neighborhood(cell: number, options?: NeighborhoodOptions): ReadonlyArray<number> {
    const { radius = 1 } = options ?? {}
    if (!(Number.isInteger(radius) && radius >= 1)) {
      throw new RangeError(`${this.#shape.name} looks ${radius} cells around: give an integer of at least 1`)
    }
    return this.#shape.neighborhoods.of(this.#inside(cell), options)
  }

  set(layer: string, cell: number, value: number): void {
    const index = this.#names.indexOf(layer)
    if (index < 0) {
      throw new RangeError(`${this.#shape.name} has no layer ${layer}: there are ${this.#names.join(", ")}`)
    }
    this.#set.layers.push(index)
    this.#set.cells.push(this.#own(cell))
    this.#set.values.push(value)
  }

  move(from: number, to: number): void {
    this.#from.push(this.#own(from))
    this.#to.push(this.#inside(to))
  }

  #inside(cell: number): number {
    if (!(Number.isInteger(cell) && cell >= 0 && cell < this.width * this.height)) {
      throw new RangeError(`${this.#shape.name} has no cell ${cell}: there are ${this.width * this.height}`)
    }
    return cell
  }

  #own(cell: number): number {
    if (!(Number.isInteger(cell) && cell >= this.first && cell < this.end)) {
      throw new RangeError(
        `${this.#shape.name} decides here for cells from ${this.first}, before ${this.end}, and not for cell ${cell}`
      )
    }
    return cell
  }

  /** What was decided since the last call, to be told to all. */
  takeChanges(sim: Sim): Changes {
    const { cells, layers, values } = this.#set
    const changes: Changes = {
      band: this.band,
      layers: Int32Array.from(layers),
      cells: Int32Array.from(cells),
      values: Float64Array.from(values),
      from: Int32Array.from(this.#from),
      to: Int32Array.from(this.#to),
      lots: Float64Array.from(this.#from, () => sim.random.random())
    }
    for (const list of [cells, layers, values, this.#from, this.#to]) list.length = 0
    return changes
  }

  /** What all have told is so from now on. The order is one on all hosts: numbers by band, then moves by lot. */
  settle(): void {
    const told = this.heard.toSorted((a, b) => a.band - b.band)
    this.heard = []
    this.moved = 0
    for (const { cells, layers, values } of told) {
      for (let i = 0; i < cells.length; i++) this.layer(this.#names[layers[i]!]!)[cells[i]!] = values[i]!
    }
    const moves = told.flatMap(({ from, lots, to }) =>
      Array.from(from, (cell, i) => ({ from: cell, to: to[i]!, lot: lots[i]! }))
    ).toSorted((a, b) => a.lot - b.lot)
    const [first] = this.#names
    if (first === undefined) return
    const taken = this.layer(first)
    for (const { from, to } of moves) {
      if (taken[from] === 0 || taken[to] !== 0) continue
      this.moved++
      for (const name of this.#names) {
        const layer = this.layer(name)
        layer[to] = layer[from]!
        layer[from] = 0
      }
    }
  }

  /** The same cells, for another band. */
  of(band: number): SharedCells {
    const other = new SharedCells(this.#shape, band, this.bands)
    for (const name of this.#names) other.layer(name).set(this.layer(name))
    return other
  }

  save(): unknown {
    const { band, bands, heard, moved, peers, ticks } = this
    return { band, bands, moved, ticks, peers, heard, layers: this.saveLayers() }
  }

  saveLayers(): Readonly<Record<string, Column>> {
    return Object.fromEntries(this.#names.map((name) => [name, this.layer(name)]))
  }

  static load(shape: Shape, saved: unknown): SharedCells {
    const { band, bands, heard, layers, moved, peers, ticks } = Schema.decodeUnknownSync(Saved)(saved)
    const cells = new SharedCells(shape, band, bands)
    cells.moved = moved
    cells.ticks = ticks
    // Numbers are references: the type alone is ours.
    cells.peers = peers as ReadonlyArray<number> as ReadonlyArray<AgentRef>
    cells.heard = [...heard]
    for (const [name, type] of Object.entries(shape.layers)) {
      const layer = layers[name]
      if (!(layer instanceof columnArrays[type]) || layer.length !== shape.width * shape.height) {
        throw new RangeError(`layer ${name} is no ${type} array of ${shape.width * shape.height} cells`)
      }
      cells.layer(name).set(layer)
    }
    return cells
  }
}

/** A kind of lattices with layers `C`. */
export interface Lattice<C extends Columns> extends Agent<Cells<C>, unknown> {
  readonly layers: C
  readonly period: number
  /** Empty cells, of the first of so many bands. */
  readonly cells: (bands: number) => Cells<C>
  /** The same cells for each band; `peers` are the agents that will have them. */
  readonly bandOf: (cells: Cells<C>, band: number, peers: ReadonlyArray<number>) => Cells<C>
}

export const isLattice = (definition: AnyAgent): definition is Lattice<Columns> => "bandOf" in definition

/** What a lattice looks like: its extent, and its layers in their order. */
export const sceneOf = (state: unknown): {
  readonly width: number
  readonly height: number
  readonly layers: ReadonlyArray<ArrayLike<number>>
} => {
  // A lattice's agents have such states.
  const cells = state as SharedCells
  return { width: cells.width, height: cells.height, layers: Object.values(cells.saveLayers()) }
}

const changesMessage = "Changes"

/** Changes are heard before the tick at which they count. */
const before = -1

/** Defines a lattice; see the head of this file. Throws a `RangeError` for what cannot be. */
export const lattice = <const C extends Columns>(name: string, options: {
  readonly width: number
  readonly height: number
  /** What each cell has: a type of numbers for each layer. Those that move go to cells whose first layer is 0. */
  readonly layers: C
  /** Whether its edges meet. Default no. */
  readonly torus?: boolean
  /** Default `"moore"`. */
  readonly shape?: NeighborhoodShape
  /** Virtual time between two ticks, at least the model's lookahead. Default 1. */
  readonly every?: number
  /** Decides for the cells from `cells.first`, before `cells.end`. */
  readonly step: (cells: Cells<C>, sim: Sim) => void
  /** Asked at each tick but the first, before the step; it ends with the first `false`. It must say the same everywhere: read the cells alone. */
  readonly while?: (cells: Cells<C>) => boolean
}): Lattice<C> => {
  const { every = 1, height, layers, shape = "moore", step, torus = false, while: goesOn, width } = options
  const problem = extentProblem(width, height)
  if (problem !== undefined) throw new RangeError(`${name} has ${problem}`)
  const layersProblem = columnsProblem(layers, reserved)
  if (layersProblem !== undefined) throw new RangeError(`${name}.${layersProblem}`)
  if (!(every > 0 && every < Infinity)) {
    throw new RangeError(`${name} ticks every ${every}: give a finite period above 0`)
  }
  const form: Shape = { name, width, height, layers, neighborhoods: new Neighborhoods({ width, height, torus }, shape) }
  const handlers = {
    [stepMessage]: (self: SharedCells, _: unknown, sim: Sim) => {
      self.settle()
      // A lattice's first event is its repetition.
      if (self.ticks++ > 0 && goesOn?.(shown(self)) === false) return sim.cancel(0 as EventHandle)
      step(shown(self), sim)
      const changes = self.takeChanges(sim)
      for (const peer of self.peers) sim.send(peer, changesMessage, changes, { after: every, priority: before })
    },
    [changesMessage]: (self: SharedCells, changes: Changes) => void self.heard.push(changes)
  }
  // Layers are members that the constructor sets.
  const shown = (cells: SharedCells) => cells as unknown as Cells<C>
  const own = (cells: Cells<C>) => cells as unknown as SharedCells
  return {
    agentName: name,
    layers,
    period: every,
    cells: (bands) => shown(new SharedCells(form, 0, bands)),
    bandOf: (cells, band, peers) => {
      const made = own(cells).of(band)
      // Numbers are references: the type alone is ours.
      made.peers = peers as ReadonlyArray<AgentRef>
      return shown(made)
    },
    handlers,
    // `spread` has made them.
    admit: (made) => made,
    save: (state) => (state as SharedCells).save(),
    load: (saved) => SharedCells.load(form, saved)
  }
}

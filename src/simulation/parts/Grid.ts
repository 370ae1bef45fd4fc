/**
 * A grid of cells with agents in them, and layers of numbers: Mesa's `SingleGrid`, `MultiGrid` and property layers in one.
 * A cell is a number, `y * width + x`. What happens on a grid is immediate, so all its agents live in its share.
 *
 * ```ts
 * const city = sim.grid("city", { width: 40, height: 40, capacity: 1 })
 * city.place(sim.self, city.randomEmpty())
 * for (const neighbor of city.neighbors(city.cellOf(sim.self)!)) ...
 * ```
 */
import * as Schema from "effect/Schema"
import type { AgentRef } from "../Agent.ts"
import { type Column, columnArrays, type ColumnOf, columnsProblem, type ColumnType } from "../columns.ts"
import type { Part, PartHost } from "../Part.ts"
import { extentProblem, type NeighborhoodOptions, Neighborhoods, type NeighborhoodShape } from "./Neighborhoods.ts"
import { Residents, SavedResidents } from "./Residents.ts"

export interface GridOptions {
  readonly width: number
  readonly height: number
  /** Whether its edges meet. Default no. */
  readonly torus?: boolean
  /** Which agents are drawn alike. Default: those of a kind. */
  readonly groupOf?: (agent: AgentRef) => string | number
  /** How many agents have room in a cell. Default: any number. */
  readonly capacity?: number
  /** Default `"moore"`. */
  readonly shape?: NeighborhoodShape
}

const Saved = Schema.Struct({
  residents: SavedResidents,
  layers: Schema.Array(Schema.Tuple([Schema.String, Schema.Unknown]))
})

/** Where fewer cells are empty than one in so many, they are counted instead of tried. */
const tries = 20

export class Grid implements Part {
  readonly name: string
  readonly share: number
  readonly width: number
  readonly height: number
  readonly torus: boolean
  readonly groupOf: ((agent: AgentRef) => string | number) | undefined
  readonly capacity: number
  readonly shape: NeighborhoodShape
  readonly #host: PartHost
  readonly #residents: Residents
  readonly #layers = new Map<string, Column>()
  readonly #neighborhoods: Neighborhoods

  constructor(
    host: PartHost,
    name: string,
    { capacity = Infinity, groupOf, height, shape = "moore", torus = false, width }: GridOptions,
    share: number
  ) {
    this.#host = host
    this.name = name
    this.share = share
    this.width = width
    this.height = height
    this.torus = torus
    this.groupOf = groupOf
    this.capacity = capacity
    this.shape = shape
    host.attach(name, this, share)
    const problem = extentProblem(width, height)
    if (problem !== undefined) host.refuse(`makes the grid "${name}" of ${problem}`)
    if (!(capacity >= 1)) {
      host.refuse(`makes the grid "${name}" with room for ${capacity} agents a cell: give at least 1`)
    }
    this.#residents = new Residents(width * height)
    this.#neighborhoods = new Neighborhoods(this, shape)
  }

  /** How many cells there are: those from 0. */
  get size(): number {
    return this.#residents.size
  }

  /** The cell at column x and row y; on a torus, any integers. */
  cell(x: number, y: number): number {
    const { height, torus, width } = this
    if (torus) return (((y % height) + height) % height) * width + ((x % width) + width) % width
    if (!(x >= 0 && x < width && y >= 0 && y < height)) {
      this.#host.refuse(`names cell (${x}, ${y}) of "${this.name}", which has ${width} by ${height}`)
    }
    return y * width + x
  }

  x(cell: number): number {
    return cell % this.width
  }

  y(cell: number): number {
    return Math.floor(cell / this.width)
  }

  /** Puts an agent into a cell, from wherever it was. */
  place(agent: AgentRef, cell: number): void {
    const host = this.#host
    if (host.replaying) return
    this.#enter(cell)
    host.takeIn(agent, this.name, this.share)
    if (this.#residents.at(cell).length >= this.capacity && this.#residents.placeOf(agent) !== cell) {
      host.refuse(`puts an agent into cell (${this.x(cell)}, ${this.y(cell)}) of "${this.name}", which is full`)
    }
    this.#residents.put(agent, cell)
  }

  /** Takes an agent off the grid. Those who die leave by themselves. */
  remove(agent: AgentRef): void {
    if (!this.#host.replaying) this.#residents.remove(agent)
  }

  /** Where an agent is; `undefined` if it is not on the grid. */
  cellOf(agent: AgentRef): number | undefined {
    return this.#host.note(() => this.#residents.placeOf(agent))
  }

  /** Who is in a cell, in the order of their coming. */
  at(cell: number): ReadonlyArray<AgentRef> {
    return this.#host.note(() => this.#residents.at(this.#enter(cell)).slice())
  }

  isEmpty(cell: number): boolean {
    return this.#host.note(() => this.#residents.isEmpty(this.#enter(cell)))
  }

  /** How many cells are empty. */
  get empty(): number {
    return this.#host.note(() => this.#residents.empty)
  }

  /** An empty cell, each as likely. There must be one. */
  randomEmpty(): number {
    const host = this.#host
    const { size } = this
    return host.note(() => {
      const { empty } = this.#residents
      if (empty === 0) host.refuse(`looks for an empty cell of "${this.name}", which has none: ask for empty first`)
      if (empty * tries >= size) {
        for (;;) {
          const cell = host.random.integers(0, size)
          if (this.#residents.isEmpty(cell)) return cell
        }
      }
      let left = host.random.integers(0, empty)
      for (let cell = 0;; cell++) if (this.#residents.isEmpty(cell) && left-- === 0) return cell
    })
  }

  /** The cells around one, by row and column. The same array each time: not to be changed. */
  neighborhood(cell: number, options: NeighborhoodOptions = {}): ReadonlyArray<number> {
    const { radius = 1 } = options
    if (!(Number.isInteger(radius) && radius >= 1)) {
      this.#host.refuse(`looks ${radius} cells around on "${this.name}": give an integer of at least 1`)
    }
    return this.#neighborhoods.of(this.#inside(cell), options)
  }

  /** The agents in the cells around one. */
  neighbors(cell: number, options?: NeighborhoodOptions): ReadonlyArray<AgentRef> {
    return this.#host.note(() => {
      this.#enter(cell)
      const found: Array<AgentRef> = []
      for (const other of this.neighborhood(cell, options)) {
        for (const agent of this.#residents.at(other)) found.push(agent)
      }
      return found
    })
  }

  /** In the set-up: a number for each cell, an array to read and to change from handlers. */
  layer<const T extends ColumnType>(name: string, type: T): ColumnOf<T> {
    if (this.#layers.has(name)) this.#host.refuse(`makes two layers named "${name}" on "${this.name}"`)
    const problem = columnsProblem({ [name]: type }, [])
    if (problem !== undefined) this.#host.refuse(`makes a layer: ${problem}`)
    const layer = new columnArrays[type](this.size) as ColumnOf<T>
    this.#layers.set(name, layer)
    return layer
  }

  #inside(cell: number): number {
    if (!(Number.isInteger(cell) && cell >= 0 && cell < this.size)) {
      this.#host.refuse(`names cell ${cell} of "${this.name}", which has ${this.size}`)
    }
    return cell
  }

  #enter(cell: number): number {
    this.#host.enter(this.name, this.share)
    return this.#inside(cell)
  }

  forget(agent: number): void {
    this.#residents.remove(agent)
  }

  /** For whoever looks at the world from outside: who is in a cell, and its layers. */
  get look(): {
    readonly at: (cell: number) => ReadonlyArray<AgentRef>
    readonly layers: ReadonlyMap<string, ArrayLike<number>>
  } {
    return { at: (cell) => this.#residents.at(cell), layers: this.#layers }
  }

  save(): unknown {
    return { residents: this.#residents.save(), layers: Array.from(this.#layers) }
  }

  load(saved: unknown): void {
    const { layers, residents } = Schema.decodeUnknownSync(Saved)(saved)
    this.#residents.load(residents)
    if (layers.length !== this.#layers.size) throw new RangeError(`"${this.name}" has other layers`)
    for (const [name, numbers] of layers) {
      const layer = this.#layers.get(name)
      if (
        layer === undefined || !ArrayBuffer.isView(numbers) || numbers.constructor !== layer.constructor ||
        numbers.byteLength !== layer.byteLength
      ) throw new RangeError(`"${this.name}" has no such layer ${name}`)
      layer.set(numbers as Column)
    }
  }
}

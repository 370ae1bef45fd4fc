/**
 * A continuous plane with agents at points of it, and a search for who is near: Mesa's `ContinuousSpace`. What happens in a
 * space is immediate, so all its agents live in its share. Who is near is found by bins of about the usual radius, and
 * always told in the order of birth.
 */
import * as Schema from "effect/Schema"
import type { AgentRef } from "../Agent.ts"
import type { Part, PartHost } from "../Part.ts"

export interface SpaceOptions {
  readonly width: number
  readonly height: number
  /** Whether its edges meet. Default no: a point outside is a fault. */
  readonly torus?: boolean
  /** Which agents are drawn alike. Default: those of a kind. */
  readonly groupOf?: (agent: AgentRef) => string | number
  /** The radius that is mostly searched: what it is does not change what is found. Default: a 32nd of the longer side. */
  readonly usualRadius?: number
}

/** Where something is. */
export interface Point {
  readonly x: number
  readonly y: number
}

const Saved = Schema.Array(Schema.Struct({ agent: Schema.Number, x: Schema.Finite, y: Schema.Finite }))

interface Dweller {
  x: number
  y: number
  bin: number
}

/** The most bins along a side. */
const mostBins = 1024

export class Space implements Part {
  readonly name: string
  readonly share: number
  readonly width: number
  readonly height: number
  readonly torus: boolean
  readonly groupOf: ((agent: AgentRef) => string | number) | undefined
  readonly #host: PartHost
  readonly #dwellers = new Map<number, Dweller>()
  readonly #columns: number
  readonly #rows: number
  readonly #bins: Array<Set<number> | undefined>

  constructor(
    host: PartHost,
    name: string,
    { groupOf, height, torus = false, width, usualRadius = Math.max(width, height) / 32 }: SpaceOptions,
    share: number
  ) {
    this.#host = host
    this.name = name
    this.share = share
    this.width = width
    this.height = height
    this.torus = torus
    this.groupOf = groupOf
    host.attach(name, this, share)
    if (!(width > 0 && width < Infinity && height > 0 && height < Infinity && usualRadius > 0)) {
      host.refuse(
        `makes the space "${name}" of ${width} by ${height}, usual radius ${usualRadius}: give finite numbers above 0`
      )
    }
    const bins = (side: number) => Math.max(1, Math.min(mostBins, Math.floor(side / usualRadius)))
    this.#columns = bins(width)
    this.#rows = bins(height)
    this.#bins = Array.from({ length: this.#columns * this.#rows })
  }

  /** Puts an agent at a point, from wherever it was. On a torus, any point is one of it. */
  place(agent: AgentRef, x: number, y: number): void {
    const host = this.#host
    if (host.replaying) return
    host.enter(this.name, this.share)
    host.takeIn(agent, this.name, this.share)
    this.#put(agent, this.#inside(x, this.width, "x"), this.#inside(y, this.height, "y"))
  }

  /** Moves an agent that is in the space by a distance along each axis. */
  move(agent: AgentRef, dx: number, dy: number): void {
    if (this.#host.replaying) return
    const { x, y } = this.#of(agent)
    this.place(agent, x + dx, y + dy)
  }

  /** Takes an agent out. Those who die leave by themselves. */
  remove(agent: AgentRef): void {
    if (!this.#host.replaying) this.forget(agent)
  }

  /** Where an agent is; `undefined` if it is not in the space. */
  positionOf(agent: AgentRef): Point | undefined {
    return this.#host.note(() => {
      const dweller = this.#dwellers.get(agent)
      return dweller === undefined ? undefined : { x: dweller.x, y: dweller.y }
    })
  }

  /** The others within a radius of an agent, by birth. */
  neighbors(agent: AgentRef, radius: number): ReadonlyArray<AgentRef> {
    return this.#host.note(() => {
      const { x, y } = this.#of(agent)
      return this.#within(x, y, radius).filter((other) => other !== agent)
    })
  }

  /** Those within a radius of a point, by birth. */
  within(x: number, y: number, radius: number): ReadonlyArray<AgentRef> {
    return this.#host.note(() => this.#within(x, y, radius))
  }

  /** From one agent to another: along x and along y, on a torus the shorter way. */
  heading(from: AgentRef, to: AgentRef): Point {
    return this.#host.note(() => {
      const a = this.#of(from)
      const b = this.#of(to)
      return { x: this.#shorter(b.x - a.x, this.width), y: this.#shorter(b.y - a.y, this.height) }
    })
  }

  /** How far two agents are from each other; on a torus, the shorter way. */
  distance(from: AgentRef, to: AgentRef): number {
    const { x, y } = this.heading(from, to)
    return Math.sqrt(x * x + y * y)
  }

  #shorter(difference: number, side: number): number {
    if (!this.torus) return difference
    if (2 * difference > side) return difference - side
    return 2 * difference < -side ? difference + side : difference
  }

  #of(agent: number): Dweller {
    this.#host.enter(this.name, this.share)
    return this.#dwellers.get(agent) ?? this.#host.refuse(`asks where in "${this.name}" someone is who is not there`)
  }

  #inside(value: number, side: number, axis: string): number {
    if (this.torus && Number.isFinite(value)) {
      const rest = value % side
      // A little below 0 is rounded to the side itself.
      return rest < 0 ? (rest + side === side ? 0 : rest + side) : rest
    }
    if (!(value >= 0 && value <= side)) {
      this.#host.refuse(`puts someone at ${axis} ${value} of "${this.name}", which reaches from 0 to ${side}`)
    }
    return value
  }

  #column(x: number): number {
    return Math.min(this.#columns - 1, Math.floor(x / this.width * this.#columns))
  }

  #row(y: number): number {
    return Math.min(this.#rows - 1, Math.floor(y / this.height * this.#rows))
  }

  #put(agent: number, x: number, y: number): void {
    const bin = this.#row(y) * this.#columns + this.#column(x)
    const dweller = this.#dwellers.get(agent)
    if (dweller === undefined) this.#dwellers.set(agent, { x, y, bin })
    else {
      dweller.x = x
      dweller.y = y
      if (dweller.bin === bin) return
      this.#bins[dweller.bin]!.delete(agent)
      dweller.bin = bin
    }
    const others = this.#bins[bin] ??= new Set()
    others.add(agent)
  }

  #within(x: number, y: number, radius: number): Array<AgentRef> {
    const host = this.#host
    host.enter(this.name, this.share)
    if (!(radius >= 0)) host.refuse(`looks within ${radius} in "${this.name}": give a radius of at least 0`)
    const found: Array<number> = []
    const columns = this.#span(x, radius, this.width, this.#columns)
    for (const row of this.#span(y, radius, this.height, this.#rows)) {
      for (const column of columns) {
        for (const agent of this.#bins[row * this.#columns + column] ?? []) {
          const other = this.#dwellers.get(agent)!
          const dx = this.#shorter(other.x - x, this.width)
          const dy = this.#shorter(other.y - y, this.height)
          if (dx * dx + dy * dy <= radius * radius) found.push(agent)
        }
      }
    }
    return found.toSorted((a, b) => a - b) as Array<AgentRef>
  }

  /** The columns, or rows, of bins that a circle touches. */
  #span(center: number, radius: number, side: number, count: number): ReadonlyArray<number> {
    // One more on each side, so that no rounding leaves one out.
    const first = Math.floor((center - radius) / side * count) - 1
    const last = Math.floor((center + radius) / side * count) + 1
    if (!(last - first < count)) return Array.from({ length: count }, (_, i) => i)
    const span: Array<number> = []
    for (let i = first; i <= last; i++) {
      if (this.torus) span.push(((i % count) + count) % count)
      else if (i >= 0 && i < count) span.push(i)
    }
    return span
  }

  forget(agent: number): void {
    const dweller = this.#dwellers.get(agent)
    if (dweller === undefined) return
    this.#bins[dweller.bin]!.delete(agent)
    this.#dwellers.delete(agent)
  }

  /** For whoever looks at the world from outside: who is where, by birth. */
  get look(): ReadonlyArray<Point & { readonly agent: number }> {
    return Array.from(this.#dwellers, ([agent, { x, y }]) => ({ agent, x, y })).toSorted((a, b) => a.agent - b.agent)
  }

  save(): unknown {
    return this.look
  }

  load(saved: unknown): void {
    const dwellers = Schema.decodeUnknownSync(Saved)(saved)
    this.#dwellers.clear()
    this.#bins.fill(undefined)
    for (const { agent, x, y } of dwellers) {
      if (!(x >= 0 && x <= this.width && y >= 0 && y <= this.height)) {
        throw new RangeError(`"${this.name}" has no point (${x}, ${y})`)
      }
      this.#put(agent, x, y)
    }
  }
}

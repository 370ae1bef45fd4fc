/**
 * Nodes and edges, with agents at the nodes: Mesa's `NetworkGrid`. Nodes are numbers from 0. What happens on a graph is
 * immediate, so all its agents live in its share.
 */
import * as Schema from "effect/Schema"
import type { AgentRef } from "../Agent.ts"
import type { Part, PartHost } from "../Part.ts"
import type { Random } from "../Sim.ts"
import { Residents, SavedResidents } from "./Residents.ts"

export type Edge = readonly [number, number]

export interface GraphOptions {
  /** How many nodes. */
  readonly nodes: number
  /** Default: none. */
  readonly edges?: Iterable<Edge>
  /** Whether an edge goes from its first node to its second alone. Default no. */
  readonly directed?: boolean
}

const Saved = Schema.Struct({ residents: SavedResidents, neighbors: Schema.Array(Schema.Array(Schema.Number)) })

export class Graph implements Part {
  readonly name: string
  readonly share: number
  readonly directed: boolean
  readonly #host: PartHost
  readonly #residents: Residents
  #neighbors: Array<Array<number>>

  constructor(
    host: PartHost,
    name: string,
    { directed = false, edges = [], nodes }: GraphOptions,
    share: number
  ) {
    this.#host = host
    this.name = name
    this.share = share
    this.directed = directed
    host.attach(name, this, share)
    if (!(Number.isInteger(nodes) && nodes >= 0)) {
      host.refuse(`makes the graph "${name}" with ${nodes} nodes: give an integer of at least 0`)
    }
    this.#residents = new Residents(nodes)
    this.#neighbors = Array.from({ length: nodes }, () => [])
    for (const [from, to] of edges) this.link(from, to)
  }

  /** How many nodes there are: those from 0. */
  get size(): number {
    return this.#residents.size
  }

  /** The nodes that a node has edges to, in the order in which these came. */
  neighborsOf(node: number): ReadonlyArray<number> {
    return this.#host.note(() => this.#neighbors[this.#inside(node)]!.slice())
  }

  /** Adds an edge, where there is none. */
  link(from: number, to: number): void {
    if (this.#host.replaying) return
    this.#host.enter(this.name, this.share)
    this.#add(this.#inside(from), this.#inside(to))
    if (!this.directed && from !== to) this.#add(to, from)
  }

  /** Takes an edge away, where there is one. */
  unlink(from: number, to: number): void {
    if (this.#host.replaying) return
    this.#host.enter(this.name, this.share)
    this.#take(this.#inside(from), this.#inside(to))
    if (!this.directed) this.#take(to, from)
  }

  #add(from: number, to: number): void {
    const neighbors = this.#neighbors[from]!
    if (!neighbors.includes(to)) neighbors.push(to)
  }

  #take(from: number, to: number): void {
    this.#neighbors[from] = this.#neighbors[from]!.filter((node) => node !== to)
  }

  /** Puts an agent at a node, from wherever it was. */
  place(agent: AgentRef, node: number): void {
    const host = this.#host
    if (host.replaying) return
    host.enter(this.name, this.share)
    host.takeIn(agent, this.name, this.share)
    this.#residents.put(agent, this.#inside(node))
  }

  /** Takes an agent off the graph. Those who die leave by themselves. */
  remove(agent: AgentRef): void {
    if (!this.#host.replaying) this.#residents.remove(agent)
  }

  /** Where an agent is; `undefined` if it is not on the graph. */
  nodeOf(agent: AgentRef): number | undefined {
    return this.#host.note(() => this.#residents.placeOf(agent))
  }

  /** Who is at a node, in the order of their coming. */
  at(node: number): ReadonlyArray<AgentRef> {
    return this.#host.note(() => this.#residents.at(this.#inside(node)).slice())
  }

  /** Who is at the nodes that a node has edges to. */
  neighbors(node: number): ReadonlyArray<AgentRef> {
    return this.#host.note(() =>
      this.#neighbors[this.#inside(node)]!.flatMap((other) => this.#residents.at(other).slice())
    )
  }

  #inside(node: number): number {
    if (!(Number.isInteger(node) && node >= 0 && node < this.size)) {
      this.#host.refuse(`names node ${node} of "${this.name}", which has ${this.size}`)
    }
    return node
  }

  forget(agent: number): void {
    this.#residents.remove(agent)
  }

  save(): unknown {
    return { residents: this.#residents.save(), neighbors: this.#neighbors }
  }

  load(saved: unknown): void {
    const { neighbors, residents } = Schema.decodeUnknownSync(Saved)(saved)
    if (neighbors.length !== this.size) throw new RangeError(`"${this.name}" has ${this.size} nodes`)
    for (const node of neighbors.flat()) {
      if (!(Number.isInteger(node) && node >= 0 && node < this.size)) throw new RangeError(`there is no node ${node}`)
    }
    this.#residents.load(residents)
    this.#neighbors = neighbors.map((nodes) => [...nodes])
  }
}

/** Each node with each other. */
export const completeEdges = (nodes: number): ReadonlyArray<Edge> =>
  Array.from(
    { length: nodes },
    (_, from) => Array.from({ length: nodes - from - 1 }, (_, i): Edge => [from, from + 1 + i])
  )
    .flat()

/** Each pair with this probability: a graph of Erdos and Renyi. */
export const randomEdges = (nodes: number, probability: number, random: Random): ReadonlyArray<Edge> =>
  completeEdges(nodes).filter(() => random.bernoulli(probability))

/**
 * A ring in which each node is tied to its `degree` nearest, and each of these edges leads elsewhere with a probability: a
 * small world of Watts and Strogatz.
 */
export const smallWorldEdges = (
  nodes: number,
  degree: number,
  probability: number,
  random: Random
): ReadonlyArray<Edge> => {
  const edges: Array<Edge> = []
  for (let step = 1; step <= degree / 2; step++) {
    for (let node = 0; node < nodes; node++) {
      const far = random.bernoulli(probability) ? random.integers(1, nodes) : step
      edges.push([node, (node + far) % nodes])
    }
  }
  return edges
}

/**
 * What a model has of its simulation: handlers are given it, set-ups and processes close over it. All that happens goes
 * through it, so that it happens in one order, counts once, and can be kept in a checkpoint.
 */
import type { Agent, AgentRef, Protocol } from "./Agent.ts"
import type { Columns } from "./columns.ts"
import type { Cells, Lattice } from "./Lattice.ts"
import type { Container, ContainerOptions } from "./parts/Container.ts"
import type { Action, Decision, Rule } from "./parts/Decision.ts"
import type { Graph, GraphOptions } from "./parts/Graph.ts"
import type { Grid, GridOptions } from "./parts/Grid.ts"
import type { Monitor } from "./parts/Monitor.ts"
import type { Resource } from "./parts/Resource.ts"
import type { Space, SpaceOptions } from "./parts/Space.ts"
import type { Store, StoreOptions } from "./parts/Store.ts"
import type { Population, Rows } from "./Population.ts"
import type { ProcessBody, Wait } from "./Process.ts"
import type { RandomStreams } from "./RandomStreams.ts"
import type { ScheduleOptions } from "./Schedule.ts"
import type { SimEvent } from "./SimEvent.ts"

/** When a message arrives. */
export interface SendOptions {
  /** Virtual time until it arrives: finite, at least 0. Default 0: later at the same time. */
  readonly after?: number
  /** Among events of one time lower ones are first. Default 0. */
  readonly priority?: number
}

/** A handle of an event that is still to happen, for `cancel`: plain data. */
export type EventHandle = number & { readonly "~event": true }

export interface EveryOptions {
  /** When the first one happens. Default: one period from now. */
  readonly start?: number
  /** How often. Default: without end. */
  readonly times?: number
  readonly priority?: number
}

/** Where a part lives. */
export interface PlaceOptions {
  /** Its share. Default: the first. */
  readonly share?: number
}

/** Random draws, each agent's from its own stream; the names are those of NumPy's `Generator`. */
export type Random = Pick<
  RandomStreams,
  | "random"
  | "uniform"
  | "bernoulli"
  | "integers"
  | "choice"
  | "shuffle"
  | "exponential"
  | "normal"
  | "poisson"
>

/** The rest of a call's arguments: a message that may be `undefined` may be left out. */
export type Message<M, Options> = undefined extends M ? [message?: M, options?: Options]
  : [message: M, options?: Options]

export interface Sim {
  /** Virtual time: 0 in the set-up. Its unit is the model's. */
  readonly now: number
  /** Draws from the stream of the agent whose turn it is. In the set-up and in its functions that is the model itself. */
  readonly random: Random
  /** The agent whose turn it is. */
  readonly self: AgentRef

  /** Sends a message. To an agent of another share it must take at least the model's `lookahead`. */
  send<P extends Protocol, K extends keyof P & string>(
    to: AgentRef<P>,
    name: K,
    ...rest: Message<P[K]["message"], SendOptions>
  ): EventHandle
  /** Sends a message to oneself. */
  after(delay: number, name: string, message?: unknown, options?: { readonly priority?: number }): EventHandle
  /** In the set-up: runs a function of the model itself after this time. */
  after(delay: number, run: () => void, options?: { readonly priority?: number }): EventHandle
  /** The same, at a time that is not before now. */
  at(time: number, name: string, message?: unknown, options?: { readonly priority?: number }): EventHandle
  at(time: number, run: () => void, options?: { readonly priority?: number }): EventHandle
  /** Sends oneself a message again and again. */
  every(period: number, name: string, message?: unknown, options?: EveryOptions): EventHandle
  /** In the set-up: runs a function of the model itself again and again; the period may be drawn anew each time. */
  every(period: number | (() => number), run: () => void, options?: EveryOptions): EventHandle
  /** An event of one's own that is still to happen does not. One that has happened already is let be. */
  cancel(handle: EventHandle): void

  /** Gives birth to an agent: in the share of who does, in the set-up in that of the model's `shareOf`. */
  spawn<S, P>(definition: Agent<S, P>, state: NoInfer<S>): AgentRef<P>
  /** Gives birth to a population of so many rows, which `fill` fills one by one. */
  populate<C extends Columns, P>(
    definition: Population<C, P>,
    count: number,
    fill?: (rows: Rows<C>, index: number) => void
  ): AgentRef<P>
  /**
   * In the set-up: lays a lattice over all shares, which `fill` fills once. Answers the agents that have its bands, by share.
   */
  spread<C extends Columns>(definition: Lattice<C>, fill?: (cells: Cells<C>) => void): ReadonlyArray<AgentRef>
  /** The agent (default: oneself) dies. What is still on its way to it, or from itself to itself, is dropped. */
  stop(agent?: AgentRef): void
  /** Whether an agent of this share lives. */
  isAlive(agent: AgentRef): boolean
  /** The living agents of a kind in this share, by age. */
  agents<S, P>(definition: Agent<S, P>): ReadonlyArray<AgentRef<P>>
  /** The state of an agent of this share, to read and to change. Its kind says the type. */
  state<S, P>(definition: Agent<S, P>, agent: AgentRef<P>): S

  /** In the set-up: defines a kind of processes, and answers what starts one. Arguments are plain data. */
  process<Args extends ReadonlyArray<unknown>>(body: ProcessBody<Args>): (...args: Args) => AgentRef
  /** In a process: waits for this time. */
  timeout(delay: number): Wait<void>
  /** In a process: sends a message and waits for what the handler returns, which takes as long to come back. */
  ask<P extends Protocol, K extends keyof P & string>(
    to: AgentRef<P>,
    name: K,
    ...rest: Message<P[K]["message"], SendOptions>
  ): Wait<P[K]["answer"]>
  /** In a process: waits until the event succeeds, and gives its value. */
  wait<A>(event: SimEvent<A>): Wait<A>
  /** In a process: begins again from the first line with these arguments; `return sim.continueAs(...)`. */
  continueAs(...args: ReadonlyArray<unknown>): Wait<never>
  /** The process's wait ends now, with an `Interrupted` thrown into it. */
  interrupt(process: AgentRef, reason?: unknown): void
  /** In the set-up: something to wait for, in the first share unless said otherwise. */
  event<A = void>(name: string, options?: PlaceOptions): SimEvent<A>

  /** In the set-up: so many of something that processes use for a while (default one). */
  resource(name: string, capacity?: number, options?: PlaceOptions): Resource
  /** In the set-up: things that are put down and taken away. */
  store<T = unknown>(name: string, options?: StoreOptions<T> & PlaceOptions): Store<T>
  /** In the set-up: an amount of a stuff. */
  container(name: string, options?: ContainerOptions & PlaceOptions): Container
  /** In the set-up: a number that is watched over time (first 0). */
  monitor(name: string, first?: number, options?: PlaceOptions): Monitor
  /** In the set-up: cells with agents in them. */
  grid(name: string, options: GridOptions & PlaceOptions): Grid
  /** In the set-up: a plane with agents at points of it. */
  space(name: string, options: SpaceOptions & PlaceOptions): Space
  /** In the set-up: nodes and edges, with agents at the nodes. */
  graph(name: string, options: GraphOptions & PlaceOptions): Graph
  /** In the set-up: what agents decide by a rule, which a policy or whoever plays the world may take the place of. */
  decision<A extends Action = number>(name: string, rule: Rule<A>, options?: PlaceOptions): Decision<A>
  /** In the set-up: lets all agents of some kinds have a turn, every period, in each share. */
  schedule(name: string, options: ScheduleOptions): void

  /** In the set-up: a number that a run's series tell at each of their points, of all shares. It only looks. */
  collect(name: string, of: () => number): void
  /** Adds to a count. */
  count(name: string, by?: number): void
  /** Adds an observation to a tally: its number, mean, deviation and range. */
  record(name: string, value: number): void
}

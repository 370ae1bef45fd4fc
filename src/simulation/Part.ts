/**
 * What a model is made of beside agents: resources, stores, monitors, grids. A part is made in the set-up, under a name,
 * and lives in one share (the first, unless said otherwise). Its effects are immediate, so agents of other shares cannot
 * use it.
 *
 * While a process is restored its body runs again, and nothing that it does may have an effect: a method that changes
 * something begins with `if (host.replaying) return`, and what a method answers goes through `host.note`.
 */
import type { Action, Decision, View } from "./parts/Decision.ts"
import type { TimeAverage } from "./parts/TimeAverage.ts"
import type { Waiter } from "./Process.ts"
import type { Random } from "./Sim.ts"

export interface Part {
  /** Its state, as plain data. */
  readonly save: () => unknown
  /** Takes up a saved state. Throws an error that says what does not fit. */
  readonly load: (saved: unknown) => void
  /** What it watches over time, by name: told in a run's result. */
  readonly averages?: () => Readonly<Record<string, TimeAverage>>
  /** Told of every death in its share, where it has a place for agents. */
  readonly forget?: (agent: number) => void
  /** Told of the death of a process that held something of it. */
  readonly surrender?: (process: number) => void
}

/** The engine, as parts see it. */
export interface PartHost {
  readonly now: number
  readonly random: Random
  /** The number of the agent whose turn it is. */
  readonly self: number
  /** A process is being restored: nothing is to change. */
  readonly replaying: boolean
  /** Gives a part its name and share, once, in the set-up. */
  attach(name: string, part: Part, share: number): void
  /** Fails where the agent whose turn it is lives in another share than the part. */
  enter(name: string, share: number): void
  /** Fails where an agent that is to be put into the part lives elsewhere, or does not live. */
  takeIn(agent: number, name: string, share: number): void
  /** A process holds one more of the part: when it dies, the part is told (`surrender`). */
  hold(process: number, part: Part): void
  /** It holds one less. */
  letGo(process: number, part: Part): void
  /** What a call answers to a process, noted so that it is the same when the process is restored. */
  note<A>(compute: () => A): A
  /** A copy of plain data; a fault where it is none. */
  copy<A>(value: A, what: string): A
  /**
   * Answers a waiting process: it goes on at this time, in an event of whoever's turn it is. False where it waits no longer,
   * or is dead.
   */
  wake(waiter: Waiter, answer: unknown): boolean
  /** Within `begin` of a wait: it ends by itself after this time with this answer, unless it is answered before. */
  expire(delay: number, answer: unknown): void
  /** When this turn is over `act` is called with what is decided; without it, the process that begins to wait goes on with that. */
  decide<A extends Action>(decision: Decision<A>, view: View, act: ((action: A) => void) | undefined): void
  /** The process's wait ends now, with an `Interrupted` thrown into it. */
  interrupt(process: number, reason?: unknown): void
  /** A fault of the agent whose turn it is; `problem` follows its name. */
  refuse(problem: string): never
}

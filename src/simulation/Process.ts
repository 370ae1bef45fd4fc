/**
 * Process-style agents: a generator function that lives through time, waiting at each `yield*`.
 *
 * A generator cannot be kept in a file. So a process is kept as its definition, its arguments and a journal: when it went
 * on, with which answer, and what it was told in between. To restore it, it is run again from its beginning with the
 * journal's answers, during which nothing that it does has an effect. A long life keeps its journal short with
 * `continueAs`.
 */
import { Journal } from "./Journal.ts"
import type { Part } from "./Part.ts"

/**
 * What a process's generator yields, and what `yield*` of it gives. Known by a mark, not by its class: a host may have these
 * lines from another file than the model has.
 */
export abstract class Wait<A> {
  #begun = false

  // No field, of which each wait would have one.
  get "~wait"(): true {
    return true
  }

  /** The process begins to wait. Answers `pending`, or at once what it waited for. */
  abstract begin(waiter: Waiter): A | typeof pending

  /** The wait is over before its time: whoever waits leaves its queue. */
  abandon(_waiter: Waiter): void {}

  /** What the process waits for, in a few words. */
  abstract readonly description: string;

  [Symbol.iterator](): Iterator<Wait<unknown>, A, unknown> {
    this.#begun = false
    return this
  }

  /** As an iterator it yields itself once, then returns the answer. */
  next(answer: unknown): IteratorResult<Wait<unknown>, A> {
    // Whoever ends the wait gives what was waited for.
    if (this.#begun) return { done: true, value: answer as A }
    this.#begun = true
    return { done: false, value: this }
  }

  /** An interruption passes through to the process's body. */
  throw(error: unknown): never {
    throw error
  }
}

export const isWait = (value: unknown): value is Wait<unknown> =>
  typeof value === "object" && value !== null && "~wait" in value

/** Said by a wait that has no answer yet. */
export const pending: unique symbol = Symbol.for("troupe/simulation/pending")

/** A process's own function: `yield*` of waits, which it had from its `sim` or from the parts of the model. */
export type ProcessBody<Args extends ReadonlyArray<unknown>> = (
  ...args: Args
) => Generator<Wait<unknown>, unknown, unknown>

/** A kind of processes. */
export interface ProcessDefinition {
  readonly processName: string
  readonly body: ProcessBody<ReadonlyArray<never>>
}

/** Who waits, and for which of its waits: plain data, to be kept by what it waits for. */
export interface Waiter {
  /** The process's number. */
  readonly process: number
  /** Which of its waits: 1, 2, ... */
  readonly turn: number
}

/** Thrown into a process that is interrupted, or has asked an agent that has died. */
export class Interrupted extends Error {
  /** By a mark, as waits are. */
  static override [Symbol.hasInstance](value: unknown): boolean {
    return typeof value === "object" && value !== null && "~interrupted" in value
  }

  readonly "~interrupted" = true
  /** What whoever interrupted it said: plain data. */
  readonly reason: unknown

  constructor(reason: unknown) {
    super(`the process was interrupted${typeof reason === "string" ? `: ${reason}` : ""}`)
    this.name = "Interrupted"
    this.reason = reason
  }
}

/** A process that lives. */
export class Process {
  readonly definition: ProcessDefinition
  readonly number: number
  args: ReadonlyArray<unknown>
  generator: Generator<Wait<unknown>, unknown, unknown> | undefined
  journal = new Journal()
  /** The words of its random stream when its body began; `undefined` where that was untouched. */
  beganWith: Uint32Array | undefined
  /** How many waits it has begun. */
  turn = 0
  /** The event that ends its wait, by sender and count; -1 while nobody has sent it. */
  awaitedSender = -1
  awaitedCount = -1
  /** What it waits for. */
  wait: Wait<unknown> | undefined
  /** Whether its wait was answered already, and only the event is on its way. */
  settled = false
  /** The parts that it holds something of, one entry for each. */
  holds: Array<Part> | undefined

  constructor(definition: ProcessDefinition, number: number, args: ReadonlyArray<unknown>) {
    this.definition = definition
    this.number = number
    this.args = args
  }
}

/**
 * Who asks: the message that a handler has in hand, as the fiber knows it that runs the handler.
 *
 * It is taken from the running fiber and not from the reference that is asked, so a reference is a plain address that anyone
 * may hold. Fibers that a handler forks inherit it; what a start forks has none of a message, and what outlives its message
 * has none any more.
 */
import * as Context from "effect/Context"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import type { Random } from "effect/Random"
import type { Scope } from "effect/Scope"
import type { Method } from "./Actor.ts"

/** For as long as the system's asks wait: on a side that does not know how long that is. */
export const systemMillis = -1

/** What somebody waits for; `resume` is `undefined` once nobody does. */
export interface Waiting {
  resume: ((outcome: Exit.Exit<unknown, unknown>) => void) | undefined
}

/** A reference on its way: the actor's number in its system, and which system that is. Good as long as that is there. */
export interface At {
  readonly id: number
  readonly name: string
  readonly system: string
}

/** The systems of this thread, by what they are called on the way. */
export const homes = new Map<string, (at: At) => Address>()

/** Where messages for an actor go. */
export interface Address {
  /** The same, for who is elsewhere. */
  readonly at: At
  readonly name: string
  /** Unique within its system. */
  readonly id: number
  /** What the system is called that it belongs to. */
  readonly system: string
  /** Takes a message. `resume` gets the outcome, maybe before this returns. What is returned is what to `abandon`. */
  send(
    method: Method,
    payload: unknown,
    millis: number,
    tell: boolean,
    failWhenFull: boolean,
    resume: (outcome: Exit.Exit<unknown, unknown>) => void
  ): Waiting | undefined
  /** Nobody waits for the outcome any more. */
  abandon(waiting: Waiting): void
}

/** A handler's calls, which count once however often its message runs. */
export interface Hand {
  /** The system of the actor that calls, on this side; and what it is called. */
  readonly home: object
  readonly system: string
  /** Its message; 0 for none. */
  readonly seq: number
  /** The scope of its incarnation. */
  readonly scope: Scope | undefined
  send(
    to: Address,
    method: Method,
    payload: unknown,
    millis: number,
    tell: boolean,
    failWhenFull: boolean,
    resume: (outcome: Exit.Exit<unknown, unknown>) => void
  ): Waiting | undefined
  abandon(waiting: Waiting): void
  /** Runs a task before the next call, should there be one: the message then goes on. */
  beforeNext(task: () => void): void
  /** A fiber was forked that has it in hand, too, and may outlive the message. */
  share(): void
  /** The date that the handler sees, in milliseconds since 1970. */
  readonly date: number
  /** The numbers that the handler draws; `undefined` for those of its host. */
  readonly random: Random | undefined
  /** A wait of so many milliseconds, which `waiting` does. */
  sleep(millis: number, waiting: Effect.Effect<void>): Effect.Effect<void>
}

export const InHand = Context.Reference<Hand | undefined>("troupe/actors/InHand", { defaultValue: () => undefined })

/** A context that was looked at last and has nothing in hand: most asks of a program come from one and the same. */
let without: Context.Context<never> | undefined

/** What the running fiber has in hand. */
export const current = (): Hand | undefined => {
  const context = Fiber.getCurrent()?.context
  if (context === undefined || context === without) return undefined
  const hand = Context.get(context, InHand)
  if (hand === undefined) without = context
  return hand
}

/**
 * The system as each of its guardians sees it: its time, where it tells of what has happened, and what it does for handlers.
 */
import type * as Exit from "effect/Exit"
import type { LifecycleEvent } from "../LifecycleEvent.ts"
import type { Observer } from "../Observer.ts"
import type { Alarms } from "./Alarms.ts"
import type { Served } from "./Calls.ts"
import type { Ended } from "./Ended.ts"
import type { Guardian } from "./Guardian.ts"

export interface Surroundings {
  /** Milliseconds of the system's time. */
  readonly now: () => number
  /** Whether what is sent to hosts without a border is checked. */
  readonly checks: boolean
  readonly observer: Observer | undefined
  publish(event: LifecycleEvent): void
  readonly alarms: Alarms
  /** Some message expires at this time. */
  expect(expires: number): void
  /** How long an ask waits that does not say, in milliseconds. */
  readonly askMillis: number
  /** Answers what a handler of `asker` asks of the system. */
  serve(
    asker: Guardian,
    request: string,
    value: unknown,
    resume: (outcome: Exit.Exit<unknown, unknown>) => void
  ): Served | undefined
  /** What the system is called in references. */
  readonly system: string
  /** A reference to the actor leaves for elsewhere. */
  referred(guardian: Guardian): void
  /** The actor has ended and leaves its name. */
  ended(guardian: Guardian, ended: Ended): void
}

/**
 * Whoever watches a system closely: every message that is answered, and what befalls actors and hosts, each with its time.
 * For timelines and the like; where nobody watches, it costs a look at a field.
 */
import type { LifecycleEvent } from "./LifecycleEvent.ts"
import type { Placement } from "./Placement.ts"

/** A message that was answered. Times are milliseconds of the system's time. */
export interface Answered {
  readonly actor: string
  readonly placement: Placement
  /** Which host of its placement. */
  readonly host: number
  readonly method: string
  /** 1, 2, ... per actor. */
  readonly seq: number
  readonly sent: number
  /** When the actor was free for it, as far as its owner knows: from then on it was at work on it. */
  readonly began: number
  /** When its owner heard the answer. */
  readonly ended: number
}

/** What it does must be quick: the system waits for it. What it throws ends the program. */
export interface Observer {
  readonly answered: (message: Answered) => void
  readonly happened: (event: LifecycleEvent, at: number) => void
}

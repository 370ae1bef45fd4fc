/**
 * Schedules of activation: every period, all agents of some kinds have a turn at the same moment, one after another; Mesa's
 * `do`, `shuffle_do`, and `do` twice. Each share has its own. What agents do in their turn is seen by those after them, unless
 * the turn has two rounds: in the first each decides by what there is, in the second each does it.
 */
import type { AnyAgent } from "./Agent.ts"

export interface ScheduleOptions {
  /** The kinds, one after the other. */
  readonly activate: ReadonlyArray<AnyAgent>
  /** By birth, or in a new random order each time. Default `"in order"`. */
  readonly order?: "in order" | "shuffled"
  /** The period, above 0. Default 1. */
  readonly every?: number
  /** When the first one is. Default: one period from now. */
  readonly start?: number
  /** Among events of one time lower ones are first. Default 0. */
  readonly priority?: number
  /** The message whose handler is the turn. Default `"Step"`. */
  readonly message?: string
  /** The message of a second round, once all have had the first: simultaneous activation. Default: none. */
  readonly advance?: string
  /** Asked after each time; it ends with the first `false`. It may read parts and agents of its share. */
  readonly while?: () => boolean
}

/** What a schedule sends itself. */
export const activateMessage = "Activate"

/** How an actor's life ended, and what that means for those who come too late. */
import * as Exit from "effect/Exit"
import { Death } from "../Death.ts"
import { ActorStopped, type PoisonMessage, RestartLimitReached } from "../errors.ts"

export type Ended =
  | { readonly _tag: "Stopped" }
  | {
    readonly _tag: "Failed"
    readonly death: Death
    readonly restarts: number
    /** The message that killed it again and again. */
    readonly poison?: PoisonMessage
  }

export const stopped: Ended = { _tag: "Stopped" }

export type TooLate = Exit.Exit<never, ActorStopped | RestartLimitReached>

/** What a message gets that comes after the end. */
export const tooLate = (actor: string, ended: Ended): TooLate => {
  if (ended._tag === "Stopped") return Exit.fail(new ActorStopped({ actor }))
  const { death, poison, restarts } = ended
  const because = poison === undefined ? {} : { poison }
  return Exit.fail(new RestartLimitReached({ actor, restarts, death, ...because }))
}

/** What who has spawned it gets, where it ended before it had started. */
export const notStarted = (ended: Ended): Exit.Exit<never, Death> =>
  Exit.fail(ended._tag === "Failed" ? ended.death : stoppedEarly)

const stoppedEarly = new Death({ kind: "StartFailed", message: "stopped before it had started" })

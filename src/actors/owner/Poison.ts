/**
 * An actor's deaths since its last committed reply, and the message that was in hand at all of them: what always kills its actor
 * must not be tried for ever.
 */
import { Death } from "../Death.ts"
import { PoisonMessage } from "../errors.ts"
import type { Envelope } from "../hosts/Host.ts"

export class Poison {
  /** Those that were its own, and came while it was starting or had a message. */
  deaths = 0
  /** The message in hand at the last of them, and at how many in a row. */
  private suspect: PoisonMessage | undefined

  /** The message in hand at the last deaths, where there were several. */
  get message(): PoisonMessage | undefined {
    return this.suspect !== undefined && this.suspect.deaths > 1 ? this.suspect : undefined
  }

  /** The actor dies with `message` in hand. Answers the death, with that message's method where its host could not tell. */
  note(death: Death, message: Envelope | undefined, starting: boolean): Death {
    if (death.kind === "Killed" || death.kind === "Cancelled" || death.kind === "Moved") return death
    const method = message?.method.name
    if (message !== undefined) {
      const deaths = this.suspect?.seq === message.seq ? this.suspect.deaths + 1 : 1
      this.suspect = new PoisonMessage({ method: message.method.name, seq: message.seq, deaths })
    }
    if (method !== undefined || starting) this.deaths++
    return method === undefined || death.method !== undefined ? death : new Death({ ...death, method })
  }
}

/** The living actors of a program as the dashboard shows them: where they are, what they do, how they have come back. */
import type { ActorLine } from "../../actors/inspection/Snapshot.ts"
import { plainLine } from "../../text/plainLine.ts"
import type { Actor } from "./Message.ts"

/** So many of an actor's recoveries are shown. */
const mostRecoveries = 5

/** How long each actor's last restarts took. */
export class Recoveries {
  private readonly byActor = new Map<string, Array<number>>()

  add(actor: string, millis: number | null): void {
    if (millis === null || !Number.isFinite(millis)) return
    const known = this.byActor.get(actor) ?? []
    this.byActor.set(actor, known)
    known.push(Math.round(millis * 10) / 10)
    if (known.length > mostRecoveries) known.shift()
  }

  of(actor: string): ReadonlyArray<number> {
    return this.byActor.get(actor) ?? []
  }
}

export const actorsOf = (lines: ReadonlyArray<ActorLine>, recoveries?: Recoveries): ReadonlyArray<Actor> =>
  lines.map(({ host, message, name, placement, restarts, status, unanswered }) => ({
    name: plainLine(name, 120),
    place: placement === "fiber" ? "this thread" : `${plainLine(placement, 20)} ${host}`,
    status: plainLine(status, 20),
    mailbox: unanswered,
    message: message === null
      ? null
      : { method: plainLine(message.method, 60), millis: Math.round(message.millis) },
    restarts,
    recoveries: recoveries?.of(name) ?? []
  }))

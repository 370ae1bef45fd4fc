/**
 * One link held ready for whichever host loses its own next: starting a thread is what a restart takes longest for.
 *
 * The spare has run its entry and its layer, and hosts nobody. When it is taken, what it has said so far (that it is
 * ready) is said to its new owner, and the next spare is begun. One that dies unused is not replaced until the next is
 * wanted, so that a broken entry cannot start threads for ever.
 */
import * as Effect from "effect/Effect"
import type { HostLink, LinkEvents, OpenLink, Report } from "./HostLink.ts"

interface Waiting {
  readonly link: HostLink
  /** What it has said. */
  readonly said: Array<ReadonlyArray<Report>>
  owner: LinkEvents | undefined
  onExit: (() => void) | undefined
}

export class Spare {
  private readonly openFresh: OpenLink
  private waiting: Waiting | undefined
  private wanted = false

  constructor(open: OpenLink) {
    this.openFresh = open
  }

  /** Begins a spare, and from now on another whenever it is taken. */
  fill(): void {
    this.wanted = true
    if (this.waiting !== undefined) return
    const said: Array<ReadonlyArray<Report>> = []
    const link = this.openFresh({
      received: (batch) => {
        if (waiting.owner === undefined) said.push(batch)
        else waiting.owner.received(batch)
      },
      exited: (reason, error) => {
        waiting.onExit?.()
        if (waiting.owner === undefined) this.waiting = undefined
        else waiting.owner.exited(reason, error)
      }
    })
    const waiting: Waiting = { link, said, owner: undefined, onExit: undefined }
    this.waiting = waiting
  }

  /** Opens a link: the spare, where there is one. */
  readonly open: OpenLink = (events) => {
    const { waiting } = this
    this.waiting = undefined
    const link = waiting?.link ?? this.openFresh(events)
    // The new owner must hold the link before it hears of it; no event can come in between.
    queueMicrotask(() => {
      if (waiting !== undefined) {
        waiting.owner = events
        for (const batch of waiting.said) events.received(batch)
      }
      if (this.wanted) this.fill()
    })
    return link
  }

  get close(): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      this.wanted = false
      if (this.waiting === undefined) return resume(Effect.void)
      this.waiting.onExit = () => resume(Effect.void)
      this.waiting.link.terminate()
    })
  }
}

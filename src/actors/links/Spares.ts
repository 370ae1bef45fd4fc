/**
 * Links held ready for whichever host loses its own next: starting a thread is what a restart takes longest for.
 *
 * A spare has run its entry and its layer, and hosts nobody. When it is taken, what it has said so far (that it is
 * ready) is said to its new owner, and the next spare is begun. One that dies unused is not replaced until the next is
 * wanted, so that a broken entry cannot start threads for ever.
 */
import * as Effect from "effect/Effect"
import type { EventLoop } from "../EventLoop.ts"
import type { Command, HostLink, LinkEvents, OpenLink, Report } from "./HostLink.ts"

interface Waiting<Sent, Heard> {
  readonly link: HostLink<Sent>
  /** What it has said. */
  readonly said: Array<Heard>
  owner: LinkEvents<Heard> | undefined
}

export class Spares<Sent = ReadonlyArray<Command>, Heard = ReadonlyArray<Report>> {
  private readonly openFresh: OpenLink<Sent, Heard>
  private readonly count: number
  private readonly loop: EventLoop
  /** Those that wait, the longest first. */
  private readonly waiting: Array<Waiting<Sent, Heard>> = []
  private wanted = false
  private onEmpty: (() => void) | undefined

  constructor(open: OpenLink<Sent, Heard>, count: number, loop: EventLoop) {
    this.openFresh = open
    this.count = count
    this.loop = loop
  }

  /** Begins the spares, and from now on another whenever one is taken. */
  fill(): void {
    this.wanted = true
    while (this.waiting.length < this.count) this.begin()
  }

  /** Opens a link: a spare, where there is one. */
  readonly open: OpenLink<Sent, Heard> = (events) => {
    const spare = this.waiting.shift()
    const link = spare?.link ?? this.openFresh(events)
    // The new owner must hold the link before it hears of it; no event can come in between.
    this.loop.soon(() => {
      if (spare !== undefined) {
        spare.owner = events
        for (const batch of spare.said) events.received(batch)
      }
      if (this.wanted) this.fill()
    })
    return link
  }

  get close(): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      this.wanted = false
      if (this.waiting.length === 0) return resume(Effect.void)
      this.onEmpty = () => resume(Effect.void)
      for (const { link } of this.waiting) link.terminate()
    })
  }

  private begin(): void {
    const said: Array<Heard> = []
    const link = this.openFresh({
      received: (batch) => {
        if (spare.owner === undefined) said.push(batch)
        else spare.owner.received(batch)
      },
      exited: (reason, error, how) => {
        if (spare.owner !== undefined) return spare.owner.exited(reason, error, how)
        const index = this.waiting.indexOf(spare)
        if (index >= 0) this.waiting.splice(index, 1)
        if (this.waiting.length === 0) this.onEmpty?.()
      }
    })
    const spare: Waiting<Sent, Heard> = { link, said, owner: undefined }
    this.waiting.push(spare)
  }
}

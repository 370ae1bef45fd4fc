/**
 * A link on which things go wrong when told: replies that are dropped, spoilt, sent twice or held back until their
 * incarnation is dead, and silence for a while. It wraps the system's own way to open links (`wrapLink`).
 */
import * as Schema from "effect/Schema"
import type { LinkEvents, OpenLink, Report } from "../../../src/actors/links/HostLink.ts"

/**
 * - `drop`: the next reply does not arrive. - `twice`: it arrives two times. - `late`: it arrives only after its host is
 *   gone and the next one is up. - `corrupt`: it arrives as something that is no reply. - `misnumber`: it arrives as the
 *   reply to another message. - `stall`: nothing arrives for 50 ms.
 */
export const LinkFault = Schema.Literals(["drop", "twice", "late", "corrupt", "misnumber", "stall"])
export type LinkFault = typeof LinkFault.Type

export interface BrokenLink {
  readonly wrap: (open: OpenLink) => OpenLink
  /** The next reply, whoever sends it, meets with this. */
  next: LinkFault | undefined
  /** How many have. */
  struck: number
}

const silence = 50

export const make = (): BrokenLink => {
  /** What to say again, on the link that it was said on, once that is gone. */
  const late: Array<() => void> = []

  const wrap = (open: OpenLink): OpenLink => (events) => {
    let stalled: Array<() => void> | undefined
    /** In order, also through a stall: a link never lets one overtake another. */
    const inOrder = (say: () => void): void => {
      if (stalled === undefined) say()
      else stalled.push(say)
    }
    const received = (batch: ReadonlyArray<Report>): void =>
      inOrder(() => {
        if (batch.some(([kind]) => kind === "ready")) { for (const say of late.splice(0)) say() }
        if (self.next === undefined || !batch.some(([kind]) => kind === "replied")) return events.received(batch)
        const fault = self.next
        self.next = undefined
        self.struck++
        if (fault !== "stall") return events.received(strike(batch, fault, events))
        const waiting: Array<() => void> = [() => events.received(batch)]
        stalled = waiting
        setTimeout(() => {
          stalled = undefined
          for (const say of waiting) say()
        }, silence)
      })
    return open({ received, exited: (reason, error) => inOrder(() => events.exited(reason, error)) })
  }

  const strike = (batch: ReadonlyArray<Report>, fault: LinkFault, events: LinkEvents): ReadonlyArray<Report> => {
    const at = batch.findIndex(([kind]) => kind === "replied")
    const reply = batch[at]!
    if (fault === "late") late.push(() => events.received([reply]))
    const instead: ReadonlyArray<Report> = fault === "drop" || fault === "late"
      ? []
      : fault === "twice"
      ? [reply, reply]
      : fault === "misnumber" && reply[0] === "replied"
      ? [[reply[0], reply[1], reply[2], reply[3] + 1, reply[4], reply[5], reply[6]]]
      // Not a report, whatever its type says: that is the point.
      : [["spoilt", 1, 1] as unknown as Report]
    return [...batch.slice(0, at), ...instead, ...batch.slice(at + 1)]
  }

  const self: BrokenLink = { wrap, next: undefined, struck: 0 }
  return self
}

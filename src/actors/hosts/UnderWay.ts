/**
 * Whom an actor has sent something by way of the owner that may not have been handled yet: nothing may overtake it. Once a later
 * ask of the same one is answered, all before it was handled.
 */
import type { OutcomeKind } from "../links/HostLink.ts"

interface Sent {
  readonly seq: number
  readonly call: number
  readonly target: number
  readonly nth: number
}

/** So many targets are kept apart: who tells something to ever new ones must not grow by each. */
const mostApart = 1024

export class UnderWay {
  /** Of each target, the last that was sent and may be under way, where that is not `floor`; -1 for none. */
  private readonly last = new Map<number, number>()
  /** Asks that were not answered yet. */
  private readonly asks: Array<Sent> = []
  /**
   * To whomever is not among them, all up to this one may be under way: nothing (-1) for the first incarnation, and what earlier
   * ones may have sent (0) for others.
   */
  private floor: number
  private sent = 0

  constructor(incarnation: number) {
    this.floor = incarnation === 1 ? -1 : 0
  }

  /** Whether something may be under way to `target`. */
  has(target: number): boolean {
    return this.lastTo(target) >= 0
  }

  /** The `call`-th call of message `seq` goes by way of the owner. */
  add(seq: number, call: number, target: number, ask: boolean): void {
    if (this.last.size >= mostApart && !this.last.has(target)) {
      this.last.clear()
      this.floor = this.sent
    }
    const nth = ++this.sent
    this.last.set(target, nth)
    if (ask) this.asks.push({ seq, call, target, nth })
  }

  /** Nobody waits for it any more: it may be handled whenever that is. */
  forget(seq: number, call: number): Sent | undefined {
    const index = this.asks.findIndex((sent) => sent.call === call && sent.seq === seq)
    return index < 0 ? undefined : this.asks.splice(index, 1)[0]
  }

  answered(seq: number, call: number, kind: OutcomeKind): void {
    const sent = this.forget(seq, call)
    // What the system says is not the word of who was asked.
    if (sent === undefined || kind === "system" || kind === "taken") return
    if (this.lastTo(sent.target) > sent.nth) return
    if (this.floor < 0) this.last.delete(sent.target)
    else this.last.set(sent.target, -1)
  }

  private lastTo(target: number): number {
    return this.last.get(target) ?? this.floor
  }
}

/**
 * What an actor owes its senders: its unanswered messages, in order.
 *
 * A message is admitted while fewer than `capacity` are unanswered, and stays until its reply is committed; senders
 * beyond that wait outside, in order of arrival. The first `delivered` of the admitted messages are with the present
 * incarnation; a death only sets that mark back to nought, which is why nothing is lost by one.
 */
import type { Envelope } from "../hosts/Host.ts"
import { Mailbox } from "../Mailbox.ts"

export class Ledger {
  readonly capacity: number
  private readonly owed = new Mailbox<Envelope>()
  /** Hardly ever needed, and so made when it is. */
  private outside: Mailbox<Envelope> | undefined
  private delivered = 0
  private lastSeq = 0

  constructor(capacity: number) {
    this.capacity = capacity
  }

  nextSeq(): number {
    return ++this.lastSeq
  }

  /** How many messages are unanswered, those still waiting for room included. */
  get size(): number {
    return this.owed.size + this.waiting
  }

  get full(): boolean {
    return this.owed.size >= this.capacity || this.waiting > 0
  }

  /** How many messages wait for room. */
  private get waiting(): number {
    return this.outside === undefined ? 0 : this.outside.size
  }

  get oldest(): Envelope | undefined {
    return this.owed.at(0)
  }

  /** The message in hand of the present incarnation: that with the given number, or where that is unknown the oldest. */
  inHand(seq: number | undefined): Envelope | undefined {
    const oldest = this.delivered > 0 ? this.owed.at(0) : undefined
    return seq === undefined || seq === oldest?.seq ? oldest : undefined
  }

  /** Takes a message in; false when it has to wait outside. */
  enter(envelope: Envelope): boolean {
    if (this.full) {
      this.outside ??= new Mailbox()
      this.outside.push(envelope)
      return false
    }
    this.owed.push(envelope)
    return true
  }

  /** Takes in a message that the present incarnation has in hand already, given by its host while it had none. */
  takeIn(envelope: Envelope): void {
    this.owed.unshift(envelope)
    this.delivered++
  }

  /** The next message for the present incarnation, which is then held to have it. */
  deliver(): Envelope | undefined {
    const envelope = this.owed.at(this.delivered)
    if (envelope !== undefined) this.delivered++
    return envelope
  }

  /** Takes out the oldest message when `seq` is its number: replies come in order, and anything else is not ours. */
  settle(seq: number): Envelope | undefined {
    if (this.delivered === 0 || this.owed.at(0)?.seq !== seq) return undefined
    this.delivered--
    return this.owed.shift()
  }

  /** Lets the next waiting sender in, if there is one and room for it. */
  admit(): Envelope | undefined {
    if (this.waiting === 0 || this.owed.size >= this.capacity) return undefined
    const envelope = this.outside?.shift()
    if (envelope !== undefined) this.owed.push(envelope)
    return envelope
  }

  /** Takes out the message of this number, wherever it is; `undefined` where it is not there. */
  take(seq: number): Envelope | undefined {
    return this.takeFrom(this.owed, seq) ?? (this.outside && this.takeFrom(this.outside, seq))
  }

  private takeFrom(mailbox: Mailbox<Envelope>, seq: number): Envelope | undefined {
    const index = mailbox.leading((envelope) => envelope.seq < seq)
    const envelope = mailbox.at(index)
    if (envelope?.seq !== seq) return undefined
    mailbox.remove(index)
    if (mailbox === this.owed && index < this.delivered) this.delivered--
    return envelope
  }

  /** Whether the present incarnation has the message. */
  isDelivered({ seq }: Envelope): boolean {
    const last = this.delivered > 0 ? this.owed.at(this.delivered - 1) : undefined
    return last !== undefined && seq <= last.seq && this.owes(seq)
  }

  /** Whether the message of this number is unanswered. */
  owes(seq: number): boolean {
    const has = (mailbox: Mailbox<Envelope> | undefined) =>
      mailbox?.at(mailbox.leading((envelope) => envelope.seq < seq))?.seq === seq
    return has(this.owed) || has(this.outside)
  }

  /** Takes out those of the delivered messages that `take` accepts. */
  extract(take: (envelope: Envelope) => boolean): Array<Envelope> {
    const { delivered } = this
    const all = this.owed.toArray()
    const taken = all.filter((envelope, index) => index < delivered && take(envelope))
    if (taken.length > 0) {
      this.owed.reset(all.filter((envelope) => !taken.includes(envelope)))
      this.delivered -= taken.length
    }
    return taken
  }

  /** The present incarnation is gone: all that was delivered is to be delivered again. Returns how many that are. */
  rewind(): number {
    const { delivered } = this
    this.delivered = 0
    return delivered
  }

  /** All messages, oldest first; those outside last. */
  all(): Array<Envelope> {
    return [...this.owed.toArray(), ...(this.outside?.toArray() ?? [])]
  }

  /** Takes everything out. */
  drain(): Array<Envelope> {
    const everything = this.all()
    this.owed.reset([])
    this.outside = undefined
    this.delivered = 0
    return everything
  }
}

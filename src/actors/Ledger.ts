/**
 * What an actor owes its senders: its unanswered messages, in order.
 *
 * A message is admitted while fewer than `capacity` are unanswered, and stays until its reply is committed; senders
 * beyond that wait their turn outside. A death changes nothing here, which is why nothing is lost by one.
 */
import type { Envelope } from "./Host.ts"
import { Mailbox } from "./Mailbox.ts"

export class Ledger {
  readonly capacity: number
  private readonly owed = new Mailbox<Envelope>()
  private readonly outside = new Mailbox<Envelope>()
  private lastSeq = 0

  constructor(capacity: number) {
    this.capacity = capacity
  }

  nextSeq(): number {
    return ++this.lastSeq
  }

  /** How many messages are unanswered, those still waiting for room included. */
  get size(): number {
    return this.owed.size + this.outside.size
  }

  get full(): boolean {
    return this.owed.size >= this.capacity || this.outside.size > 0
  }

  get oldest(): Envelope | undefined {
    return this.owed.peek()
  }

  /** Takes a message in; false when it has to wait outside. */
  enter(envelope: Envelope): boolean {
    if (this.full) {
      this.outside.push(envelope)
      return false
    }
    this.owed.push(envelope)
    return true
  }

  /** Takes out the oldest message when `seq` is its number: replies come in order, and anything else is not ours. */
  settle(seq: number): Envelope | undefined {
    return this.owed.peek()?.seq === seq ? this.owed.shift() : undefined
  }

  /** Lets the next waiting sender in, if there is one and room for it. */
  admit(): Envelope | undefined {
    if (this.owed.size >= this.capacity) return undefined
    const envelope = this.outside.shift()
    if (envelope !== undefined) this.owed.push(envelope)
    return envelope
  }

  /** Takes back a message that still waits outside. */
  withdraw(envelope: Envelope): boolean {
    const before = this.outside.size
    this.outside.retain((other) => other !== envelope)
    return this.outside.size < before
  }

  /** Takes out the admitted messages that `take` accepts. */
  extract(take: (envelope: Envelope) => boolean): Array<Envelope> {
    const taken = [...this.owed].filter(take)
    if (taken.length > 0) this.owed.retain((envelope) => !taken.includes(envelope))
    return taken
  }

  /** The admitted messages, oldest first. */
  messages(): Iterable<Envelope> {
    return this.owed
  }

  /** All messages, oldest first; those outside last. */
  *all(): Generator<Envelope> {
    yield* this.owed
    yield* this.outside
  }

  /** Takes everything out. */
  drain(): Array<Envelope> {
    const everything = [...this.all()]
    this.owed.clear()
    this.outside.clear()
    return everything
  }
}

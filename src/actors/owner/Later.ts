/**
 * The messages of one actor that are handled, and whose answers another message will give: who waits for each, and which are
 * answered by the message in hand.
 *
 * An answer counts with the reply that it comes with. From when its message makes a call after it, it stands: what follows from
 * the answer cannot be taken back, and so the asker cannot give up any more.
 */
import type { Envelope } from "../hosts/Host.ts"
import type { LaterWord } from "../links/HostLink.ts"

export class Later {
  private readonly waiting = new Map<number, Envelope>()
  /** Those that the message in hand has answered before it made a call. */
  private readonly standing = new Set<number>()

  get words(): ReadonlyArray<LaterWord> {
    return Array.from(this.waiting.values(), ({ method, seq }) => [seq, method.name])
  }

  get envelopes(): Iterable<Envelope> {
    return this.waiting.values()
  }

  has(envelope: Envelope): boolean {
    return this.waiting.get(envelope.seq) === envelope
  }

  add(envelope: Envelope): void {
    this.waiting.set(envelope.seq, envelope)
  }

  /** The first of these for whose answer nobody waits. */
  late(answered: ReadonlyArray<number>): number | undefined {
    return answered.find((seq) => !this.waiting.has(seq))
  }

  stand(answered: ReadonlyArray<number>): void {
    for (const seq of answered) this.standing.add(seq)
  }

  /** The asker has given up; whether its actor is to be told. */
  forsake({ seq }: Envelope): boolean {
    return !this.standing.has(seq) && this.waiting.delete(seq)
  }

  take(seq: number): Envelope | undefined {
    const envelope = this.waiting.get(seq)
    this.waiting.delete(seq)
    return envelope
  }

  /** The message in hand is over: those whose askers have given up, and which it has not answered after all. */
  settle(): ReadonlyArray<number> {
    if (this.standing.size === 0) return none
    const left = [...this.standing].filter((seq) => {
      const envelope = this.waiting.get(seq)
      return envelope !== undefined && envelope.resume === undefined
    })
    this.standing.clear()
    for (const seq of left) this.waiting.delete(seq)
    return left
  }
}

const none: ReadonlyArray<never> = []

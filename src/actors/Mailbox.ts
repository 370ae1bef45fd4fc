/**
 * A first-in-first-out queue in a ring: no allocation per message once it has grown, and constant time at both ends.
 *
 * It serves twice: in a host as the messages an incarnation has yet to handle, and at the owner as the messages an actor
 * has yet to answer. It has no bound of its own; the owner counts, and suspends the sender (see `Ledger`).
 */
export class Mailbox<A> {
  private ring: Array<A | undefined> = new Array<A | undefined>(8)
  private head = 0
  private count = 0

  get size(): number {
    return this.count
  }

  push(value: A): void {
    const capacity = this.ring.length
    if (this.count === capacity) {
      const grown = new Array<A | undefined>(capacity * 2)
      for (let i = 0; i < capacity; i++) grown[i] = this.ring[(this.head + i) & (capacity - 1)]
      this.ring = grown
      this.head = 0
    }
    this.ring[(this.head + this.count) & (this.ring.length - 1)] = value
    this.count++
  }

  peek(): A | undefined {
    return this.count === 0 ? undefined : this.ring[this.head]
  }

  shift(): A | undefined {
    if (this.count === 0) return undefined
    const value = this.ring[this.head]
    this.ring[this.head] = undefined
    this.head = (this.head + 1) & (this.ring.length - 1)
    this.count--
    return value
  }

  /** Oldest first. The queue must not change during the walk. */
  *[Symbol.iterator](): Generator<A> {
    for (let i = 0; i < this.count; i++) {
      const value = this.ring[(this.head + i) & (this.ring.length - 1)]
      if (value !== undefined) yield value
    }
  }

  /** Keeps what `keep` accepts, in order. */
  retain(keep: (value: A) => boolean): void {
    const kept = [...this].filter(keep)
    this.clear()
    for (const value of kept) this.push(value)
  }

  clear(): void {
    this.ring = new Array<A | undefined>(8)
    this.head = 0
    this.count = 0
  }
}

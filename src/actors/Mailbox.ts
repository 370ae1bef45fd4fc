/**
 * A first-in-first-out queue in a ring: no allocation per message once it has grown, and constant time at both ends.
 *
 * It serves twice: in a host as the messages an incarnation has yet to handle, and at the owner as the messages an actor
 * has yet to answer. It has no bound of its own; the owner counts, and suspends the sender (see `Ledger`).
 */
/** The ring of all mailboxes to which nothing has come; nothing is ever put into it. */
const none: Array<undefined> = []

export class Mailbox<A extends object> {
  /** Its length is a power of two, so that a mask wraps an index; or 0 while nothing has come, since most wait empty. */
  private ring: Array<A | undefined> = none
  private head = 0
  private count = 0

  get size(): number {
    return this.count
  }

  push(value: A): void {
    if (this.count === this.ring.length) this.grow()
    this.ring[(this.head + this.count) & (this.ring.length - 1)] = value
    this.count++
  }

  /** Puts a value before all others. */
  unshift(value: A): void {
    if (this.count === this.ring.length) this.grow()
    this.head = (this.head - 1) & (this.ring.length - 1)
    this.ring[this.head] = value
    this.count++
  }

  /** The message at `index` from the front. */
  at(index: number): A | undefined {
    return index < this.count ? this.ring[(this.head + index) & (this.ring.length - 1)] : undefined
  }

  /** How many values from the front on are so; they must be those at the front and no others. */
  leading(are: (value: A) => boolean): number {
    let least = 0
    let most = this.count
    while (least < most) {
      const middle = (least + most) >> 1
      if (are(this.at(middle)!)) least = middle + 1
      else most = middle
    }
    return least
  }

  /** Takes out the value at `index`, which must be there. */
  remove(index: number): void {
    const mask = this.ring.length - 1
    // The shorter side moves up.
    if (index < this.count >> 1) {
      for (let i = index; i > 0; i--) this.ring[(this.head + i) & mask] = this.ring[(this.head + i - 1) & mask]
      this.shift()
      return
    }
    for (let i = index; i < this.count - 1; i++) {
      this.ring[(this.head + i) & mask] = this.ring[(this.head + i + 1) & mask]
    }
    this.ring[(this.head + --this.count) & mask] = undefined
  }

  shift(): A | undefined {
    if (this.count === 0) return undefined
    const value = this.ring[this.head]
    this.ring[this.head] = undefined
    this.head = (this.head + 1) & (this.ring.length - 1)
    this.count--
    return value
  }

  /** A copy, oldest first. */
  toArray(): Array<A> {
    const values: Array<A> = []
    for (let i = 0; i < this.count; i++) values.push(this.at(i)!)
    return values
  }

  /** Puts these in place of what was there. */
  reset(values: ReadonlyArray<A>): void {
    this.ring = []
    this.head = 0
    this.count = 0
    for (const value of values) this.push(value)
  }

  private grow(): void {
    const values = this.toArray()
    this.ring = Array.from({ length: Math.max(4, this.ring.length * 2) })
    this.head = 0
    for (let i = 0; i < values.length; i++) this.ring[i] = values[i]
  }
}

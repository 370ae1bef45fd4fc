/**
 * What is still to happen, in one total order: time, then priority (lower first), then the sender's number, then how many
 * events the sender had sent before. No two events are equal in it, so a world has one order of events, however many
 * hosts it is spread over.
 *
 * A heap of four children a node over times and slots; what else an event has lies in columns at its slot and never moves.
 */

/** The slot of no event. */
export const none = -1

const firstCapacity = 64

export class EventQueue {
  /** How many events wait. */
  size = 0

  /** The heap: times, and beside each the slot of its event. */
  #times = new Float64Array(firstCapacity)
  #slots = new Int32Array(firstCapacity)

  /** By slot: the columns of an event. Read them between `pop` and `release`. */
  time = new Float64Array(firstCapacity)
  priority = new Float64Array(firstCapacity)
  /** Number of the agent that sent it. */
  sender = new Float64Array(firstCapacity)
  /** How many events its sender had sent before. */
  count = new Float64Array(firstCapacity)
  /** Number of the agent it is for. */
  target = new Float64Array(firstCapacity)
  /** Where that agent is on this host. */
  place = new Int32Array(firstCapacity)
  kind = new Int32Array(firstCapacity)
  payload: Array<unknown> = Array.from({ length: firstCapacity }, () => undefined)

  #free = new Int32Array(firstCapacity)
  #freeSize = 0
  /** Slots from here on were never used. */
  #fresh = 0

  /** When the next event happens; `Infinity` when none waits. */
  get next(): number {
    return this.size === 0 ? Infinity : this.#times[0]!
  }

  /**
   * The numbers of the event that `enter` is to take: time, priority, sender, count, target. They go by here since numbers
   * that are handed to a function are put on the heap first.
   */
  readonly entry = new Float64Array(5)

  push(
    time: number,
    priority: number,
    sender: number,
    count: number,
    target: number,
    place: number,
    kind: number,
    payload: unknown
  ): number {
    const { entry } = this
    entry[0] = time
    entry[1] = priority
    entry[2] = sender
    entry[3] = count
    entry[4] = target
    return this.enter(place, kind, payload)
  }

  /** Takes the event whose numbers are in `entry`. Answers its slot. */
  enter(place: number, kind: number, payload: unknown): number {
    if (this.size === this.#times.length) this.#grow()
    const { entry } = this
    const slot = this.#freeSize > 0 ? this.#free[--this.#freeSize]! : this.#fresh++
    const time = entry[0]!
    this.time[slot] = time
    this.priority[slot] = entry[1]!
    this.sender[slot] = entry[2]!
    this.count[slot] = entry[3]!
    this.target[slot] = entry[4]!
    this.place[slot] = place
    this.kind[slot] = kind
    this.payload[slot] = payload
    const times = this.#times
    const slots = this.#slots
    let at = this.size++
    while (at > 0) {
      const parent = (at - 1) >> 2
      const other = times[parent]!
      if (other < time || (other === time && this.#isBefore(slots[parent]!, slot))) break
      times[at] = other
      slots[at] = slots[parent]!
      at = parent
    }
    times[at] = time
    slots[at] = slot
    return slot
  }

  /** Takes the next event out of the order and answers its slot, which stays readable until it is released. */
  pop(): number {
    if (this.size === 0) return none
    const times = this.#times
    const slots = this.#slots
    const first = slots[0]!
    const size = --this.size
    if (size === 0) return first
    const time = times[size]!
    const slot = slots[size]!
    let at = 0
    for (;;) {
      let child = 4 * at + 1
      if (child >= size) break
      const end = child + 4 < size ? child + 4 : size
      let least = times[child]!
      for (let other = child + 1; other < end; other++) {
        const t = times[other]!
        if (t < least || (t === least && this.#isBefore(slots[other]!, slots[child]!))) {
          child = other
          least = t
        }
      }
      if (time < least || (time === least && this.#isBefore(slot, slots[child]!))) break
      times[at] = least
      slots[at] = slots[child]!
      at = child
    }
    times[at] = time
    slots[at] = slot
    return first
  }

  /** The slot of the next event, which stays where it is; `none` when none waits. */
  get top(): number {
    return this.size === 0 ? none : this.#slots[0]!
  }

  /** Gives a popped event's slot to the next that is pushed. */
  release(slot: number): void {
    this.payload[slot] = undefined
    this.#free[this.#freeSize++] = slot
  }

  /** The slots of all that waits, in no order. */
  get waiting(): Int32Array {
    return this.#slots.subarray(0, this.size)
  }

  /** The slots of all that waits, in order. */
  inOrder(): Int32Array {
    return this.waiting.toSorted((a, b) => this.time[a]! - this.time[b]! || (this.#isBefore(a, b) ? -1 : 1))
  }

  /** Among events of one time. */
  #isBefore(a: number, b: number): boolean {
    const priority = this.priority[a]! - this.priority[b]!
    if (priority !== 0) return priority < 0
    const sender = this.sender[a]! - this.sender[b]!
    return sender === 0 ? this.count[a]! < this.count[b]! : sender < 0
  }

  #grow(): void {
    const capacity = 2 * this.#times.length
    const doubled = (column: Float64Array): Float64Array<ArrayBuffer> => {
      const grown = new Float64Array(capacity)
      grown.set(column)
      return grown
    }
    const doubledInt = (column: Int32Array): Int32Array<ArrayBuffer> => {
      const grown = new Int32Array(capacity)
      grown.set(column)
      return grown
    }
    this.#times = doubled(this.#times)
    this.#slots = doubledInt(this.#slots)
    this.time = doubled(this.time)
    this.priority = doubled(this.priority)
    this.sender = doubled(this.sender)
    this.count = doubled(this.count)
    this.target = doubled(this.target)
    this.place = doubledInt(this.place)
    this.kind = doubledInt(this.kind)
    this.#free = doubledInt(this.#free)
    while (this.payload.length < capacity) this.payload.push(undefined)
  }
}

/**
 * Processes that wait in line: by priority, lower first, and within one by arrival. Who gives up leaves from anywhere in
 * the line without a search.
 */
import * as Schema from "effect/Schema"
import type { Waiter } from "../Process.ts"

/** One that waits, and for what. */
export interface Waiting<T> {
  readonly waiter: Waiter
  readonly priority: number
  readonly what: T
}

interface Entry<T> extends Waiting<T> {
  left: boolean
}

/** A saved line. */
export const SavedLine = Schema.Array(Schema.Struct({
  waiter: Schema.Struct({ process: Schema.Number, turn: Schema.Number }),
  priority: Schema.Number,
  what: Schema.Unknown
}))

/** Entries before the head are dropped when there are so many. */
const slack = 32

export class WaitingLine<T> implements Iterable<Waiting<T>> {
  #entries: Array<Entry<T>> = []
  #head = 0
  /** By process: each waits for one thing at a time. */
  readonly #of = new Map<number, Entry<T>>()

  get length(): number {
    return this.#of.size
  }

  add(waiter: Waiter, priority: number, what: T): void {
    const entries = this.#entries
    const entry: Entry<T> = { waiter, priority, what, left: false }
    this.#of.set(waiter.process, entry)
    if (entries.length === this.#head || entries.at(-1)!.priority <= priority) {
      entries.push(entry)
      return
    }
    let low = this.#head
    let high = entries.length
    while (low < high) {
      const middle = (low + high) >>> 1
      if (entries[middle]!.priority <= priority) low = middle + 1
      else high = middle
    }
    entries.splice(low, 0, entry)
  }

  /** The first in line. */
  get first(): Waiting<T> | undefined {
    const entries = this.#entries
    while (this.#head < entries.length && entries[this.#head]!.left) this.#head++
    if (this.#head > slack && 2 * this.#head > entries.length) {
      this.#entries = entries.slice(this.#head)
      this.#head = 0
    }
    return this.#entries[this.#head]
  }

  /** Leaves the line. False where it did not wait. */
  remove(process: number): boolean {
    const entry = this.#of.get(process)
    if (entry === undefined) return false
    entry.left = true
    this.#of.delete(process)
    // Many that have left from the middle are not kept for long.
    if (this.#entries.length - this.#head > 2 * this.#of.size + slack) {
      this.#entries = this.#entries.filter(({ left }) => !left)
      this.#head = 0
    }
    return true
  }

  /** Those in line, in its order; who leaves meanwhile is not met again. */
  *[Symbol.iterator](): Iterator<Waiting<T>> {
    for (const entry of this.#entries.slice(this.#head)) if (!entry.left) yield entry
  }

  save(): typeof SavedLine.Type {
    return Array.from(this, ({ priority, waiter, what }) => ({ waiter, priority, what }))
  }

  /** `decode` makes of what was saved what is waited for; it throws where that is nothing of the kind. */
  load(saved: typeof SavedLine.Type, decode: (what: unknown) => T): void {
    this.#entries = []
    this.#head = 0
    this.#of.clear()
    for (const { priority, waiter, what } of saved) this.add(waiter, priority, decode(what))
  }
}

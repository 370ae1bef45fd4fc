/**
 * What was handed to waiting processes at this moment, of which they have not heard yet. A process that is interrupted or
 * dies at just that moment never will: it goes back to where it came from, so that nothing is lost.
 */
import * as Schema from "effect/Schema"
import type { Waiter } from "../Process.ts"

/** Saved ones. */
export const SavedHanded = Schema.Struct({
  at: Schema.Number,
  handed: Schema.Array(Schema.Struct({ process: Schema.Number, turn: Schema.Number, what: Schema.Unknown }))
})

export class Handed<T> {
  #at = 0
  #handed: Array<{ readonly process: number; readonly turn: number; readonly what: T }> = []

  add({ process, turn }: Waiter, what: T, now: number): void {
    if (this.#at !== now) this.#handed = []
    this.#at = now
    this.#handed.push({ process, turn, what })
  }

  /** What the process was handed in the wait that it gives up. */
  takeBack({ process, turn }: Waiter, now: number): T | undefined {
    if (this.#at !== now) return undefined
    const index = this.#handed.findIndex((handed) => handed.process === process && handed.turn === turn)
    return index < 0 ? undefined : this.#handed.splice(index, 1)[0]!.what
  }

  save(now: number): typeof SavedHanded.Type {
    return { at: this.#at, handed: this.#at === now ? this.#handed : [] }
  }

  load({ at, handed }: typeof SavedHanded.Type, decode: (what: unknown) => T): void {
    this.#at = at
    this.#handed = handed.map(({ process, turn, what }) => ({ process, turn, what: decode(what) }))
  }
}

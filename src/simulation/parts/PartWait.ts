/** A wait that a part answers, now or later. */
import { type pending, Wait, type Waiter } from "../Process.ts"

export class PartWait<A> extends Wait<A> {
  readonly description: string
  readonly #begin: (waiter: Waiter) => A | typeof pending
  readonly #abandon: (waiter: Waiter) => void

  constructor(
    description: string,
    begin: (waiter: Waiter) => A | typeof pending,
    abandon: (waiter: Waiter) => void
  ) {
    super()
    this.description = description
    this.#begin = begin
    this.#abandon = abandon
  }

  begin(waiter: Waiter): A | typeof pending {
    return this.#begin(waiter)
  }

  override abandon(waiter: Waiter): void {
    this.#abandon(waiter)
  }
}

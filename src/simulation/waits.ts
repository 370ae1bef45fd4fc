/** What processes wait for that is no part of the model: time, answers, and a life of their own anew. */
import type { PartHost } from "./Part.ts"
import { pending, Wait, type Waiter } from "./Process.ts"

export class Timeout extends Wait<void> {
  readonly #host: PartHost
  readonly #delay: number

  constructor(host: PartHost, delay: number) {
    super()
    this.#host = host
    this.#delay = delay
  }

  get description(): string {
    return `${this.#delay} units of time`
  }

  begin(): typeof pending {
    this.#host.expire(this.#delay, undefined)
    return pending
  }
}

export class Ask extends Wait<never> {
  readonly description: string
  readonly #send: (waiter: Waiter) => void

  constructor(description: string, send: (waiter: Waiter) => void) {
    super()
    this.description = description
    this.#send = send
  }

  begin(waiter: Waiter): typeof pending {
    this.#send(waiter)
    return pending
  }
}

export class ContinueAs extends Wait<never> {
  readonly description = "its next life"
  readonly args: ReadonlyArray<unknown>

  constructor(args: ReadonlyArray<unknown>) {
    super()
    this.args = args
  }

  /** The engine itself looks for it. */
  begin(): typeof pending {
    return pending
  }
}

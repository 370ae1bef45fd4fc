/** Something that processes wait for, SimPy's event: it succeeds once, with a value, until it is reset. */
import * as Schema from "effect/Schema"
import type { Part, PartHost } from "./Part.ts"
import { PartWait } from "./parts/PartWait.ts"
import { pending, type Wait, type Waiter } from "./Process.ts"

const Saved = Schema.Struct({
  triggered: Schema.Boolean,
  value: Schema.Unknown,
  waiters: Schema.Array(Schema.Struct({ process: Schema.Number, turn: Schema.Number }))
})

export class SimEvent<A> implements Part {
  readonly name: string
  readonly share: number
  readonly host: PartHost
  #triggered = false
  #value: unknown
  #waiters: Array<Waiter> = []

  constructor(host: PartHost, name: string, share: number) {
    this.host = host
    this.name = name
    this.share = share
    host.attach(name, this, share)
  }

  get triggered(): boolean {
    return this.host.note(() => this.#triggered)
  }

  succeed(value: A): void {
    const { host } = this
    if (host.replaying) return
    host.enter(this.name, this.share)
    if (this.#triggered) host.refuse(`let the event "${this.name}" succeed a second time: reset it first`)
    this.#triggered = true
    this.#value = host.copy(value, `the value of the event "${this.name}"`)
    const waiters = this.#waiters
    this.#waiters = []
    for (const waiter of waiters) host.wake(waiter, this.#value)
  }

  reset(): void {
    const { host } = this
    if (host.replaying) return
    host.enter(this.name, this.share)
    this.#triggered = false
    this.#value = undefined
  }

  save(): unknown {
    return { triggered: this.#triggered, value: this.#value, waiters: this.#waiters.map((waiter) => ({ ...waiter })) }
  }

  load(saved: unknown): void {
    const { triggered, value, waiters } = Schema.decodeUnknownSync(Saved)(saved)
    this.#triggered = triggered
    this.#value = value
    this.#waiters = [...waiters]
  }

  /** What a process yields to wait for it. */
  wait(): Wait<A> {
    return new PartWait(
      `the event "${this.name}"`,
      (waiter) => {
        this.host.enter(this.name, this.share)
        if (this.#triggered) return this.#value as A
        this.#waiters.push(waiter)
        return pending
      },
      (waiter) => {
        this.#waiters = this.#waiters.filter(({ process }) => process !== waiter.process)
      }
    )
  }
}

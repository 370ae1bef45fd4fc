/** A number of the model's own that is watched over time: its mean is one over time, not over observations. */
import * as Schema from "effect/Schema"
import type { Part, PartHost } from "../Part.ts"
import { SavedTimeAverage, TimeAverage } from "./TimeAverage.ts"

const decode = Schema.decodeUnknownSync(SavedTimeAverage)

export class Monitor implements Part {
  readonly name: string
  readonly share: number
  readonly #host: PartHost
  readonly #average: TimeAverage

  constructor(host: PartHost, name: string, first: number, share: number) {
    this.#host = host
    this.name = name
    this.share = share
    host.attach(name, this, share)
    if (!Number.isFinite(first)) host.refuse(`lets the monitor "${name}" begin with ${first}: give a finite number`)
    this.#average = new TimeAverage(first, host.now)
  }

  /** What it is now. */
  get value(): number {
    return this.#host.note(() => this.#average.value)
  }

  /** It is this from now on. */
  set(value: number): void {
    const host = this.#host
    if (host.replaying) return
    host.enter(this.name, this.share)
    if (!Number.isFinite(value)) host.refuse(`sets the monitor "${this.name}" to ${value}: give a finite number`)
    this.#average.set(value, host.now)
  }

  /** It is so much more from now on. */
  add(difference: number): void {
    if (!this.#host.replaying) this.set(this.#average.value + difference)
  }

  /** What was before counts no more: for the end of a warm-up. */
  reset(): void {
    if (!this.#host.replaying) this.#average.reset(this.#host.now)
  }

  averages(): Readonly<Record<string, TimeAverage>> {
    return { [this.name]: this.#average }
  }

  save(): unknown {
    return this.#average.save()
  }

  load(saved: unknown): void {
    this.#average.load(decode(saved))
  }
}

/**
 * A stuff of which there is an amount: fuel, water, money. SimPy's `Container`. Who waits is served in the order of coming,
 * so that a great demand is not overtaken by small ones for ever. Handlers and functions of the set-up, which cannot wait,
 * use `offer` and `take`.
 */
import * as Schema from "effect/Schema"
import type { Part, PartHost } from "../Part.ts"
import { pending, type Wait, type Waiter } from "../Process.ts"
import { Handed, SavedHanded } from "./Handed.ts"
import { PartWait } from "./PartWait.ts"
import { SavedTimeAverage, TimeAverage } from "./TimeAverage.ts"
import { SavedLine, WaitingLine } from "./WaitingLine.ts"

export interface ContainerOptions {
  /** How much has room. Default: any amount. */
  readonly capacity?: number
  /** How much is in it at first. Default 0. */
  readonly level?: number
}

export interface AmountOptions {
  /** Gives up after this time: the answer is `false`. */
  readonly within?: number
}

const Saved = Schema.Struct({ level: SavedTimeAverage, getting: SavedLine, putting: SavedLine, handed: SavedHanded })
const decodeAmount = Schema.decodeUnknownSync(Schema.Finite)

export class Container implements Part {
  readonly name: string
  readonly share: number
  readonly capacity: number
  readonly #host: PartHost
  readonly #level: TimeAverage
  readonly #getting = new WaitingLine<number>()
  readonly #putting = new WaitingLine<number>()
  readonly #handed = new Handed<number>()

  constructor(host: PartHost, name: string, { capacity = Infinity, level = 0 }: ContainerOptions, share: number) {
    this.#host = host
    this.name = name
    this.share = share
    this.capacity = capacity
    host.attach(name, this, share)
    if (!(capacity > 0)) host.refuse(`makes the container "${name}" for ${capacity}: give a number above 0`)
    if (!(level >= 0 && level <= capacity && level < Infinity)) {
      host.refuse(`makes the container "${name}" with ${level} in it: give a number from 0 to ${capacity}`)
    }
    this.#level = new TimeAverage(level, host.now)
  }

  /** How much is in it. */
  get level(): number {
    return this.#host.note(() => this.#level.value)
  }

  /** In a process: puts an amount in, once there is room for all of it. */
  put(amount: number, options: AmountOptions = {}): Wait<boolean> {
    return this.#wait(amount, options, `room in "${this.name}"`, this.#putting, () => this.#canPut(amount), amount)
  }

  /** In a process: takes an amount out, once there is as much. */
  get(amount: number, options: AmountOptions = {}): Wait<boolean> {
    return this.#wait(amount, options, `"${this.name}"`, this.#getting, () => this.#canGet(amount), -amount)
  }

  /** Puts an amount in now. False where there is no room. */
  offer(amount: number): boolean {
    this.#check(amount)
    return this.#host.note(() => this.#now(this.#canPut(amount), amount))
  }

  /** Takes an amount out now. False where there is less. */
  take(amount: number): boolean {
    this.#check(amount)
    return this.#host.note(() => this.#now(this.#canGet(amount), -amount))
  }

  #now(can: boolean, change: number): boolean {
    this.#host.enter(this.name, this.share)
    if (can) this.#change(change)
    return can
  }

  #canPut(amount: number): boolean {
    return this.#level.value + amount <= this.capacity
  }

  #canGet(amount: number): boolean {
    return this.#level.value >= amount
  }

  #check(amount: number): void {
    if (!(amount > 0 && amount < Infinity && amount <= this.capacity)) {
      this.#host.refuse(
        `moves ${amount} in or out of "${this.name}": give a finite number above 0, at most its capacity (${this.capacity})`
      )
    }
  }

  #wait(
    amount: number,
    { within }: AmountOptions,
    description: string,
    line: WaitingLine<number>,
    can: () => boolean,
    change: number
  ): Wait<boolean> {
    const host = this.#host
    this.#check(amount)
    if (within !== undefined && !(within >= 0)) {
      host.refuse(`waits for "${this.name}" within ${within}: give a time of at least 0`)
    }
    return new PartWait<boolean>(
      description,
      (waiter) => {
        host.enter(this.name, this.share)
        if (line.length === 0 && can()) {
          this.#change(change)
          return true
        }
        if (within === 0) return false
        line.add(waiter, 0, amount)
        if (within !== undefined && within < Infinity) host.expire(within, false)
        return pending
      },
      (waiter: Waiter) => {
        // Who gave up may have kept others waiting.
        if (line.remove(waiter.process)) return this.#serve()
        const handed = this.#handed.takeBack(waiter, host.now)
        if (handed !== undefined) this.#change(handed)
      }
    )
  }

  #change(by: number): void {
    this.#level.set(this.#level.value + by, this.#host.now)
    this.#serve()
  }

  #serve(): void {
    const host = this.#host
    for (let served = true; served;) {
      served = false
      for (let next = this.#getting.first; next !== undefined && this.#canGet(next.what); next = this.#getting.first) {
        this.#getting.remove(next.waiter.process)
        if (!host.wake(next.waiter, true)) continue
        this.#level.set(this.#level.value - next.what, host.now)
        this.#handed.add(next.waiter, next.what, host.now)
        served = true
      }
      for (let next = this.#putting.first; next !== undefined && this.#canPut(next.what); next = this.#putting.first) {
        this.#putting.remove(next.waiter.process)
        if (!host.wake(next.waiter, true)) continue
        this.#level.set(this.#level.value + next.what, host.now)
        served = true
      }
    }
  }

  averages(): Readonly<Record<string, TimeAverage>> {
    return { [`${this.name}.level`]: this.#level }
  }

  save(): unknown {
    return {
      level: this.#level.save(),
      getting: this.#getting.save(),
      putting: this.#putting.save(),
      handed: this.#handed.save(this.#host.now)
    }
  }

  load(saved: unknown): void {
    const { getting, handed, level, putting } = Schema.decodeUnknownSync(Saved)(saved)
    this.#level.load(level)
    this.#getting.load(getting, decodeAmount)
    this.#putting.load(putting, decodeAmount)
    this.#handed.load(handed, decodeAmount)
  }
}

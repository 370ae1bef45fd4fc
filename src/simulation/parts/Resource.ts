/**
 * Something of which there are so many, and which processes use for a while: clerks, machines, beds. SimPy's `Resource`,
 * `PriorityResource` and `PreemptiveResource` in one.
 *
 * ```ts
 * const counter = sim.resource("counter", 2)
 * const customer = sim.process(function* customer() {
 *   if (!(yield* counter.request({ within: 3 }))) return sim.count("reneged")
 *   yield* sim.timeout(sim.random.exponential(12))
 *   counter.release()
 * })
 * ```
 *
 * How many are in use and how many wait is watched over time: `counter.users` and `counter.queue` of the result's monitors.
 */
import * as Schema from "effect/Schema"
import type { Part, PartHost } from "../Part.ts"
import { Interrupted, pending, Wait, type Waiter } from "../Process.ts"
import { SavedTimeAverage, TimeAverage } from "./TimeAverage.ts"
import { SavedLine, WaitingLine } from "./WaitingLine.ts"

export interface RequestOptions {
  /** Lower ones are served first; within one, who came first. Default 0. */
  readonly priority?: number
  /** Where all are in use: takes one from the user of the highest priority number, if that is above this one's. */
  readonly preempt?: boolean
  /** Gives up after this time: the answer is `false`. Default: never. */
  readonly within?: number
}

/** Why a process was interrupted that was using what another took from it: its `Interrupted`'s reason. */
export const Preemption = Schema.Struct({
  /** The resource's name. */
  preempted: Schema.String,
  /** Who has it now. */
  by: Schema.Number,
  /** Since when it had been in use. */
  since: Schema.Number
})
export type Preemption = typeof Preemption.Type

/** What a process lost, if it was interrupted because another took it. */
export const preemptionOf = (thrown: unknown): Preemption | undefined =>
  thrown instanceof Interrupted && isPreemption(thrown.reason) ? thrown.reason : undefined

const isPreemption = Schema.is(Preemption)

interface User {
  readonly process: number
  /** The wait in which it was given it. */
  readonly turn: number
  readonly priority: number
  readonly since: number
}

const Saved = Schema.Struct({
  users: Schema.Array(
    Schema.Struct({ process: Schema.Number, turn: Schema.Number, priority: Schema.Number, since: Schema.Number })
  ),
  lost: Schema.Array(Schema.Number),
  line: SavedLine,
  inUse: SavedTimeAverage,
  inLine: SavedTimeAverage
})

const nothing = (): undefined => undefined

export class Resource implements Part {
  readonly name: string
  readonly share: number
  readonly capacity: number
  readonly #host: PartHost
  #users: Array<User> = []
  /** Who was preempted and has not released it since: that release is right, and does nothing. */
  #lost: Array<number> = []
  readonly #line = new WaitingLine<undefined>()
  readonly #inUse: TimeAverage
  readonly #inLine: TimeAverage

  constructor(host: PartHost, name: string, capacity: number, share: number) {
    this.#host = host
    this.name = name
    this.share = share
    this.capacity = capacity
    host.attach(name, this, share)
    if (!(capacity >= 1 && (Number.isInteger(capacity) || capacity === Infinity))) {
      host.refuse(`makes the resource "${name}" with ${capacity} of it: give an integer of at least 1`)
    }
    this.#inUse = new TimeAverage(0, host.now)
    this.#inLine = new TimeAverage(0, host.now)
  }

  /** How many are in use. */
  get users(): number {
    return this.#host.note(() => this.#users.length)
  }

  /** How many processes wait. */
  get queue(): number {
    return this.#host.note(() => this.#line.length)
  }

  /** In a process: waits for one. True when it has it, false where `within` was too short. */
  request({ preempt = false, priority = 0, within }: RequestOptions = {}): Wait<boolean> {
    const host = this.#host
    if (!Number.isFinite(priority)) {
      host.refuse(`requests "${this.name}" with priority ${priority}: give a finite number`)
    }
    if (within !== undefined && !(within >= 0)) {
      host.refuse(`requests "${this.name}" within ${within}: give a time of at least 0`)
    }
    return new Request(this, priority, preempt, within)
  }

  /** A process begins to wait for one. */
  begin(waiter: Waiter, priority: number, preempt: boolean, within: number | undefined): boolean | typeof pending {
    const host = this.#host
    host.enter(this.name, this.share)
    if (this.#users.length < this.capacity || (preempt && this.#preempt(waiter.process, priority))) {
      this.#give(waiter, priority)
      return true
    }
    if (within === 0) return false
    this.#line.add(waiter, priority, undefined)
    this.#inLine.set(this.#line.length, host.now)
    if (within !== undefined && within < Infinity) host.expire(within, false)
    return pending
  }

  /** The process whose turn it is gives back one that it uses. */
  release(): void {
    const host = this.#host
    if (host.replaying) return
    host.enter(this.name, this.share)
    const { self } = host
    if (this.#takeBack(self)) return
    const lost = this.#lost.indexOf(self)
    if (lost < 0) host.refuse(`released "${this.name}", of which it uses none`)
    this.#lost.splice(lost, 1)
    host.letGo(self, this)
  }

  /** A process that uses some of it has died. */
  surrender(process: number): void {
    this.#lost = this.#lost.filter((other) => other !== process)
    while (this.#takeBack(process)) { /* all of them */ }
  }

  #give({ process, turn }: Waiter, priority: number): void {
    const host = this.#host
    this.#users.push({ process, turn, priority, since: host.now })
    this.#inUse.set(this.#users.length, host.now)
    host.hold(process, this)
  }

  /** Takes the newest that a process uses, or the one that it was given in this wait, and serves the next in line. */
  #takeBack(process: number, turn?: number): boolean {
    const host = this.#host
    const users = this.#users
    let index = users.length - 1
    for (; index >= 0; index--) {
      const user = users[index]!
      if (user.process === process && (turn === undefined || user.turn === turn)) break
    }
    if (index < 0) return false
    // What `splice` does, without an array for what it takes out.
    for (let i = index + 1; i < users.length; i++) users[i - 1] = users[i]!
    users.pop()
    host.letGo(process, this)
    this.#serve()
    this.#inUse.set(users.length, host.now)
    return true
  }

  #serve(): void {
    const host = this.#host
    for (
      let next = this.#line.first;
      next !== undefined && this.#users.length < this.capacity;
      next = this.#line.first
    ) {
      this.#line.remove(next.waiter.process)
      this.#inLine.set(this.#line.length, host.now)
      if (host.wake(next.waiter, true)) this.#give(next.waiter, next.priority)
    }
  }

  /** Makes room for who is more important than a user. */
  #preempt(by: number, priority: number): boolean {
    const host = this.#host
    let victim = -1
    for (const [i, user] of this.#users.entries()) {
      if (user.process === by || user.priority <= priority) continue
      if (victim < 0 || user.priority >= this.#users[victim]!.priority) victim = i
    }
    if (victim < 0) return false
    const { process, since } = this.#users[victim]!
    this.#users.splice(victim, 1)
    host.letGo(process, this)
    this.#lost.push(process)
    host.hold(process, this)
    const reason: Preemption = { preempted: this.name, by, since }
    host.interrupt(process, reason)
    return true
  }

  /** Its wait is over otherwise: it leaves the line, or gives back what it was given and has not heard of. */
  abandon({ process, turn }: Waiter): void {
    if (this.#line.remove(process)) this.#inLine.set(this.#line.length, this.#host.now)
    else this.#takeBack(process, turn)
  }

  averages(): Readonly<Record<string, TimeAverage>> {
    return { [`${this.name}.users`]: this.#inUse, [`${this.name}.queue`]: this.#inLine }
  }

  save(): unknown {
    return {
      users: this.#users,
      lost: this.#lost,
      line: this.#line.save(),
      inUse: this.#inUse.save(),
      inLine: this.#inLine.save()
    }
  }

  load(saved: unknown): void {
    const { inLine, inUse, line, lost, users } = Schema.decodeUnknownSync(Saved)(saved)
    this.#users = [...users]
    this.#lost = [...lost]
    this.#line.load(line, nothing)
    this.#inUse.load(inUse)
    this.#inLine.load(inLine)
    for (const { process } of users) this.#host.hold(process, this)
    for (const process of lost) this.#host.hold(process, this)
  }
}

/** A process waits for one. A class of its own, since a function for each wait would cost more than the wait. */
class Request extends Wait<boolean> {
  readonly #resource: Resource
  readonly #priority: number
  readonly #preempt: boolean
  readonly #within: number | undefined

  constructor(resource: Resource, priority: number, preempt: boolean, within: number | undefined) {
    super()
    this.#resource = resource
    this.#priority = priority
    this.#preempt = preempt
    this.#within = within
  }

  get description(): string {
    return `"${this.#resource.name}"`
  }

  begin(waiter: Waiter): boolean | typeof pending {
    return this.#resource.begin(waiter, this.#priority, this.#preempt, this.#within)
  }

  override abandon(waiter: Waiter): void {
    this.#resource.abandon(waiter)
  }
}

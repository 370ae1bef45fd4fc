/**
 * Things that processes put down and take away: SimPy's `Store`, `PriorityStore` and `FilterStore` in one. Things are plain
 * data. Handlers and functions of the set-up, which cannot wait, use `offer` and `take`.
 */
import * as Schema from "effect/Schema"
import type { Part, PartHost } from "../Part.ts"
import { pending, type Wait, type Waiter } from "../Process.ts"
import { Handed, SavedHanded } from "./Handed.ts"
import { PartWait } from "./PartWait.ts"
import { SavedTimeAverage, TimeAverage } from "./TimeAverage.ts"
import { SavedLine, WaitingLine } from "./WaitingLine.ts"

export interface StoreOptions<T> {
  /** How many things have room. Default: any number. */
  readonly capacity?: number
  /** Things of lower numbers are taken first; within one, those that came first. Default: all alike. */
  readonly priority?: (item: T) => number
}

/** What is wanted of a thing: these of its fields, with these values. */
export type Where<T> = T extends object ? { readonly [K in keyof T]?: T[K] } : T

export interface GetOptions<T> {
  /** Only a thing that has these fields with these values, or is this value. */
  readonly where?: Where<T>
  /** Gives up after this time: the answer is `undefined`. */
  readonly within?: number
}

const Saved = Schema.Struct({
  items: Schema.Array(Schema.Struct({ item: Schema.Unknown, priority: Schema.Number })),
  getting: SavedLine,
  putting: SavedLine,
  handed: SavedHanded,
  level: SavedTimeAverage
})

const fits = (item: unknown, where: unknown): boolean => {
  if (where === undefined || Object.is(item, where)) return true
  if (typeof where !== "object" || where === null || typeof item !== "object" || item === null) return false
  return Object.entries(where).every(([key, value]) => Object.is(Reflect.get(item, key), value))
}

export class Store<T> implements Part {
  readonly name: string
  readonly share: number
  readonly capacity: number
  readonly #host: PartHost
  readonly #priority: ((item: T) => number) | undefined
  /** In the order in which they are taken. */
  #items: Array<{ readonly item: T; readonly priority: number }> = []
  readonly #getting = new WaitingLine<unknown>()
  readonly #putting = new WaitingLine<T>()
  readonly #handed = new Handed<{ readonly item: T }>()
  readonly #level: TimeAverage

  constructor(host: PartHost, name: string, { capacity = Infinity, priority }: StoreOptions<T>, share: number) {
    this.#host = host
    this.name = name
    this.share = share
    this.capacity = capacity
    this.#priority = priority
    host.attach(name, this, share)
    if (!(capacity >= 1)) host.refuse(`makes the store "${name}" for ${capacity} things: give a number of at least 1`)
    this.#level = new TimeAverage(0, host.now)
  }

  /** The things that lie there, in the order in which they are taken. */
  get items(): ReadonlyArray<T> {
    return this.#host.note(() => this.#items.map(({ item }) => item))
  }

  /** How many lie there. */
  get length(): number {
    return this.#host.note(() => this.#items.length)
  }

  /** In a process: puts a thing down, once there is room. False where `within` was too short for that. */
  put(item: T, { within }: { readonly within?: number } = {}): Wait<boolean> {
    const host = this.#host
    const own = host.copy(item, `what is put into "${this.name}"`)
    this.#checkWithin(within)
    return new PartWait<boolean>(
      `room in "${this.name}"`,
      (waiter) => {
        host.enter(this.name, this.share)
        if (this.#items.length < this.capacity) {
          this.#add(own)
          this.#serve()
          return true
        }
        if (within === 0) return false
        this.#putting.add(waiter, 0, own)
        if (within !== undefined && within < Infinity) host.expire(within, false)
        return pending
      },
      ({ process }) => void this.#putting.remove(process)
    )
  }

  /** In a process: takes a thing, once there is one that fits. `undefined` where `within` was too short for that. */
  get(options?: { readonly where?: Where<T> }): Wait<T>
  get(options: GetOptions<T>): Wait<T | undefined>
  get({ where, within }: GetOptions<T> = {}): Wait<T | undefined> {
    const host = this.#host
    const wanted = host.copy(where, `what is wanted of "${this.name}"`)
    this.#checkWithin(within)
    return new PartWait<T | undefined>(
      `something in "${this.name}"`,
      (waiter) => {
        host.enter(this.name, this.share)
        const index = this.#find(wanted)
        if (index >= 0) {
          const item = this.#remove(index)
          this.#serve()
          return item
        }
        if (within === 0) return undefined
        this.#getting.add(waiter, 0, wanted)
        if (within !== undefined && within < Infinity) host.expire(within, undefined)
        return pending
      },
      (waiter) => this.#abandonGet(waiter)
    )
  }

  /** Puts a thing down now. False where there is no room. */
  offer(item: T): boolean {
    const host = this.#host
    return host.note(() => {
      host.enter(this.name, this.share)
      if (this.#items.length >= this.capacity) return false
      this.#add(host.copy(item, `what is put into "${this.name}"`))
      this.#serve()
      return true
    })
  }

  /** Takes a thing now. `undefined` where there is none that fits. */
  take({ where }: { readonly where?: Where<T> } = {}): T | undefined {
    const host = this.#host
    return host.note(() => {
      host.enter(this.name, this.share)
      const index = this.#find(where)
      if (index < 0) return undefined
      const item = this.#remove(index)
      this.#serve()
      return item
    })
  }

  #checkWithin(within: number | undefined): void {
    if (within !== undefined && !(within >= 0)) {
      this.#host.refuse(`waits for "${this.name}" within ${within}: give a time of at least 0`)
    }
  }

  #find(where: unknown): number {
    return this.#items.findIndex(({ item }) => fits(item, where))
  }

  #add(item: T): void {
    const priority = this.#priority?.(item) ?? 0
    if (Number.isNaN(priority)) this.#host.refuse(`gave "${this.name}" something without a priority: give a number`)
    let index = this.#items.length
    while (index > 0 && this.#items[index - 1]!.priority > priority) index--
    if (index === this.#items.length) this.#items.push({ item, priority })
    else this.#items.splice(index, 0, { item, priority })
    this.#level.set(this.#items.length, this.#host.now)
  }

  #remove(index: number): T {
    const { item } = index === 0 ? this.#items.shift()! : this.#items.splice(index, 1)[0]!
    this.#level.set(this.#items.length, this.#host.now)
    return item
  }

  /** Serves those in line, in their order, until nobody can be served. */
  #serve(): void {
    const host = this.#host
    for (let served = true; served;) {
      served = false
      if (this.#items.length > 0 && this.#getting.length > 0) {
        for (const { waiter, what } of this.#getting) {
          const index = this.#find(what)
          if (index < 0) continue
          this.#getting.remove(waiter.process)
          const { item } = this.#items[index]!
          if (!host.wake(waiter, item)) continue
          this.#handed.add(waiter, { item: this.#remove(index) }, host.now)
          served = true
          if (this.#items.length === 0) break
        }
      }
      for (
        let next = this.#putting.first;
        next !== undefined && this.#items.length < this.capacity;
        next = this.#putting.first
      ) {
        this.#putting.remove(next.waiter.process)
        if (!host.wake(next.waiter, true)) continue
        this.#add(next.what)
        served = true
      }
    }
  }

  /** Its wait is over otherwise: it leaves the line, or what it was handed and has not heard of goes back. */
  #abandonGet(waiter: Waiter): void {
    if (this.#getting.remove(waiter.process)) return
    const handed = this.#handed.takeBack(waiter, this.#host.now)
    if (handed === undefined) return
    this.#add(handed.item)
    this.#serve()
  }

  averages(): Readonly<Record<string, TimeAverage>> {
    return { [`${this.name}.length`]: this.#level }
  }

  save(): unknown {
    return {
      items: this.#items,
      getting: this.#getting.save(),
      putting: this.#putting.save(),
      handed: this.#handed.save(this.#host.now),
      level: this.#level.save()
    }
  }

  load(saved: unknown): void {
    const { getting, handed, items, level, putting } = Schema.decodeUnknownSync(Saved)(saved)
    // What lies there is what the model's own processes put down: its type is theirs.
    this.#items = items.map(({ item, priority }) => ({ item: item as T, priority }))
    this.#getting.load(getting, (what) => what)
    this.#putting.load(putting, (what) => what as T)
    this.#handed.load(handed, (what) => what as { readonly item: T })
    this.#level.load(level)
  }
}

/**
 * Many actors over fibers, threads and processes at once, who talk while what they live in is killed: a ring that passes tokens
 * on, and a bank whose transfers are made from within handlers.
 */
import * as Effect from "effect/Effect"
import { ActorSystem } from "../../../src/actors/ActorSystem.ts"
import type { Placement } from "../../../src/actors/Placement.ts"
import * as Supervision from "../../../src/actors/Supervision.ts"
import { Clerk, ClerkBehavior, Link, LinkBehavior, Purse, PurseBehavior } from "../fixtures/crowd.ts"

const entry = new URL("../fixtures/crowd.host.ts", import.meta.url)

export interface Crowd {
  readonly threads: number
  readonly processes: number
}

const layer = ({ processes, threads }: Crowd) =>
  ActorSystem.layer({
    fiber: [LinkBehavior, PurseBehavior, ClerkBehavior],
    thread: { entry, hosts: threads, spares: 1 },
    process: { entry, hosts: processes, spares: 1 },
    askDeadline: "10 minutes"
  })

const supervision = Supervision.oneForOne({
  maxRestarts: Number.POSITIVE_INFINITY,
  maxConsecutive: Number.POSITIVE_INFINITY
})

/** Where the `index`-th of them lives: neighbors in different places. */
const place = ({ processes, threads }: Crowd, index: number): { placement: Placement; host: number } => {
  const at = index % (1 + threads + processes)
  if (at === 0) return { placement: "fiber", host: 0 }
  return at <= threads ? { placement: "thread", host: at - 1 } : { placement: "process", host: at - 1 - threads }
}

const all = { concurrency: 64 } as const

/** A pseudo-random number below `n`: the next of a sequence of its own, by Knuth's constants. */
const draws = (seed: number) => {
  let state = seed >>> 0
  return (n: number): number => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
    return Math.floor(state / 2 ** 32 * n)
  }
}

export interface RingOptions extends Crowd {
  readonly actors: number
  readonly kills: number
  /** Tokens that are under way at a time. */
  readonly tokens: number
  readonly seed: number
}

/** Each token goes round once. What was wrong, and how many tokens and kills there were. */
export const ring = ({ actors, kills, seed, tokens, ...crowd }: RingOptions) =>
  Effect.gen(function*() {
    const draw = draws(seed)
    const system = yield* ActorSystem
    const name = (index: number) => `link/${index % actors}`
    const links = yield* Effect.forEach(
      Array.from({ length: actors }, (_, index) => index),
      (index) =>
        system.spawn(Link, {
          name: name(index),
          config: { next: name(index + 1) },
          supervision,
          ...place(crowd, index)
        }),
      all
    )
    let killed = 0
    let sent = 0
    /** A lap of some tokens, each from somewhere else; over when each has come to its end. */
    const lap = Effect.gen(function*() {
      const ends: Array<readonly [link: number, token: number]> = []
      for (let k = 0; k < tokens; k++) {
        const from = Math.floor(k * actors / tokens)
        const token = sent++
        ends.push([(from + actors - 1) % actors, token])
        yield* links[from]!.tell.Pass({ token, left: actors - 1 })
      }
      for (const [link, token] of ends) {
        while (!(yield* links[link]!.Seen()).includes(token)) yield* Effect.sleep(20)
      }
    })
    const killing = Effect.gen(function*() {
      while (killed < kills) {
        yield* Effect.sleep(20 + draw(100))
        yield* system.kill(links[draw(actors)]!)
        killed++
      }
    })
    const laps = Effect.gen(function*() {
      for (let over = false; !over; over = killed >= kills) yield* lap
    })
    yield* Effect.all([laps, killing], { concurrency: "unbounded" })
    const wrong: Array<string> = []
    yield* Effect.forEach(links, (link) =>
      Effect.map(link.Seen(), (seen) => {
        if (seen.length !== sent || new Set(seen).size !== sent) {
          wrong.push(`${link.name} has seen ${seen.length} tokens, ${new Set(seen).size} of them different, of ${sent}`)
        }
      }), all)
    return { wrong, tokens: sent, kills: killed }
  }).pipe(Effect.scoped, Effect.provide(layer(crowd)))

export interface BankOptions extends Crowd {
  readonly purses: number
  readonly clerks: number
  readonly transfers: number
  readonly kills: number
  readonly seed: number
}

/** Clerks move money between purses that begin with none. What was wrong, and how many kills there were. */
export const bank = ({ clerks, kills, purses, seed, transfers, ...crowd }: BankOptions) =>
  Effect.gen(function*() {
    const draw = draws(seed)
    const system = yield* ActorSystem
    const numbers = (length: number) => Array.from({ length }, (_, index) => index)
    const all_ = yield* Effect.forEach(
      numbers(purses),
      (index) => system.spawn(Purse, { name: `purse/${index}`, supervision, ...place(crowd, index) }),
      all
    )
    const tellers = yield* Effect.forEach(
      numbers(clerks),
      (index) => system.spawn(Clerk, { name: `clerk/${index}`, supervision, ...place(crowd, index) }),
      all
    )
    const expected = new Int32Array(purses)
    const moves = new Int32Array(purses)
    let begun = 0
    let killed = 0
    const work = (clerk: typeof tellers[0]) =>
      Effect.gen(function*() {
        while (begun < transfers) {
          if (begun++ * kills >= killed * transfers && killed < kills) {
            killed++
            yield* system.kill([...all_, ...tellers][draw(purses + clerks)]!)
          }
          const [from, to, n] = [draw(purses), draw(purses), 1 + draw(100)]
          expected[from]! -= n
          expected[to]! += n
          moves[from]!++
          moves[to]!++
          yield* clerk.Move({ from: all_[from]!, to: all_[to]!, n })
        }
      })
    yield* Effect.forEach(tellers, work, { concurrency: "unbounded" })
    const wrong: Array<string> = []
    let total = 0
    yield* Effect.forEach(numbers(purses), (index) =>
      Effect.map(all_[index]!.Read(), (read) => {
        total += read.sum
        if (read.sum !== expected[index] || read.moves !== moves[index]) {
          wrong.push(
            `purse ${index} holds ${read.sum} after ${read.moves}, not ${expected[index]} after ${moves[index]}`
          )
        }
      }), all)
    if (total !== 0) wrong.push(`they hold ${total} together`)
    return { wrong, transfers: begun, kills: killed }
  }).pipe(Effect.scoped, Effect.provide(layer(crowd)))

/**
 * Three actors that count on two hosts, fifty asks with defects among them, every strategy, small mailboxes; at the end one
 * is stopped and its name taken again.
 *
 * Each answer holds a number that no other run of the message would draw, and the next must build on it: so an answer that
 * was not committed, or a state that was and should not have been, is told from a right one.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Actor from "../../../src/actors/Actor.ts"
import { Rpc } from "../../../src/actors/Actor.ts"
import { ActorSystem } from "../../../src/actors/ActorSystem.ts"
import * as Supervision from "../../../src/actors/Supervision.ts"
import { Simulation } from "../../../src/testing/Simulation.ts"
import { one } from "../one.ts"

export class Tally extends Actor.make("Tally", {
  config: Schema.Struct({ start: Schema.Int }),
  state: Schema.Struct({ total: Schema.Int, seen: Schema.Int, nonce: Schema.Int }),
  protocol: [
    Rpc.make("Add", {
      payload: { n: Schema.Int, how: Schema.Literals(["at once", "yield", "sleep", "die"]), until: Schema.Int },
      success: Schema.Struct({ sum: Schema.Int, nonce: Schema.Int, prev: Schema.Int })
    }),
    Rpc.make("Read", { success: Schema.Struct({ total: Schema.Int, seen: Schema.Int }) })
  ]
}) {}

/** Drawn anew by each run of a handler, on purpose: what two runs answer is never the same. */
let drawn = 0

export const TallyBehavior = Tally.behavior(({ config, incarnation, restored }) =>
  Effect.sync(() => {
    let { nonce, seen, total } = Option.getOrElse(restored, () => ({ total: config.start, seen: 0, nonce: 0 }))
    return {
      handlers: {
        Add: ({ how, n, until }) =>
          Effect.gen(function*() {
            seen++
            const sum = total += n
            if (how === "yield") yield* Effect.yieldNow
            if (how === "sleep") yield* Effect.sleep(3)
            if (how === "die" && incarnation <= until) return yield* Effect.die(new RangeError("mishap"))
            const prev = nonce
            nonce = ++drawn
            return { sum, nonce, prev }
          }),
        Read: () => Effect.sync(() => ({ total, seen }))
      },
      snapshot: () => ({ total, seen, nonce })
    }
  })
)

const actors = 3
const messages = 50

/** Asks one actor, and holds what it answers against what it must. */
const client = (ref: Effect.Success<ReturnType<typeof spawn>>, index: number) =>
  Effect.gen(function*() {
    const { choose } = yield* Simulation
    const asked: Array<{
      readonly answer: Fiber.Fiber<{ readonly sum: number; readonly nonce: number; readonly prev: number }, unknown>
      readonly expected: number
    }> = []
    let sum = 0
    const count = Math.ceil((messages - index) / actors)
    for (let message = 0; message < count; message++) {
      const n = index * 1000 + message + 1
      const how = one(["at once", "at once", "at once", "at once", "yield", "sleep", "die"] as const, choose, "how")
      const until = how === "die" ? 1 + choose(2, "how often") : 0
      sum += n
      asked.push({
        answer: yield* Effect.forkChild(ref.Add({ n, how, until }), { startImmediately: true }),
        expected: sum
      })
      if (choose(4, "rest") === 3) yield* Effect.sleep(choose(10, "how long"))
    }
    let last = 0
    for (const { answer, expected } of asked) {
      const { nonce, prev, sum } = yield* Fiber.join(answer)
      if (prev !== last) {
        return yield* Effect.fail(`${ref.name}: an answer builds on ${prev}, the one before it was ${last}`)
      }
      last = nonce
      if (sum !== expected) return yield* Effect.fail(`${ref.name} answers ${sum} instead of ${expected}`)
    }
    const { seen, total } = yield* ref.Read()
    if (total !== sum || seen !== count) {
      return yield* Effect.fail(`${ref.name} holds ${total} of ${seen} messages instead of ${sum} of ${count}`)
    }
  })

const spawn = (index: number, supervision: Supervision.Supervision, mailbox: number) =>
  ActorSystem.spawn(Tally, { name: `t/${index}`, config: { start: 0 }, supervision, mailbox, host: index % 2 })

export const tallies = Effect.gen(function*() {
  drawn = 0
  const { choose, group } = yield* Simulation
  const system = yield* ActorSystem
  const strategy = one(["one-for-one", "one-for-one", "one-for-all", "rest-for-one"] as const, choose, "strategy")
  const make = {
    "one-for-one": Supervision.oneForOne,
    "one-for-all": Supervision.oneForAll,
    "rest-for-one": Supervision.restForOne
  }[strategy]
  const supervision = make({ maxRestarts: Number.POSITIVE_INFINITY, maxConsecutive: 50 })
  const indices = Array.from({ length: actors }, (_, index) => index)
  const mailbox = one([1024, 3, 1], choose, "mailbox")
  const refs = yield* Effect.forEach(indices, (index) => spawn(index, supervision, mailbox))
  if (strategy !== "one-for-one") group({ strategy, names: refs.map(({ name }) => name) })
  const clients = yield* Effect.forEach(refs, (ref, index) => Effect.forkChild(client(ref, index)))
  yield* Effect.forEach(clients, (fiber) => Fiber.join(fiber))
  // A name is free only when nobody of that name is at work.
  yield* Effect.forkChild(refs[0]!.tell.Add({ n: 1, how: "sleep", until: 0 }), { startImmediately: true })
  const stopping = yield* Effect.forkChild(system.stop("t/0"), { startImmediately: true })
  if (choose(2, "spawn later") === 1) yield* Effect.sleep(choose(4, "how long"))
  yield* Effect.exit(spawn(0, Supervision.oneForOne(), 1024))
  const stopped = yield* Fiber.await(stopping)
  if (Exit.isFailure(stopped)) return yield* Effect.fail("the stop failed")
}).pipe(
  Effect.scoped,
  Effect.provide(Simulation.layer([TallyBehavior], { hosts: 2, heartbeat: "900 millis", startDeadline: "2 seconds" }))
)

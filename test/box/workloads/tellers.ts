/**
 * Actors that talk: tellers move money between accounts, by asks one after another, two at once, the first of two, tells, and by
 * way of each other; they wait for what is answered later, or give it up; they have children for a message and for life, and fail
 * with some of them; all of them die at any step, and are killed.
 *
 * Each account keeps a list of what it was sent, and each teller names what it sends: so what was done twice, or not at all, is seen,
 * and so is an answer that one run was told and another was not.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schema from "effect/Schema"
import type { Scope } from "effect/Scope"
import * as Actor from "../../../src/actors/Actor.ts"
import { Rpc } from "../../../src/actors/Actor.ts"
import { ActorSystem } from "../../../src/actors/ActorSystem.ts"
import type { SpawnFailure } from "../../../src/actors/errors.ts"
import * as Supervision from "../../../src/actors/Supervision.ts"
import type { Token } from "../../../src/actors/Token.ts"
import { Simulation } from "../../../src/testing/Simulation.ts"
import { one } from "../one.ts"

const How = Schema.Literals(["at once", "yield", "sleep", "die"])

class Account extends Actor.make("Account", {
  state: Schema.Struct({
    sum: Schema.Int,
    sent: Schema.Array(Schema.String),
    waiting: Schema.Array(Actor.Token)
  }),
  protocol: [
    // Its answer is another in each run, so that an outcome that was not committed is told from one that was.
    Rpc.make("Add", { payload: { n: Schema.Int, id: Schema.String, how: How }, success: Schema.Int }),
    // Answered by the next that is added.
    Rpc.make("Await", { payload: { id: Schema.String }, success: Schema.Int }),
    Rpc.make("Check", { payload: { id: Schema.String, draw: Schema.Int } }),
    Rpc.make("Read", { success: Schema.Struct({ sum: Schema.Int, sent: Schema.Array(Schema.String) }) })
  ]
}) {}

let drawn = 0

const AccountBehavior = Account.behavior(({ answer, incarnation, restored }) =>
  Effect.sync(() => {
    const waiting: Array<Token> = Option.match(restored, { onNone: () => [], onSome: (state) => [...state.waiting] })
    let sum = Option.match(restored, { onNone: () => 0, onSome: (state) => state.sum })
    const sent: Array<string> = Option.match(restored, { onNone: () => [], onSome: (state) => [...state.sent] })
    return {
      handlers: {
        Add: ({ how, id, n }) =>
          Effect.gen(function*() {
            sum += n
            sent.push(id)
            for (const token of waiting.splice(0)) answer(token, Exit.succeed(++drawn))
            if (how === "yield") yield* Effect.yieldNow
            if (how === "sleep") yield* Effect.sleep(3)
            if (how === "die" && incarnation < 3) return yield* Effect.die(new RangeError("mishap"))
            return ++drawn
          }),
        Await: (_, token) => (waiting.push(token), Actor.later),
        Check: ({ draw, id }) => Effect.sync(() => void sent.push(`${id} was told ${draw}`)),
        Read: () => Effect.sync(() => ({ sum, sent }))
      },
      snapshot: () => ({ sum, sent, waiting })
    }
  })
)

const Way = Schema.Literals([
  "in turn",
  "at once",
  "twice",
  "race",
  "tell",
  "later",
  "impatient",
  "child",
  "guest",
  "pact",
  "kept",
  "by another"
])
const ways = Way.literals

class Teller extends Actor.make("Teller", {
  state: Schema.Struct({ done: Schema.Int }),
  protocol: [
    Rpc.make("Move", {
      payload: {
        id: Schema.String,
        from: Schema.String,
        to: Schema.String,
        n: Schema.Int,
        way: Way,
        how: How,
        dies: Schema.Int
      },
      success: Schema.Int
    })
  ]
}) {}

/** Who outlived a child that it was to fail with. */
const survived: Array<string> = []
const dying = "while dying"

/** In which incarnation of its parent a child was spawned first that this one is to fail with. */
const sworn = new Map<string, number>()

const TellerBehavior = Teller.behavior<never, ActorSystem, Scope>(({ incarnation, name, restored }) =>
  Effect.gen(function*() {
    const system = yield* ActorSystem
    let done = Option.match(restored, { onNone: () => 0, onSome: (state) => state.done })
    return {
      handlers: {
        Move: ({ dies, from, how, id, n, to, way }) =>
          Effect.gen(function*() {
            let step = 0
            // At some step of the first incarnations.
            const mayDie = Effect.suspend(() =>
              ++step === dies && incarnation < 4 ? Effect.die(new RangeError("mishap")) : Effect.void
            )
            const a = yield* system.lookup(Account, from)
            const b = yield* system.lookup(Account, to)
            const take = a.Add({ n: -n, id: `${id} take`, how })
            const give = b.Add({ n, id: `${id} give`, how })
            yield* mayDie
            // What it was told, in the order in which it was told, must be the same in each run.
            const told: Array<number> = []
            const noted = <E>(ask: Effect.Effect<number, E>, weight = 1) =>
              Effect.map(ask, (draw) => void told.push(draw * weight))
            // The fibers may come in another order when the message runs again.
            const mixed = <E>(ask: Effect.Effect<void, E>) => Effect.andThen(Effect.yieldNow, ask)
            const both = { concurrency: "unbounded", discard: true } as const
            switch (way) {
              case "in turn":
                yield* noted(take)
                yield* mayDie
                yield* noted(give)
                break
              case "at once":
                yield* Effect.all([mixed(noted(take)), mixed(noted(give, 3))], both)
                break
              case "twice":
                // The same method of the same actor, told apart by what is asked.
                yield* Effect.all([mixed(noted(take)), mixed(noted(a.Add({ n: 0, id: `${id} extra`, how }), 3))], both)
                yield* noted(give)
                break
              case "later":
                yield* Effect.all([noted(a.Await({ id })), noted(take, 3)], both)
                yield* mayDie
                yield* noted(give)
                break
              case "impatient":
                yield* Effect.race(noted(a.Await({ id })), Effect.sleep(yield* Random.nextIntBetween(0, 4)))
                yield* noted(take)
                yield* mayDie
                yield* noted(give)
                break
              case "race":
                // Who loses is not taken back: both were asked.
                yield* Effect.race(
                  noted(take),
                  Effect.andThen(Effect.sleep(yield* Random.nextIntBetween(0, 3)), noted(give))
                )
                yield* a.tell.Check({ id: `${id} at`, draw: Math.round(yield* Clock.currentTimeMillis) % 1000 })
                break
              case "tell":
                yield* a.tell.Add({ n: -n, id: `${id} take`, how })
                yield* mayDie
                // What is asked comes after what was told.
                yield* Effect.all(
                  [b.tell.Add({ n, id: `${id} give`, how }), b.Check({ id: `${id} told`, draw: 0 })],
                  both
                )
                break
              case "child": {
                const child = yield* system.spawn(Account, { name: `${name}/${id}`, supervision: eager })
                yield* noted(child.Add({ n, id, how }))
                yield* mayDie
                const { sent, sum } = yield* child.Read()
                if (sum !== n || sent.length !== 1) {
                  return yield* Effect.die(new Error(`the child holds ${sum}: ${sent}`))
                }
                yield* noted(take)
                yield* noted(give)
                break
              }
              case "pact": {
                const key = `${name}/${id}/ward`
                const supervision = Supervision.never
                if (!sworn.has(key)) sworn.set(key, incarnation)
                const ward = yield* Effect.option(
                  system.spawn(Account, { name: key, supervision, onFailure: "fail me" })
                )
                if (Option.isSome(ward)) {
                  const told = yield* Effect.exit(ward.value.Add({ n, id, how: "die" }))
                  // A death that was a neighbor's doing does not count: then it may have come through.
                  if (Exit.isFailure(told) && sworn.get(key) === incarnation) survived.push(key)
                }
                yield* noted(take)
                yield* noted(give)
                break
              }
              case "kept": {
                // One that may end at any time, and not by its own doing.
                const kept = yield* Effect.option(system.lookup(Account, "keeper/kept"))
                for (let ask = 0; ask < 8 && Option.isSome(kept); ask++) {
                  const exit = yield* Effect.exit(kept.value.Add({ n, id: `${id} ${ask}`, how }))
                  told.push(Exit.isSuccess(exit) ? exit.value : -1)
                }
                yield* noted(take)
                yield* noted(give)
                break
              }
              case "guest":
                yield* Effect.scoped(Effect.gen(function*() {
                  const guest = yield* system.spawn(Account, { name: `${name}/guest`, supervision: eager })
                  yield* noted(guest.Add({ n, id, how }))
                  yield* mayDie
                }))
                yield* noted(take)
                yield* noted(give)
                break
              case "by another": {
                const other = yield* system.spawnOrGet(Teller, { name: `${name}/other`, supervision: eager })
                told.push(yield* other.Move({ id, from, to, n, way: "in turn", how, dies }))
                break
              }
            }
            yield* mayDie
            yield* a.Check({ id, draw: told.reduce((sum, draw) => (sum * 31 + draw) % 1_000_003, 7) })
            yield* mayDie
            return ++done
          }).pipe(
            // Has no effect on others: it is ended from outside.
            Effect.onInterrupt(() =>
              Effect.ignore(Effect.flatMap(system.lookup(Account, from), (a) => a.tell.Add({ n: 0, id: dying, how })))
            ),
            Effect.orDie
          )
      },
      snapshot: () => ({ done })
    }
  })
)

class Keeper extends Actor.make("Keeper", {
  protocol: [Rpc.make("Fall", { payload: { before: Schema.Int }, success: Schema.Int })]
}) {}

/** Its account ends with each of its incarnations. */
const KeeperBehavior = Keeper.behavior<SpawnFailure, ActorSystem | Scope>(({ incarnation, name }) =>
  Effect.gen(function*() {
    const system = yield* ActorSystem
    yield* system.spawn(Account, { name: `${name}/kept`, supervision: eager })
    return {
      handlers: {
        Fall: ({ before }) => incarnation <= before ? Effect.die(new RangeError("mishap")) : Effect.succeed(incarnation)
      }
    }
  })
)

const eager = Supervision.oneForOne({ maxRestarts: Number.POSITIVE_INFINITY, maxConsecutive: 60 })

export const tellers = Effect.gen(function*() {
  drawn = 0
  sworn.clear()
  survived.length = 0
  const { choose, group, violated } = yield* Simulation
  const system = yield* ActorSystem
  const place = (index: number) =>
    choose(4, "placement") === 3 ? { placement: "fiber" as const } : { placement: "thread" as const, host: index % 2 }
  const keeper = yield* system.spawn(Keeper, { name: "keeper", supervision: eager, ...place(0) })
  const falling = yield* Effect.forkChild(Effect.gen(function*() {
    for (let fall = choose(20, "falls"), before = 0; fall > 0; fall--) {
      yield* Effect.sleep(choose(20, "until it falls") / 10)
      before = yield* keeper.Fall({ before })
    }
  }))
  const together = choose(3, "together") === 2 ? Supervision.oneForAll({ maxRestarts: 1e9, maxConsecutive: 60 }) : eager
  const accounts = yield* Effect.forEach([0, 1, 2], (index) =>
    system.spawn(Account, {
      name: `account/${index}`,
      supervision: eager,
      mailbox: one([1024, 1], choose, "mailbox"),
      ...place(index)
    }))
  const tellers = yield* Effect.forEach(
    [0, 1],
    (index) => system.spawn(Teller, { name: `teller/${index}`, supervision: together, ...place(index) })
  )
  if (together !== eager) group({ strategy: "one-for-all", names: tellers.map(({ name }) => name) })
  const expected = new Map(accounts.map(({ name }) => [name, { sum: 0, sent: new Array<string>() }]))
  let raced = false
  const clients = yield* Effect.forEach(tellers, (teller, client) =>
    Effect.forkChild(Effect.gen(function*() {
      for (let message = 0; message < 6; message++) {
        const from = choose(3, "from")
        const to = (from + 1 + choose(2, "to")) % 3
        const n = 1 + choose(9, "n")
        const id = `${client}.${message}`
        const way = one(ways, choose, "way")
        const how = one(["at once", "at once", "yield", "sleep", "die"] as const, choose, "how")
        const dies = choose(6, "dies")
        const [a, b] = [`account/${from}`, `account/${to}`]
        const done = yield* teller.Move({ id, from: a, to: b, n, way, how, dies })
        if (way === "race") raced = true
        if (done !== message + 1) violated(`${teller.name} has done ${done} after ${message + 1}`)
        const [one_, other] = [expected.get(a)!, expected.get(b)!]
        one_.sum -= n
        other.sum += n
        one_.sent.push(`${id} take`)
        other.sent.push(`${id} give`)
        if (choose(8, "kill") === 7) {
          const victim = one([...accounts, ...tellers], choose, "whom")
          yield* Effect.ignore(system.kill(victim))
        }
      }
    })))
  yield* Effect.forEach([...clients, falling], (fiber) => Fiber.join(fiber))
  // What was told, or lost a race, may still be under way.
  yield* Effect.sleep(2000)
  let total = 0
  for (const account of accounts) {
    const { sent, sum } = yield* account.Read()
    total += sum
    const { sent: must, sum: should } = expected.get(account.name)!
    if (sent.includes(dying)) violated(`${account.name} was sent what was said while dying`)
    const twice = sent.filter((id, index) => sent.indexOf(id) !== index)
    if (twice.length > 0) violated(`${account.name} was sent twice: ${twice.join(", ")}`)
    const early = sent.filter((id, index) =>
      id.endsWith(" told was told 0") && sent.indexOf(id.replace(" told was told 0", " give")) > index
    )
    if (early.length > 0) violated(`${account.name} was asked before it was sent what it was told: ${early.join(", ")}`)
    const missing = raced ? [] : must.filter((id) => !sent.includes(id))
    if (missing.length > 0) violated(`${account.name} was never sent ${missing.join(", ")}`)
    if (!raced && sum !== should) violated(`${account.name} holds ${sum} instead of ${should}`)
  }
  if (!raced && total !== 0) violated(`the accounts hold ${total} together`)
  for (const key of survived) violated(`${key} has failed, and its parent has not`)
  const later = (yield* system.actors).filter((actor) => actor.later > 0).map((actor) => actor.name)
  if (later.length > 0) violated(`${later.join(", ")} still owe an answer that nobody waits for`)
  const guests = (yield* system.actors).filter(({ name }) => name.endsWith("/guest"))
  if (guests.length > 0) violated(`${guests.map(({ name }) => name).join(", ")} outlived their message`)
}).pipe(
  Effect.scoped,
  Effect.provide(
    Simulation.layer([AccountBehavior, TellerBehavior, KeeperBehavior], {
      hosts: 2,
      fibers: true,
      heartbeat: "900 millis",
      startDeadline: "2 seconds",
      askDeadline: "10 minutes"
    })
  )
)

/** What handlers ask and tell of other actors counts once, whoever dies; who would wait for itself is told so at once. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Cause, Effect, Exit, Fiber, FileSystem, Schedule, type Scope } from "effect"
import { readFileSync, writeFileSync } from "node:fs"
import { ActorSystem } from "../../src/actors/ActorSystem.ts"
import { RestartLimitReached } from "../../src/actors/errors.ts"
import * as Supervision from "../../src/actors/Supervision.ts"
import {
  Account,
  AccountBehavior,
  Broker,
  BrokerBehavior,
  CuriousBehavior,
  Parent,
  ParentBehavior,
  Ring,
  RingBehavior,
  Teller,
  TellerBehavior
} from "./fixtures/teller.ts"
import { until } from "./until.ts"

const layer = ActorSystem.layerFiber([
  AccountBehavior,
  TellerBehavior,
  RingBehavior,
  ParentBehavior,
  CuriousBehavior,
  BrokerBehavior
])

const entry = new URL("./fixtures/teller.host.ts", import.meta.url)

const borders = {
  thread: ActorSystem.layerThread({ entry, hosts: 2, spares: 1 }),
  process: ActorSystem.layerProcess({ entry, hosts: 2, spares: 1 })
}

const supervision = Supervision.oneForOne({ maxRestarts: 1000 })

/** Two accounts and a teller of one host, who asks them without its owner. */
const neighbors = Effect.gen(function*() {
  const system = yield* ActorSystem
  const host = { supervision, host: 0 }
  for (const name of ["a", "b"]) yield* system.spawn(Account, { name, config: { start: 0 }, ...host })
  return { system, teller: yield* system.spawn(Teller, { name: "teller", ...host }) }
})

const bank = Effect.gen(function*() {
  const system = yield* ActorSystem
  const accounts = yield* Effect.forEach(
    ["a", "b", "c"] as const,
    (name) => system.spawn(Account, { name, config: { start: 0 }, supervision })
  )
  const teller = yield* system.spawn(Teller, { name: "teller", supervision })
  const [a, b, c] = accounts as [typeof accounts[0], typeof accounts[0], typeof accounts[0]]
  return { a, b, c, system, teller }
})

const run = <A, E>(program: Effect.Effect<A, E, ActorSystem | Scope.Scope>) =>
  program.pipe(Effect.scoped, Effect.provide(layer))

describe("talking, fiber", () => {
  for (const how of ["ask", "tell"] as const) {
    for (const dieAt of [0, 1, 2]) {
      it.live(`counts once what a handler ${how}s, though it dies three times at step ${dieAt}`, () =>
        run(Effect.gen(function*() {
          const { a, b, teller } = yield* bank
          const sum = yield* teller.Move({ n: 10, dieAt, until: 3, how })
          assert.strictEqual(sum, how === "ask" ? 0 : 10)
          assert.deepStrictEqual(yield* a.Read(), { sum: -10, seen: 1 })
          assert.deepStrictEqual(yield* b.Read(), { sum: 10, seen: 1 })
        })))
    }
  }

  for (const [first, second] of [[2, 60], [60, 2]] as const) {
    it.live(`tells a message that runs again its answers in their old order (${first}, ${second} ms)`, () =>
      run(Effect.gen(function*() {
        const { a, b, c, teller } = yield* bank
        const log = yield* teller.Both({ a: first, b: second, until: 4 })
        assert.strictEqual(log, first < second ? "a1 a2 b1 b2" : "b1 b2 a1 a2")
        assert.deepStrictEqual(yield* a.Read(), { sum: first < second ? 2 : 4, seen: 2 })
        assert.deepStrictEqual(yield* b.Read(), { sum: first < second ? 4 : 2, seen: 2 })
        assert.deepStrictEqual(yield* c.Read(), { sum: first < second ? 1 : 100, seen: 1 })
      })))

    it.live(`runs a race again to the same winner (${first}, ${second} ms)`, () =>
      run(Effect.gen(function*() {
        const { a, b, c, teller } = yield* bank
        const won = first < second ? 1 : 1000
        assert.strictEqual(yield* teller.Race({ a: first, b: second, until: 4 }), won)
        assert.deepStrictEqual(yield* c.Read(), { sum: won, seen: 1 })
        // Who lost was asked once, too.
        assert.deepStrictEqual(yield* a.Read(), { sum: 1, seen: 1 })
        assert.deepStrictEqual(yield* b.Read(), { sum: 1000, seen: 1 })
      })))
  }

  it.live("shows a message that runs again the same date and the same chance", () =>
    run(Effect.gen(function*() {
      const { a, teller } = yield* bank
      const [began, date, random, later] = yield* teller.Chance({ until: 4 })
      assert.strictEqual(date! - began!, 3)
      assert.isAtLeast(later! - began!, 5)
      assert.deepStrictEqual(yield* a.Read(), { sum: 3 + random! + Math.round(later!) % 1000, seen: 3 })
      // Another message, another chance.
      assert.notStrictEqual((yield* teller.Chance({ until: 0 }))[2], random)
    })))

  it.live("counts once what is asked of one who dies, too", () =>
    run(Effect.gen(function*() {
      const { a, b, system, teller } = yield* bank
      const asked = yield* Effect.forkChild(teller.Both({ a: 30, b: 250, until: 3 }))
      for (const name of ["a", "teller", "b", "a", "teller"]) {
        yield* Effect.sleep(7)
        yield* system.kill(name)
      }
      assert.strictEqual(yield* Fiber.join(asked), "a1 a2 b1 b2")
      assert.deepStrictEqual(yield* a.Read(), { sum: 2, seen: 2 })
      assert.deepStrictEqual(yield* b.Read(), { sum: 4, seen: 2 })
    })))

  for (
    const [method, words] of [
      ["Diverge", [/calls a\.Add with \{"n":\d+\}/, /had called a\.Add with \{"n":1\}/]],
      ["Forget", [/about to be answered/, /had called system\.lookup with/]],
      ["Turn", [/about to be answered/, /had called a\.Add with/]],
      ["Idle", [/about to be answered/, /had called a\.Add with/]]
    ] as const
  ) {
    it.live(`says of a message that does otherwise when it runs again what it did (${method})`, () =>
      run(Effect.gen(function*() {
        const { a, system } = yield* bank
        const supervision = Supervision.oneForOne({ maxRestarts: 1000, maxConsecutive: 3 })
        const teller = yield* system.spawn(Teller, { name: "diverging", supervision })
        const exit = yield* Effect.exit(teller[method]())
        assert.isTrue(Exit.isFailure(exit))
        const error = Exit.isFailure(exit) ? Cause.squash(exit.cause) : undefined
        assert.instanceOf(error, RestartLimitReached)
        assert.strictEqual(error.death.kind, "Diverged")
        assert.strictEqual(error.poison?.method, method)
        for (const word of words) assert.match(error.death.message, word)
        assert.strictEqual((yield* a.Read()).seen, 1)
      })))
  }

  it.live("asks anew what need not count once", () =>
    run(Effect.gen(function*() {
      const { a, teller } = yield* bank
      yield* teller.Anew()
      assert.strictEqual((yield* a.Read()).seen, 3)
    })))

  it.live("fails an ask that would wait for itself at once, with the chain", () =>
    run(Effect.gen(function*() {
      const system = yield* ActorSystem
      const next: Record<string, string> = { a: "b", b: "c", c: "a", self: "self" }
      const rings = yield* Effect.forEach(Object.keys(next), (name) =>
        system.spawn(Ring, { name, config: { next: next[name]!, millis: 0 } }))
      assert.strictEqual(yield* rings[3]!.Ping({ left: 5 }), "self.Ping self.Ping")
      assert.strictEqual(yield* rings[0]!.Ping({ left: 5 }), "a.Ping b.Ping c.Ping a.Ping")
      // What comes round and stops before it closes, is no circle.
      assert.strictEqual(yield* rings[0]!.Ping({ left: 2 }), "end")
    })))

  it.live("shows who waits for whom", () =>
    run(Effect.gen(function*() {
      const { system, teller } = yield* bank
      const asked = yield* Effect.forkChild(teller.Both({ a: 50, b: 50, until: 0 }), { startImmediately: true })
      const asks = (yield* system.actors).find(({ name }) => name === "teller")?.asks
      assert.isAbove(asks?.length ?? 0, 0)
      for (const { actor } of asks ?? []) assert.include(["a", "b"], actor)
      yield* Fiber.join(asked)
      assert.deepStrictEqual((yield* system.actors).flatMap((actor) => actor.asks), [])
    })))

  it.live("leaves out with a message what it had asked, where supervision resumes", () =>
    run(Effect.gen(function*() {
      const { a, b, system } = yield* bank
      const resuming = Supervision.oneForOne({ maxRestarts: 0, decide: () => "resume" })
      const teller = yield* system.spawn(Teller, { name: "resuming", supervision: resuming })
      const failure = yield* Effect.flip(teller.Move({ n: 10, dieAt: 1, until: 99, how: "ask" }))
      assert.strictEqual(failure._tag, "ActorDied")
      // What it had asked before it died has happened, once; the next message asks anew.
      assert.strictEqual((yield* a.Read()).seen, 1)
      yield* teller.Move({ n: 10, dieAt: 1, until: 0, how: "ask" })
      assert.deepStrictEqual([(yield* a.Read()).seen, (yield* b.Read()).seen], [2, 1])
    })))

  it.live("finds a circle through messages that wait in a queue", () =>
    run(Effect.gen(function*() {
      const system = yield* ActorSystem
      const a = yield* system.spawn(Ring, { name: "a", config: { next: "b", millis: 5 } })
      const b = yield* system.spawn(Ring, { name: "b", config: { next: "a", millis: 10 } })
      // Each has the other's message behind its own.
      const both = yield* Effect.all([a.Ping({ left: 9 }), b.Ping({ left: 9 })], { concurrency: "unbounded" })
      assert.include(both.join(", "), "a.Ping b.Ping a.Ping")
    })), 2000)

  it.live(
    "finds a circle through one who is between two incarnations, and will wait again for what it has asked",
    () =>
      run(Effect.gen(function*() {
        const system = yield* ActorSystem
        const slowly = Supervision.oneForOne({ maxRestarts: 9, backoff: Schedule.spaced(200) })
        const a = yield* system.spawn(Ring, { name: "a", config: { next: "b", millis: 0 }, supervision: slowly })
        yield* system.spawn(Ring, { name: "b", config: { next: "a", millis: 60 } })
        const asked = yield* Effect.forkChild(a.Ping({ left: 9 }), { startImmediately: true })
        yield* until(system.actors, (actors) => actors.some(({ asks }) => asks.length > 0))
        yield* system.kill(a)
        assert.strictEqual(yield* Fiber.join(asked), "a.Ping b.Ping a.Ping")
      })),
    5000
  )

  it.live("finds a child whose start asks who waits for that", () =>
    run(Effect.gen(function*() {
      const system = yield* ActorSystem
      const parent = yield* system.spawn(Parent, { name: "parent", config: { kid: false } })
      assert.strictEqual(yield* parent.Bear({ name: "curious" }), "parent.Bear the start of curious parent.Get")
    })), 2000)

  it.live("finds full mailboxes that wait for each other", () =>
    run(Effect.gen(function*() {
      const system = yield* ActorSystem
      const a = yield* system.spawn(Ring, { name: "a", config: { next: "b", millis: 5 }, mailbox: 1 })
      const b = yield* system.spawn(Ring, { name: "b", config: { next: "a", millis: 5 }, mailbox: 1 })
      yield* Effect.all([a.Tell({ left: 1 }), b.Tell({ left: 1 })], { concurrency: "unbounded" })
    })), 2000)

  it.live("gives a message that runs again the child that it has, which lives on with its parent", () =>
    run(Effect.gen(function*() {
      const system = yield* ActorSystem
      yield* children(system)
    })))

  it.live("takes references in messages, replies, configurations and states", () =>
    run(Effect.gen(function*() {
      yield* references(yield* ActorSystem)
    })))
})

describe("talking, across borders", () => {
  for (const [placement, layer] of Object.entries(borders)) {
    it.live(
      `counts once whoever dies, tells of circles, and has children (${placement})`,
      () =>
        Effect.gen(function*() {
          const { a, b, c, system, teller } = yield* bank
          assert.strictEqual(yield* teller.Move({ n: 10, dieAt: 2, until: 2, how: "ask" }), 0)
          assert.strictEqual(yield* teller.Move({ n: 5, dieAt: 1, until: 3, how: "tell" }), 15)
          assert.deepStrictEqual(yield* a.Read(), { sum: -15, seen: 2 })
          assert.deepStrictEqual(yield* b.Read(), { sum: 15, seen: 2 })
          // Both branches, through kills of all.
          const asked = yield* Effect.forkChild(teller.Both({ a: 200, b: 400, until: 4 }))
          for (const name of ["a", "teller", "b"]) {
            yield* Effect.sleep(60)
            yield* system.kill(name)
          }
          const log = yield* Fiber.join(asked)
          assert.deepStrictEqual(log.split(" ").toSorted(), ["a1", "a2", "b1", "b2"])
          assert.strictEqual((yield* a.Read()).seen, 4)
          assert.strictEqual((yield* b.Read()).seen, 4)
          assert.deepStrictEqual(yield* c.Read(), { sum: log === "a1 a2 b1 b2" ? 1 : 100, seen: 1 })
          const next: Record<string, string> = { x: "y", y: "z", z: "x" }
          const rings = yield* Effect.forEach(
            Object.keys(next),
            (name) => system.spawn(Ring, { name, config: { next: next[name]!, millis: 0 } })
          )
          assert.strictEqual(yield* rings[0]!.Ping({ left: 5 }), "x.Ping y.Ping z.Ping x.Ping")
          yield* children(system)
          yield* references(system)
        }).pipe(Effect.scoped, Effect.provide(layer)),
      60_000
    )

    it.live(
      `takes the answers of a neighbor for no others, where a message asks otherwise when it runs again (${placement})`,
      () =>
        Effect.gen(function*() {
          const { system, teller } = yield* neighbors
          const asked = yield* Effect.forkChild(teller.Otherwise(), { startImmediately: true })
          yield* until(system.actors, (actors) => actors.some(({ message }) => message?.method === "Slowly"))
          yield* system.kill(teller)
          assert.strictEqual(yield* Fiber.join(asked), 2)
          // Nothing was amiss with its host.
          assert.strictEqual((yield* system.actors).find(({ name }) => name === "teller")?.incarnation, 2)
        }).pipe(Effect.scoped, Effect.provide(layer)),
      60_000
    )

    it.live(
      `tells waits apart where a neighbor has answered before one had begun (${placement})`,
      () =>
        Effect.gen(function*() {
          const { teller } = yield* neighbors
          assert.strictEqual(yield* teller.Patience({ until: 2 }, { deadline: "10 seconds" }), 3)
        }).pipe(Effect.scoped, Effect.provide(layer)),
      60_000
    )

    it.live(
      `has nobody do twice what may be done once, where a neighbor asks for it (${placement})`,
      () =>
        Effect.gen(function*() {
          const system = yield* ActorSystem
          yield* system.spawn(Account, { name: "a", config: { start: 0 }, supervision, host: 0 })
          const teller = yield* system.spawn(Teller, { name: "teller", supervision, host: 0 })
          const file = `${yield* FileSystem.FileSystem.use((fs) => fs.makeTempDirectoryScoped())}/printed`
          writeFileSync(file, "")
          const asked = yield* Effect.forkChild(teller.Print({ file }), { startImmediately: true })
          const printed = Effect.sync(() => readFileSync(file, "utf8"))
          yield* until(printed, (lines) => lines !== "")
          yield* system.kill(teller)
          assert.strictEqual(yield* Fiber.join(asked), "ActorDied")
          assert.strictEqual(yield* printed, "printed\n")
        }).pipe(Effect.scoped, Effect.provide([layer, NodeServices.layer])),
      60_000
    )
  }
})

const children = (system: ActorSystem["Service"]) =>
  Effect.gen(function*() {
    const parent = yield* system.spawn(Parent, { name: "parent", config: { kid: true }, supervision })
    assert.strictEqual(yield* parent.Raise({ name: "child", until: 2 }), 15)
    const child = yield* system.lookup(Account, "child")
    assert.deepStrictEqual(yield* child.Read(), { sum: 15, seen: 1 })
    assert.strictEqual(yield* parent.Get({ name: "child" }), 16)
    // Of one message.
    assert.strictEqual(yield* parent.Borrow({ name: "guest", until: 3 }), 15)
    assert.isTrue(Exit.isFailure(yield* Effect.exit(system.lookup(Account, "guest"))))
    assert.strictEqual(yield* parent.Borrow({ name: "guest", until: 0 }), 15)
    // Of an incarnation: with the next comes another of the name.
    const kid = yield* system.lookup(Account, "parent/kid")
    yield* kid.Add({ n: 1 })
    yield* system.kill(parent)
    assert.strictEqual(yield* parent.Get({ name: "child" }), 17)
    assert.deepStrictEqual(yield* (yield* system.lookup(Account, "parent/kid")).Read(), { sum: 1, seen: 0 })
    assert.strictEqual((yield* system.watch(kid))._tag, "Stopped")
    assert.strictEqual(yield* parent.Bury({ name: "child", until: 5 }), "Stopped")
    yield* parent.Raise({ name: "orphan", until: 0 })
    // It ends itself, and all of its own end with it.
    assert.strictEqual(yield* parent.End(), 7)
    assert.strictEqual((yield* system.watch(parent))._tag, "Stopped")
    const names = (yield* system.actors).map(({ name }) => name)
    assert.isFalse(names.some((name) => ["parent", "parent/kid", "orphan"].includes(name)))
  })

const references = (system: ActorSystem["Service"]) =>
  Effect.gen(function*() {
    const spawn = (name: string) => system.spawn(Account, { name, config: { start: 0 }, supervision })
    const [first, second] = [yield* spawn("first"), yield* spawn("second")]
    const broker = yield* system.spawn(Broker, { name: "broker", config: { first }, supervision })
    assert.strictEqual(yield* broker.Use({ n: 1, until: 0 }), 1)
    yield* broker.Keep({ account: second })
    // Through deaths of both.
    assert.strictEqual(yield* broker.Use({ n: 2, until: 2 }), 2)
    yield* system.kill(second)
    yield* system.kill(broker)
    assert.strictEqual(yield* broker.Use({ n: 3, until: 0 }), 5)
    assert.deepStrictEqual(yield* second.Read(), { sum: 5, seen: 2 })
    // Of several kinds.
    const ring = yield* system.spawn(Ring, { name: "ring", config: { next: "ring", millis: 0 } })
    assert.strictEqual(yield* broker.Meet({ who: ring }), "Ring end")
    assert.strictEqual(yield* broker.Meet({ who: second }), "Account 5")
    const { account } = yield* broker.Give()
    assert.strictEqual(account.name, "second")
    assert.strictEqual(yield* account.Add({ n: 4 }), 9)
    // Another of the name is not meant.
    yield* system.stop(second)
    yield* spawn("second")
    assert.strictEqual((yield* Effect.flip(account.Add({ n: 1 })))._tag, "ActorStopped")
    assert.strictEqual((yield* Effect.flip(broker.Use({ n: 1, until: 0 })))._tag, "ActorStopped")
  })

/** Parents and children, in every placement: who fails with whom, who ends with whom, and who knows whom. */
import { assert, describe, it, layer } from "@effect/vitest"
import { Effect, type Layer, type Scope, Stream } from "effect"
import { ActorSystem } from "../../src/actors/ActorSystem.ts"
import type { SystemFailure } from "../../src/actors/errors.ts"
import type { Placement } from "../../src/actors/Placement.ts"
import * as Supervision from "../../src/actors/Supervision.ts"
import { Boss, BossBehavior, Friend, FriendBehavior, Hand, HandBehavior } from "./fixtures/family.ts"
import { runner } from "./placements.ts"
import { until } from "./until.ts"

const behaviors = [HandBehavior, BossBehavior, FriendBehavior] as const
const entry = new URL("./fixtures/family.host.ts", import.meta.url)

const layers: Record<Placement, Layer.Layer<ActorSystem, SystemFailure>> = {
  fiber: ActorSystem.layerFiber(behaviors),
  thread: ActorSystem.layerThread({ entry, hosts: 2, spares: 1 }),
  process: ActorSystem.layerProcess({ entry, hosts: 2 }),
  runner: runner({ entry }, { hosts: 2 })
}

const hall = (supervision = Supervision.oneForOne({ maxRestarts: 50 })) =>
  Effect.gen(function*() {
    const system = yield* ActorSystem
    const boss = yield* system.spawn(Boss, { name: "boss", config: {}, supervision })
    const hand = (name: string) => system.lookup(Hand, name)
    return { boss, hand, system }
  })

for (const [placement, system] of Object.entries(layers)) {
  layer(system, { excludeTestServices: true, timeout: "60 seconds" })(`families, ${placement}`, (it) => {
    const live = <A, E>(name: string, body: () => Effect.Effect<A, E, ActorSystem | Scope.Scope>) =>
      it.effect(name, () => Effect.scoped(body()), 30_000)

    live("who is to fail with a child dies of its failing, and begins anew", () =>
      Effect.gen(function*() {
        const { boss, hand, system } = yield* hall()
        yield* boss.Hire({ name: "dear", restarts: 1, onFailure: "fail me" })
        yield* boss.Hire({ name: "other", restarts: 0 })
        yield* Effect.ignore((yield* hand("other")).Break({ at: 9 }))
        assert.deepStrictEqual(yield* boss.Count(), { hired: 2, incarnation: 1 })
        const dear = yield* hand("dear")
        // One death is not yet a failure.
        yield* dear.Break({ at: 1 })
        assert.deepStrictEqual(yield* boss.Count(), { hired: 2, incarnation: 1 })
        const failure = yield* Effect.flip(dear.Break({ at: 9 }))
        assert.strictEqual(failure._tag, "RestartLimitReached")
        assert.deepStrictEqual(yield* until(boss.Count(), ({ incarnation }) => incarnation > 1), {
          hired: 2,
          incarnation: 2
        })
        assert.strictEqual((yield* system.actors).find(({ name }) => name === "boss")?.restarts, 1)
      }))

    live("its supervision decides on that, and it may go up from there", () =>
      Effect.gen(function*() {
        const deaths: Array<string> = []
        const { boss, hand, system } = yield* hall(Supervision.oneForOne({
          decide: (death) => {
            deaths.push(`${death.kind} ${death.tag}: ${death.message}`)
            return death.kind === "ChildFailed" ? "stop" : "restart"
          }
        }))
        yield* boss.HireBoss({ name: "foreman", onFailure: "fail me" })
        const foreman = yield* system.lookup(Boss, "foreman")
        yield* foreman.Hire({ name: "dear", restarts: 0, onFailure: "fail me" })
        yield* Effect.ignore((yield* hand("dear")).Break({ at: 9 }))
        const ended = yield* system.watch(boss)
        assert.strictEqual(ended._tag === "Failed" ? ended.death.kind : "", "ChildFailed")
        assert.deepStrictEqual(deaths, [
          "ChildFailed RangeError: its child foreman has failed: its child dear has failed: mishap"
        ])
        assert.deepStrictEqual((yield* system.actors).map(({ name }) => name), [])
      }))

    live("a message that was told of it runs again, and is told of it", () =>
      Effect.gen(function*() {
        const { boss } = yield* hall()
        yield* boss.Hire({ name: "dear", restarts: 0, onFailure: "fail me" })
        assert.deepStrictEqual(yield* boss.Abuse({ name: "dear" }), ["RestartLimitReached", 2])
        yield* boss.Hire({ name: "other", restarts: 0 })
        assert.deepStrictEqual(yield* boss.Abuse({ name: "other" }), ["RestartLimitReached", 2])
      }))

    live("a child of the start comes anew with each incarnation", () =>
      Effect.gen(function*() {
        const { hand, system } = yield* hall()
        const supervision = Supervision.oneForOne({ maxRestarts: 50 })
        const owner = yield* system.spawn(Boss, { name: "owner", config: { own: "owned" }, supervision })
        for (const incarnation of [2, 3]) {
          yield* Effect.ignore((yield* hand("owned")).Break({ at: 9 }))
          yield* until(owner.Count(), (count) => count.incarnation === incarnation)
        }
        assert.strictEqual(yield* (yield* hand("owned")).Whose(), "owner")
      }))

    live("a child that ends with its parent has stopped, once, and not failed", () =>
      Effect.gen(function*() {
        const { boss, system } = yield* hall()
        const deaths: Array<string> = []
        yield* Effect.forkChild(
          Stream.runForEach(system.events, (event) =>
            Effect.sync(() => {
              if (event._tag === "Died" || event._tag === "Failed") deaths.push(`${event._tag} ${event.actor}`)
            })),
          { startImmediately: true }
        )
        yield* boss.HireBoss({ name: "foreman" })
        yield* (yield* system.lookup(Boss, "foreman")).Hire({ name: "first", restarts: 0, onFailure: "fail me" })
        const before = (yield* system.ended).length
        yield* system.stop(boss)
        const ended = (yield* system.ended).slice(before).map(({ _tag, name }) => `${_tag} ${name}`)
        assert.deepStrictEqual(ended.toSorted(), ["Stopped boss", "Stopped first", "Stopped foreman"])
        assert.deepStrictEqual(deaths, [])
      }))

    live(
      "children of its life end at a restart where supervision says so, but for those of the message in hand",
      () =>
        Effect.gen(function*() {
          const { boss, system } = yield* hall(Supervision.oneForOne({ maxRestarts: 50, children: "stop" }))
          yield* boss.Hire({ name: "first", restarts: 0 })
          assert.strictEqual(yield* boss.HireAndDie({ name: "second", until: 3 }), "boss")
          const names = (yield* system.actors).map(({ name, parent }) => `${name} of ${parent}`)
          assert.deepStrictEqual(names.toSorted(), ["boss of undefined", "second of boss"])
          const last = (yield* system.ended).at(-1)
          assert.deepStrictEqual([last?.name, last?._tag], ["first", "Stopped"])
        })
    )

    live("an actor has its own reference, knows its parent, and ends itself", () =>
      Effect.gen(function*() {
        const { boss, hand, system } = yield* hall()
        const friend = yield* system.spawn(Friend, { name: "friend" })
        yield* boss.Hire({ name: "first", restarts: 0 })
        yield* boss.Show({ to: "friend" })
        assert.strictEqual(yield* until(friend.Count(), (count) => count >= 0), 1)
        assert.strictEqual(yield* (yield* hand("first")).Whose(), "boss")
        assert.strictEqual(yield* (yield* system.spawn(Hand, { name: "free" })).Whose(), null)
        // It is given longer than one whom others end.
        assert.strictEqual(yield* boss.Quit({ millis: 250 }), "boss")
        assert.strictEqual((yield* system.watch(boss))._tag, "Stopped")
        const names = (yield* system.actors).map(({ name }) => name)
        assert.deepStrictEqual(names.toSorted(), ["free", "friend"])
      }))
  })
}

describe("families", () => {
  it.live("a child's supervision that escalates leaves it to its parent's", () =>
    Effect.gen(function*() {
      const { boss, hand, system } = yield* hall()
      yield* boss.Hire({ name: "first" })
      yield* Effect.ignore((yield* hand("first")).Break({ at: 9 }))
      yield* until(boss.Count(), ({ incarnation }) => incarnation === 2)
      // Who has no parent fails alone.
      const free = yield* system.spawn(Hand, { name: "free" })
      yield* Effect.ignore(free.Break({ at: 9 }))
      assert.strictEqual((yield* system.watch(free))._tag, "Failed")
      assert.deepStrictEqual(yield* boss.Count(), { hired: 1, incarnation: 2 })
    }).pipe(
      Effect.scoped,
      Effect.provide(ActorSystem.layerFiber(behaviors, {
        supervision: Supervision.oneForOne({ decide: ({ kind }) => kind === "Defect" ? "escalate" : "restart" })
      }))
    ))

  it.live("a group fails of what its member died of", () =>
    Effect.gen(function*() {
      const system = yield* ActorSystem
      const supervision = Supervision.oneForAll({ maxRestarts: 1 })
      const hands = yield* Effect.forEach(["a", "b", "c"], (name) => system.spawn(Hand, { name, supervision }))
      yield* Effect.ignore(hands[1]!.Break({ at: 9 }))
      const ended = yield* until(system.ended, ({ length }) => length === 3)
      assert.deepStrictEqual(
        ended.map((end) => `${end.name} ${end._tag === "Failed" ? end.death.message : end._tag}`).toSorted(),
        ["a mishap", "b mishap", "c mishap"]
      )
    }).pipe(Effect.scoped, Effect.provide(ActorSystem.layerFiber(behaviors))))

  it.live("who is spawned by the program has no parent to fail with", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(ActorSystem.spawn(Hand, { onFailure: "fail me" }))
      assert.strictEqual(failure._tag, "InvalidOption")
      assert.match(failure.message, /onFailure/)
    }).pipe(Effect.scoped, Effect.provide(layers.fiber)))
})

/** What a handler gives up that it has asked, spawned or watched: it goes on as if it had not, and so when its message runs again. */
import { assert, layer } from "@effect/vitest"
import { Effect, Fiber, type Layer, Option, type Scope } from "effect"
import { ActorSystem, systemOf } from "../../src/actors/ActorSystem.ts"
import type { SystemFailure } from "../../src/actors/errors.ts"
import * as Supervision from "../../src/actors/Supervision.ts"
import { Hasty, HastyBehavior, Sloth, SlothBehavior } from "./fixtures/hasty.ts"
import { until } from "./until.ts"

const entry = new URL("./fixtures/hasty.host.ts", import.meta.url)

const layers: Record<"fiber" | "thread", Layer.Layer<ActorSystem, SystemFailure>> = {
  fiber: ActorSystem.layerFiber([HastyBehavior, SlothBehavior]),
  thread: ActorSystem.layerThread({ entry, hosts: 2, spares: 1 })
}

const supervision = Supervision.oneForOne({ maxRestarts: 50, maxConsecutive: 4 })
const fork = Effect.forkChild({ startImmediately: true })

const pair = (mailbox = 1024) =>
  Effect.gen(function*() {
    const system = yield* ActorSystem
    const sloth = yield* system.spawn(Sloth, { name: "sloth", config: { millis: 0 }, mailbox, supervision, host: 0 })
    const hasty = yield* system.spawn(Hasty, { name: "hasty", config: { sloth }, supervision })
    return { hasty, sloth, system }
  })

for (const [placement, system] of Object.entries(layers)) {
  layer(system, { excludeTestServices: true, timeout: "60 seconds" })(`who loses patience, ${placement}`, (it) => {
    const live = <A, E>(name: string, body: () => Effect.Effect<A, E, ActorSystem | Scope.Scope>) =>
      it.effect(name, () => Effect.scoped(body()), 30_000)

    for (const n of [1, 2]) {
      live(`may ask the same one ${n === 1 ? "again" : "for something else"}, and die`, () =>
        Effect.gen(function*() {
          const { hasty, sloth } = yield* pair(1)
          const busy = yield* fork(sloth.Add({ n: 9, millis: 150 }))
          assert.strictEqual(yield* hasty.Twice({ n, until: 3 }), 2)
          yield* Fiber.join(busy)
          assert.deepStrictEqual(yield* sloth.Added(), [9, n])
        }))
    }

    for (const method of ["Hire", "Invite"] as const) {
      live(`has the name free of whom it has not waited for (${method})`, () =>
        Effect.gen(function*() {
          const { hasty, system } = yield* pair()
          assert.strictEqual(yield* hasty[method]({ until: 2 }), 1)
          const left = method === "Hire" ? ["hasty/guest"] : []
          yield* until(system.actors, (actors) =>
            actors.flatMap(({ name, parent }) => parent === undefined ? [] : [name]).join() === left.join())
        }))
    }

    live("gives a guest of its own the grace that it was promised", () =>
      Effect.gen(function*() {
        const { hasty, system } = yield* pair()
        const hosting = yield* fork(hasty.Host({ millis: 50 }))
        const guest = Option.getOrThrow(
          yield* until(Effect.option(system.lookup(Sloth, "hasty/guest")), (found) => Option.isSome(found))
        )
        // Longer than the system's own grace.
        assert.strictEqual(yield* guest.Add({ n: 1, millis: 400 }), 1)
        yield* Fiber.join(hosting)
      }))

    live("leaves nothing behind where it has watched", () =>
      Effect.gen(function*() {
        const { hasty, sloth, system } = yield* pair()
        assert.strictEqual(yield* hasty.Watch({ times: 5, until: 2 }), 0)
        const guardian = systemOf(system)?.get("sloth")
        const watchers: ReadonlySet<unknown> | undefined = guardian && Reflect.get(guardian, "watchers")
        assert.strictEqual(watchers?.size, 0)
        // Whoever still waits is told.
        const watching = yield* fork(system.watch(sloth))
        yield* system.stop(sloth)
        assert.strictEqual((yield* Fiber.join(watching))._tag, "Stopped")
      }))
  })
}

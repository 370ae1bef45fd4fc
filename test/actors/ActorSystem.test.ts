import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ActorSystem } from "../../src/actors/ActorSystem.ts"
import { Counter, CounterBehavior } from "./fixtures/counter.ts"

const entry = new URL("./fixtures/counter.host.ts", import.meta.url)

const placements = {
  fiber: () => ActorSystem.layerFiber([CounterBehavior]),
  thread: () => ActorSystem.layerThread({ entry, hosts: 2 })
}

for (const [placement, layer] of Object.entries(placements)) {
  describe(placement, () => {
    it.live("asks", () =>
      Effect.gen(function*() {
        const counter = yield* ActorSystem.spawn(Counter, { name: "counter/0", config: { start: 5 } })
        assert.strictEqual(yield* counter.Add({ n: 1 }), 6)
        assert.strictEqual(yield* counter.Get(), 6)
        assert.strictEqual((yield* Effect.flip(counter.Add({ n: 2_000_000 })))._tag, "TooLarge")
        const died = yield* Effect.flip(counter.Die({ message: "oh" }))
        assert.strictEqual(died._tag, "RestartLimitReached")
        assert.include(died.message, "oh")
      }).pipe(Effect.scoped, Effect.provide(layer())))

    it.live("survives a kill", () =>
      Effect.gen(function*() {
        const system = yield* ActorSystem
        const counter = yield* ActorSystem.spawn(Counter, { name: "counter/0", config: { start: 5 } })
        assert.strictEqual(yield* counter.Add({ n: 1 }), 6)
        yield* system.kill(counter)
        assert.strictEqual(yield* counter.Add({ n: 1 }), 7)
        assert.strictEqual(yield* counter.Incarnation(), 2)
      }).pipe(Effect.scoped, Effect.provide(layer())))
  })
}

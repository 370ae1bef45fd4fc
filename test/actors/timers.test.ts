/** Timers that an actor sets for itself, in every placement: kept by its owner, through its deaths. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, type Layer, type Scope } from "effect"
import { TestClock } from "effect/testing"
import { ActorSystem } from "../../src/actors/ActorSystem.ts"
import type { SystemFailure } from "../../src/actors/errors.ts"
import type { Placement } from "../../src/actors/Placement.ts"
import * as Supervision from "../../src/actors/Supervision.ts"
import { Alarm, AlarmBehavior } from "./fixtures/alarm.ts"
import { runner } from "./placements.ts"
import { until } from "./until.ts"

const entry = new URL("./fixtures/alarm.host.ts", import.meta.url)

const layers: Record<Placement, Layer.Layer<ActorSystem, SystemFailure>> = {
  fiber: ActorSystem.layerFiber([AlarmBehavior]),
  thread: ActorSystem.layerThread({ entry }),
  process: ActorSystem.layerProcess({ entry }),
  runner: runner({ entry })
}

for (const [placement, layer] of Object.entries(layers)) {
  const live = <A, E>(name: string, body: () => Effect.Effect<A, E, ActorSystem | Scope.Scope>) =>
    it.live(name, () => body().pipe(Effect.scoped, Effect.provide(layer)))

  describe(placement, () => {
    live("one message when its time has come, whoever died meanwhile", () =>
      Effect.gen(function*() {
        const system = yield* ActorSystem
        const alarm = yield* system.spawn(Alarm, { name: "alarm" })
        const began = performance.now()
        yield* alarm.Set({ text: "one", millis: 100, key: "one" })
        yield* alarm.Set({ text: "old", millis: 60_000 })
        // The same key, which is the method's name: it takes the other's place.
        yield* alarm.Set({ text: "new", millis: 150 })
        yield* alarm.Set({ text: "never", millis: 60_000, key: "never" })
        yield* alarm.Cancel({ key: "never" })
        yield* system.kill(alarm)
        assert.deepStrictEqual(yield* until(alarm.Rung(), (rung) => rung.length >= 2), ["one", "new"])
        assert.isAtLeast(performance.now() - began, 149)
        assert.deepStrictEqual(yield* alarm.Rung(), ["one", "new"])
        assert.strictEqual((yield* system.actors)[0]?.timers, 0)
      }))

    live("what a handler that died has set was never set", () =>
      Effect.gen(function*() {
        const alarm = yield* ActorSystem.spawn(Alarm, { name: "alarm" })
        yield* alarm.SetAndDie({ text: "it" })
        assert.deepStrictEqual(yield* until(alarm.Rung(), (rung) => rung.length > 0), ["it 2"])
      }))

    live("again and again, through deaths, until it is ended", () =>
      Effect.gen(function*() {
        const system = yield* ActorSystem
        const alarm = yield* system.spawn(Alarm, { name: "alarm" })
        yield* alarm.Repeat({ text: "tick", millis: 5 })
        yield* until(alarm.Rung(), (rung) => rung.length >= 3)
        yield* system.kill(alarm)
        const before = yield* alarm.Rung()
        yield* until(alarm.Rung(), (rung) => rung.length >= before.length + 3)
        yield* alarm.Cancel({ key: "repeat" })
        const after = yield* alarm.Rung()
        yield* Effect.sleep(50)
        // One that had come due already still came.
        assert.isAtMost((yield* alarm.Rung()).length, after.length + 1)
      }))

    live("what does not fit is held against who sets it", () =>
      Effect.gen(function*() {
        const never = Supervision.never
        const misfit = yield* ActorSystem.spawn(Alarm, { name: "misfit", supervision: never })
        assert.include(
          (yield* Effect.flip(misfit.Misfit())).message,
          `the payload of misfit.Ring was refused: Expected string at ["text"]`
        )
        const wrong = yield* ActorSystem.spawn(Alarm, { name: "wrong", supervision: never })
        assert.include(
          (yield* Effect.flip(wrong.Never())).message,
          `"period" of self.every must be 1 ms to 24 days, not 0`
        )
      }))
  })
}

describe("timers", () => {
  it.effect("go by the program's own clock, and make up for nothing that was missed", () =>
    Effect.gen(function*() {
      const alarm = yield* ActorSystem.spawn(Alarm, { name: "alarm" })
      yield* alarm.Set({ text: "day", millis: 86_400_000, key: "day" })
      yield* alarm.Repeat({ text: "hour", millis: 3_600_000 })
      yield* TestClock.adjust("30 minutes")
      assert.deepStrictEqual(yield* alarm.Rung(), [])
      yield* TestClock.adjust("31 minutes")
      assert.deepStrictEqual(yield* alarm.Rung(), ["hour"])
      yield* TestClock.adjust("24 hours")
      const rung = yield* alarm.Rung()
      assert.include(rung, "day")
      assert.isAtMost(rung.length, 26)
      assert.isAtLeast(rung.length, 3)
    }).pipe(Effect.scoped, Effect.provide(layers.fiber)))

  it.effect("count from when they were set, by that clock too, however long the handler took", () =>
    Effect.gen(function*() {
      const alarm = yield* ActorSystem.spawn(Alarm, { name: "alarm" })
      const setting = yield* Effect.forkChild(alarm.SetAndWait({ text: "five", millis: 5000, wait: 3000 }), {
        startImmediately: true
      })
      yield* TestClock.adjust("3 seconds")
      yield* Fiber.join(setting)
      yield* TestClock.adjust("1999 millis")
      assert.deepStrictEqual(yield* alarm.Rung(), [])
      yield* TestClock.adjust("1 millis")
      assert.deepStrictEqual(yield* alarm.Rung(), ["five"])
    }).pipe(Effect.scoped, Effect.provide(layers.fiber)))

  it.live("end with their actor", () =>
    Effect.gen(function*() {
      const system = yield* ActorSystem
      const alarm = yield* system.spawn(Alarm, { name: "alarm" })
      yield* alarm.Repeat({ text: "tick", millis: 1 })
      const stopping = yield* Effect.forkChild(system.stop(alarm))
      yield* Fiber.join(stopping)
      const again = yield* system.spawn(Alarm, { name: "alarm" })
      yield* Effect.sleep(20)
      assert.deepStrictEqual(yield* again.Rung(), [])
    }).pipe(Effect.scoped, Effect.provide(layers.fiber)))
})

/** Waiting in shared memory: nobody's event loop starves while messages keep coming, and nobody spins when none do. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { ActorSystem } from "../../../src/actors/ActorSystem.ts"
import { bump, makeGate, Probe, reached } from "../fixtures/probe.ts"
import { thread } from "../placements.ts"

const spawn = Effect.gen(function*() {
  const gate = makeGate()
  return { gate, probe: yield* ActorSystem.spawn(Probe, { config: { gate, start: 0 }, host: 0 }) }
})

const fork = Effect.forkChild({ startImmediately: true })

describe("waiting for messages", () => {
  for (const spin of ["0 millis", "200 micros", "1 minute"] as const) {
    it.live(`both event loops get their turn under dense traffic, spinning for ${spin}`, () =>
      Effect.gen(function*() {
        const busy = yield* spawn
        const other = yield* spawn
        let asked = 0
        const asking = yield* fork(
          Effect.forever(Effect.andThen(busy.probe.Incarnation(), Effect.sync(() => void asked++)))
        )
        // The host's: a handler that waits for its event loop.
        const held = yield* fork(other.probe.Hold({ n: 1, until: 1 }))
        yield* reached(other.gate, "entered", 1)
        // The owner's: timers, while messages keep coming.
        yield* Effect.repeat(Effect.sleep(1), { times: 20 })
        yield* Effect.repeat(Effect.sleep(1), { until: () => asked > 20 })
        bump(other.gate, "released")
        assert.strictEqual(yield* Fiber.join(held), 2)
        // And interruption.
        yield* Fiber.interrupt(asking)
      }).pipe(Effect.scoped, Effect.timeout("20 seconds"), Effect.provide(thread({ hosts: 1, spin }))))
  }

  it.live("idle actors cost nothing", () =>
    Effect.gen(function*() {
      const probes = yield* Effect.forEach(
        Array.from({ length: 50 }),
        (_, i) => ActorSystem.spawn(Probe, { config: { gate: makeGate(), start: 0 }, host: i % 2 })
      )
      yield* Effect.forEach(probes, (probe) => probe.Incarnation(), { concurrency: "unbounded" })
      yield* Effect.sleep(100)
      const before = process.cpuUsage()
      yield* Effect.sleep(500)
      const { system, user } = process.cpuUsage(before)
      // One spinning thread would take half a second; the test runner takes a little.
      assert.isBelow((system + user) / 1000, 100)
    }).pipe(Effect.scoped, Effect.provide(thread())))

  it.live("a spinning thread sleeps when its time is over", () =>
    Effect.gen(function*() {
      const { probe } = yield* spawn
      for (let i = 0; i < 100; i++) yield* probe.Incarnation()
      yield* Effect.sleep(50)
      const before = process.cpuUsage()
      yield* Effect.sleep(500)
      const { system, user } = process.cpuUsage(before)
      assert.isBelow((system + user) / 1000, 100)
    }).pipe(Effect.scoped, Effect.provide(thread({ hosts: 1, spin: "1 milli" }))))
})

/** The policy: windows and back-off, by the test clock. */
import { assert, describe, it } from "@effect/vitest"
import { Duration, Effect, Fiber, Queue, Schedule, Stream } from "effect"
import { TestClock } from "effect/testing"
import { ActorSystem } from "../../src/actors/ActorSystem.ts"
import type { LifecycleEvent } from "../../src/actors/LifecycleEvent.ts"
import * as Supervision from "../../src/actors/Supervision.ts"
import { makeGate, Probe } from "./fixtures/probe.ts"
import { placements } from "./placements.ts"

describe("RestartLog", () => {
  it("counts within a window that slides", () => {
    const log = new Supervision.RestartLog(Supervision.oneForOne({ maxRestarts: 2, within: "10 seconds" }))
    assert.deepStrictEqual([0, 1000, 2000].map((now) => log.next(now)), [1, 2, 0])
    assert.deepStrictEqual([10_000, 10_500, 11_000].map((now) => log.next(now)), [2, 0, 2])
  })
})

/** Kills an actor once and says after which virtual time it served again. */
const recovery = (backoff: Supervision.Backoff, deaths: number) =>
  Effect.gen(function*() {
    const system = yield* ActorSystem
    const events = yield* Queue.unbounded<LifecycleEvent>()
    yield* Effect.forkScoped(Stream.runForEach(system.events, (event) => Queue.offer(events, event)), {
      startImmediately: true
    })
    const probe = yield* system.spawn(Probe, {
      config: { gate: makeGate(), start: 0 },
      supervision: Supervision.oneForOne({ maxRestarts: 10, within: "1 hour", backoff })
    })
    const restarted = Effect.gen(function*() {
      while ((yield* Queue.take(events))._tag !== "Restarted");
    })
    const waits: Array<number> = []
    for (let i = 0; i < deaths; i++) {
      const again = yield* Effect.forkChild(restarted, { startImmediately: true })
      yield* system.kill(probe)
      let millis = 0
      while (again.pollUnsafe() === undefined && millis < 10_000) {
        yield* TestClock.adjust("100 millis")
        millis += 100
      }
      yield* Fiber.join(again)
      waits.push(millis)
    }
    return waits
  })

describe("a policy that is wrong itself", () => {
  // What the types do not let through, or somebody without types writes.
  const wrong: Readonly<Record<string, readonly [Supervision.Supervision, string]>> = {
    "a directive that there is not": [
      Supervision.oneForOne({ decide: () => "Restart" as "restart" }),
      `the "decide" of its supervision said "Restart", which is none of "restart", "resume", "stop", "escalate"; it died of: crash 1`
    ],
    "no directive": [
      Supervision.oneForAll({ decide: () => undefined as unknown as "restart" }),
      `the "decide" of its supervision said undefined, which is none of`
    ],
    "the name of what every object has": [
      Supervision.restForOne({ decide: () => "toString" as "restart" }),
      `the "decide" of its supervision said "toString"`
    ],
    "a decision that throws": [
      Supervision.oneForOne({
        decide: () => {
          throw new RangeError("undecided")
        }
      }),
      "undecided"
    ],
    "a back-off that is no duration": [
      Supervision.oneForOne({ backoff: () => "soon" as "1 second" }),
      `the "backoff" of its supervision threw: `
    ],
    "a back-off that throws": [
      Supervision.oneForOne({
        backoff: () => {
          throw new RangeError("impatient")
        }
      }),
      "impatient"
    ]
  }
  for (const [name, [supervision, expected]] of Object.entries(wrong)) {
    it.live(`fails the actor and says so: ${name}`, () =>
      Effect.gen(function*() {
        const probe = yield* ActorSystem.spawn(Probe, { config: { gate: makeGate(), start: 0 }, supervision })
        const failure = yield* Effect.flip(probe.Crash({ n: 1, times: 9, mode: "die" }))
        assert.strictEqual(failure._tag, "RestartLimitReached")
        assert.include(failure.message, expected)
        assert.include(failure.message, "it died of: crash 1")
      }).pipe(Effect.scoped, Effect.provide(placements.fiber())))
  }
})

describe("back-off", () => {
  const provide = Effect.provide(placements.fiber({ askDeadline: "1 hour" }))

  it.effect("by a schedule", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* recovery(Schedule.exponential("200 millis"), 4), [200, 400, 800, 1600])
    }).pipe(Effect.scoped, provide))

  it.effect("by a function of the restart's number", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* recovery((n) => Duration.millis(n * 300), 3), [300, 600, 900])
    }).pipe(Effect.scoped, provide))

  it.effect("a schedule that ends fails the actor", () =>
    Effect.gen(function*() {
      const system = yield* ActorSystem
      const probe = yield* system.spawn(Probe, {
        config: { gate: makeGate(), start: 0 },
        supervision: Supervision.oneForOne({ maxRestarts: 10, backoff: Schedule.recurs(1) })
      })
      const failure = yield* Effect.flip(probe.Crash({ n: 1, times: 9, mode: "die" }))
      assert.strictEqual(failure._tag, "RestartLimitReached")
      if (failure._tag === "RestartLimitReached") assert.strictEqual(failure.restarts, 1)
    }).pipe(Effect.scoped, provide))

  it.effect("messages wait meanwhile, and a deadline passes", () =>
    Effect.gen(function*() {
      const system = yield* ActorSystem
      const probe = yield* system.spawn(Probe, {
        config: { gate: makeGate(), start: 0 },
        supervision: Supervision.oneForOne({ backoff: () => "90 seconds" })
      })
      yield* system.kill(probe)
      const impatient = yield* Effect.forkChild(Effect.flip(probe.Append({ n: 1 }, { deadline: "1 minute" })), {
        startImmediately: true
      })
      const patient = yield* Effect.forkChild(probe.Append({ n: 2 }), { startImmediately: true })
      yield* TestClock.adjust("59 seconds")
      assert.isUndefined(impatient.pollUnsafe())
      yield* TestClock.adjust("1 second")
      assert.strictEqual((yield* Fiber.join(impatient))._tag, "AskTimeout")
      assert.isUndefined(patient.pollUnsafe())
      yield* TestClock.adjust("30 seconds")
      // The first had left the queue with its sender.
      assert.strictEqual(yield* Fiber.join(patient), 2)
    }).pipe(Effect.scoped, provide))
})

/** What becomes of messages that nobody waits for any more, of the message in hand at a death, and who tells of it. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, type Scope, Stream } from "effect"
import { ActorSystem } from "../../src/actors/ActorSystem.ts"
import type { LifecycleEvent } from "../../src/actors/LifecycleEvent.ts"
import * as Supervision from "../../src/actors/Supervision.ts"
import { bump, makeGate, Probe, reached } from "./fixtures/probe.ts"
import { placements } from "./placements.ts"

const fork = Effect.forkChild({ startImmediately: true })

const spawn = (name: string, supervision = Supervision.never) =>
  Effect.gen(function*() {
    const gate = makeGate()
    return { gate, probe: yield* ActorSystem.spawn(Probe, { name, config: { gate, start: 0 }, supervision }) }
  })

const info = (name: string) =>
  Effect.gen(function*() {
    const system = yield* ActorSystem
    return (yield* system.actors).find((actor) => actor.name === name)!
  })

/** Until the owner says so: it hears of what happens in a host only later. */
const until = (name: string, so: (actor: Effect.Success<ReturnType<typeof info>>) => boolean) =>
  Effect.gen(function*() {
    while (!so(yield* info(name))) yield* Effect.sleep(1)
  }).pipe(Effect.timeout("10 seconds"))

for (const placement of ["fiber", "thread", "process"] as const) {
  const live = <A, E>(name: string, body: () => Effect.Effect<A, E, ActorSystem | Scope.Scope>) =>
    it.live(name, () => body().pipe(Effect.scoped, Effect.provide(placements[placement]())))

  describe(placement, () => {
    // A gate cannot be shared with a process.
    if (placement !== "process") {
      live("what is given up in the queue leaves it, and is never begun", () =>
        Effect.gen(function*() {
          const { gate, probe } = yield* spawn("a")
          const held = yield* fork(probe.Hold({ n: 1, until: 1 }))
          const impatient = yield* fork(probe.Append({ n: 2 }))
          yield* probe.tell.Append({ n: 3 })
          const last = yield* fork(probe.Append({ n: 4 }))
          yield* Fiber.interrupt(impatient)
          const late = yield* Effect.flip(probe.Append({ n: 5 }, { deadline: "5 millis" }))
          assert.strictEqual(late._tag, "AskTimeout")
          yield* until("a", ({ unanswered }) => unanswered === 3)
          bump(gate, "released")
          assert.strictEqual(yield* Fiber.join(held), 2)
          assert.strictEqual(yield* Fiber.join(last), 4)
          assert.deepStrictEqual(yield* probe.Log(), [0, 1, 3, 4])
          assert.strictEqual(yield* probe.Incarnation(), 1)
        }))
    }

    live(
      "a cancellable method that is given up ends its incarnation, and nothing of it counts",
      () =>
        Effect.gen(function*() {
          const system = yield* ActorSystem
          const deaths: Array<LifecycleEvent> = []
          yield* fork(Stream.runForEach(system.events, (event) =>
            Effect.sync(() =>
              void (event._tag === "Died" && deaths.push(event))
            )))
          const { gate, probe } = yield* spawn("a")
          yield* probe.Append({ n: 1 })
          for (let round = 1; round <= 3; round++) {
            const searching = yield* fork(probe.Search({ n: 10 * round }))
            const behind = yield* fork(probe.Append({ n: round + 1 }))
            // It is in hand: a process hears of it in its turn.
            if (placement !== "process") {
              yield* reached(gate, "entered", round)
            }
            yield* Fiber.interrupt(searching)
            assert.strictEqual(yield* Fiber.join(behind), round + 2)
          }
          assert.deepStrictEqual(yield* probe.Log(), [0, 1, 2, 3, 4])
          assert.strictEqual(yield* probe.Incarnation(), 4)
          assert.strictEqual((yield* info("a")).restarts, 0)
          assert.deepStrictEqual(
            deaths.map((event) =>
              event._tag === "Died" && [event.death.kind, event.death.method]
            ),
            Array.from({ length: 3 }, () => ["Cancelled", "Search"])
          )
        })
    )

    live("`resume` fails the message in hand alone, and counts no restart", () =>
      Effect.gen(function*() {
        const supervision = Supervision.oneForAll({ maxRestarts: 0, decide: () => "resume" })
        const { probe } = yield* spawn("a", supervision)
        const other = yield* spawn("b", supervision)
        yield* other.probe.Append({ n: 1 })
        const [before, dead, after] = yield* Effect.all([
          probe.Append({ n: 1 }),
          Effect.flip(probe.Crash({ n: 2, times: 99, mode: "die" })),
          probe.Append({ n: 3 })
        ], { concurrency: "unbounded" })
        assert.deepStrictEqual([before, after], [2, 3])
        assert.strictEqual(dead._tag, "ActorDied")
        assert.strictEqual(dead.message, "a died at Crash, which is not run again: crash 2")
        assert.deepStrictEqual(yield* probe.Log(), [0, 1, 3])
        assert.strictEqual(yield* probe.Incarnation(), 2)
        assert.strictEqual((yield* info("a")).restarts, 0)
        assert.strictEqual(yield* other.probe.Incarnation(), 1)
      }))

    if (placement !== "process") {
      live("the message in hand is seen, and the ends that were", () =>
        Effect.gen(function*() {
          const system = yield* ActorSystem
          const { gate, probe } = yield* spawn("a")
          assert.isUndefined((yield* info("a")).message)
          const held = yield* fork(probe.Hold({ n: 1, until: 1 }))
          const behind = yield* fork(probe.Append({ n: 2 }))
          yield* reached(gate, "entered", 1)
          yield* Effect.sleep(20)
          const first = (yield* info("a")).message!
          assert.deepInclude(first, { method: "Hold", seq: 1 })
          assert.isAtLeast(first.sinceMillis, 15)
          bump(gate, "released")
          yield* Fiber.join(held)
          yield* Fiber.join(behind)
          assert.isUndefined((yield* info("a")).message)
          yield* Effect.flip(probe.Crash({ n: 3, times: 9, mode: "die" }))
          for (let i = 0; i < 100; i++) {
            yield* Effect.scoped(spawn(`b/${i}`))
          }
          const ended = yield* system.ended
          assert.lengthOf(ended, 100)
          assert.deepInclude(ended.at(-1), {
            _tag: "Stopped",
            name: "b/99",
            definition: "Probe",
            placement,
            incarnation: 1
          })
          yield* Effect.scoped(Effect.gen(function*() {
            const { probe } = yield* spawn("c")
            yield* Effect.flip(probe.Crash({ n: 1, times: 9, mode: "die" }))
          }))
          const last = (yield* system.ended).at(-1)!
          assert.deepInclude(last, { _tag: "Failed", name: "c", restarts: 0 })
          assert.isTrue(last._tag === "Failed" && last.death.message === "crash 1")
        }))
    }
  })
}

/** Every way in which a host can be brought down on purpose, in every placement: nothing is lost, and the cause is told. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, type Layer, Queue, Stream } from "effect"
import { ActorSystem } from "../../src/actors/ActorSystem.ts"
import type { DeathKind } from "../../src/actors/Death.ts"
import type { SystemFailure } from "../../src/actors/errors.ts"
import * as Fault from "../../src/actors/Fault.ts"
import type { LifecycleEvent } from "../../src/actors/LifecycleEvent.ts"
import type { Placement } from "../../src/actors/Placement.ts"
import * as Supervision from "../../src/actors/Supervision.ts"
import { Tally, TallyBehavior } from "./fixtures/tally.ts"
import { runner } from "./placements.ts"

const entry = new URL("./fixtures/tally.host.ts", import.meta.url)

/** Only what the heartbeat has to find needs a short one: a heap takes as long to fill as the machine lets it. */
const systemFor = (placement: Placement, fault: Fault.Fault): Layer.Layer<ActorSystem, SystemFailure> => {
  const heartbeat = fault === "loop" || fault === "stop" ? "1500 millis" : "30 seconds"
  const hosts = { entry, spares: 1, heartbeat } as const
  switch (placement) {
    case "fiber":
      return ActorSystem.layerFiber([TallyBehavior])
    case "thread":
      return ActorSystem.layerThread(hosts)
    case "process":
      return ActorSystem.layerProcess({ ...hosts, memoryLimit: { heap: 40 } })
    case "runner":
      return runner({ ...hosts, memoryLimit: { heap: 40 } }, { heartbeat })
  }
}

const kinds: Record<Fault.Fault, DeathKind> = {
  terminate: "Killed",
  exit: "HostExited",
  throw: "HostExited",
  reject: "HostExited",
  memory: "HostExited",
  loop: "Unresponsive",
  stop: "Unresponsive"
}

for (const placement of ["fiber", "thread", "process", "runner"] as const) {
  describe(`kill in a ${placement}`, () => {
    it.live.each(Fault.possible[placement])("%s", (fault) =>
      Effect.gen(function*() {
        const system = yield* ActorSystem
        const events = yield* Queue.unbounded<LifecycleEvent>()
        yield* Effect.forkScoped(Stream.runForEach(system.events, (event) => Queue.offer(events, event)), {
          startImmediately: true
        })
        const restarted = Effect.gen(function*() {
          while (true) {
            const event = yield* Queue.take(events)
            if (event._tag === "Restarted") return event
          }
        })
        const tally = yield* system.spawn(Tally, {
          name: "a",
          config: { start: 0 },
          supervision: Supervision.oneForOne({ maxRestarts: 50 })
        })
        const slow = yield* Effect.forkChild(tally.Slow({ millis: 20 }), { startImmediately: true })
        yield* system.kill(tally, fault)
        assert.strictEqual(yield* tally.Add({ n: 1 }), 1)
        yield* Fiber.join(slow)
        const { death, recoveryMillis } = yield* restarted
        const expected = placement === "fiber" && fault === "throw" ? "Defect" : kinds[fault]
        assert.deepStrictEqual([fault, death.kind], [fault, expected])
        if (fault === "throw" || fault === "reject") assert.strictEqual(death.tag, "Injected")
        assert.isAbove(recoveryMillis, 0)
      }).pipe(Effect.scoped, Effect.provide(systemFor(placement, fault))))
  })
}

it.live("what is not possible is refused in a sentence", () =>
  Effect.gen(function*() {
    const system = yield* ActorSystem
    const tally = yield* system.spawn(Tally, { config: { start: 0 } })
    const refused = yield* Effect.flip(system.kill(tally, "stop"))
    assert.strictEqual(
      refused.message,
      `option "how" of ActorSystem.kill of a fiber must be "terminate" or "throw", not "stop"`
    )
  }).pipe(Effect.scoped, Effect.provide(systemFor("fiber", "stop"))))

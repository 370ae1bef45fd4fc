/** Options are refused where they are given, in one sentence. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Layer } from "effect"
import { ActorSystem, type ThreadSystemOptions } from "../../src/actors/ActorSystem.ts"
import * as Supervision from "../../src/actors/Supervision.ts"
import { makeGate, Probe } from "./fixtures/probe.ts"
import { Tally, TallyBehavior } from "./fixtures/tally.ts"
import { entry, placements } from "./placements.ts"

const refusal = (options: object) =>
  Effect.map(
    Effect.flip(Effect.scoped(
      // Wrong on purpose: what the types do not catch, or somebody without types writes.
      Layer.build(ActorSystem.layerThread({ entry, ...options } as ThreadSystemOptions))
    )),
    ({ message }) => message
  )

describe("options", () => {
  it.effect("of a layer", () =>
    Effect.gen(function*() {
      const cases: ReadonlyArray<readonly [object, string]> = [
        [{ hosts: Number.NaN }, `"hosts" of ActorSystem.layerThread must be a whole number of at least 1, not NaN`],
        [{ hosts: 0 }, "a whole number of at least 1, not 0"],
        [{ hosts: 512 }, "a whole number from 1 to 511, not 512"],
        [{ mailbox: 0 }, `"mailbox" of`],
        [{ spares: 65 }, `"spares" of ActorSystem.layerThread must be a whole number from 0 to 64, not 65`],
        [{ heartbeat: Number.NaN }, "must be a duration above zero, not NaN"],
        [{ heartbeat: "0 millis" }, "must be a duration above zero"],
        [{ startDeadline: "Infinity" }, "must be a duration of at most 24 days"],
        [{ grace: "soon" }, `must be a duration of at most 24 days, not negative, not "soon"`],
        [{ askDeadline: -1 }, "must be a duration, not negative, not -1"],
        [{ supervision: Supervision.oneForOne({ maxRestarts: 1.5 }) }, `"supervision.maxRestarts" of`]
      ]
      for (const [options, expected] of cases) assert.include(yield* refusal(options), expected)
      const nested = yield* Effect.flip(
        Effect.scoped(Layer.build(ActorSystem.layer({ process: { entry, hosts: -1 } })))
      )
      assert.include(nested.message, `"process.hosts" of ActorSystem.layer must`)
    }))

  it.effect("of a spawn, its supervision, and an ask", () =>
    Effect.gen(function*() {
      const system = yield* ActorSystem
      const config = { start: 0 }
      const cases: ReadonlyArray<readonly [object, string]> = [
        [{ mailbox: 0 }, `"mailbox" of ActorSystem.spawn must be a whole number of at least 1, not 0`],
        [{ name: "" }, `"name" of`],
        [{ host: -1 }, `"host" of`],
        [{ placement: "cloud" }, `must be "fiber" or "thread" or "process", not "cloud"`],
        [{ supervision: Supervision.oneForOne({ maxConsecutive: 0 }) }, `"supervision.maxConsecutive" of`],
        [{ supervision: Supervision.oneForAll({ within: Number.NaN }) }, `"supervision.withinMillis" of`]
      ]
      for (const [options, expected] of cases) {
        assert.include((yield* Effect.flip(system.spawn(Tally, { config, ...options }))).message, expected)
      }
      const tally = yield* system.spawn(Tally, { name: "a", config })
      const refused = yield* Effect.flip(tally.Add({ n: 1 }, { deadline: Number.NaN }))
      assert.strictEqual(
        refused.message,
        "the options of a.Add were refused: its deadline must be a duration, not negative"
      )
      assert.deepInclude(yield* tally.Read(), { total: 0 })
    }).pipe(Effect.scoped, Effect.provide(ActorSystem.layerFiber([TallyBehavior]))))
})

it.live("an interrupted spawn leaves its name at once", () =>
  Effect.gen(function*() {
    const system = yield* ActorSystem
    const config = { gate: makeGate(), start: 0 }
    const spawning = yield* Effect.forkChild(
      system.spawn(Probe, { name: "a", config, placement: "thread" }),
      { startImmediately: true }
    )
    yield* Fiber.interrupt(spawning)
    const again = yield* system.spawn(Probe, { name: "a", config })
    assert.strictEqual(yield* again.Append({ n: 1 }), 2)
  }).pipe(Effect.scoped, Effect.provide(placements.thread())))

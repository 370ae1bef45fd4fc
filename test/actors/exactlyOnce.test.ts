/**
 * The promise itself, as a property: whatever is killed, whenever, the replies and the final state are those of a run in
 * which nothing happened.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber, Schema } from "effect"
import { ActorSystem } from "../../src/actors/ActorSystem.ts"
import * as Supervision from "../../src/actors/Supervision.ts"
import { makeGate, Probe } from "./fixtures/probe.ts"
import { placements, thread } from "./placements.ts"

const supervision = Supervision.oneForOne({ maxRestarts: Number.POSITIVE_INFINITY })

/** What is done to one of three actors: a message, a message that kills on its first runs, or a kill from outside. */
const Step = Schema.Struct({
  actor: Schema.Literals([0, 1, 2]),
  kind: Schema.Literals(["append", "append", "append", "refused", "crash", "kill"]),
  pause: Schema.Boolean
})
const Steps = Schema.Array(Step).check(Schema.isMinLength(1), Schema.isMaxLength(40))

const run = (steps: typeof Steps.Type, disturbed: boolean) =>
  Effect.gen(function*() {
    const system = yield* ActorSystem
    const probes = yield* Effect.forEach([0, 1, 2], () =>
      system.spawn(Probe, { config: { gate: makeGate(), start: 0 }, supervision, mailbox: 5 }))
    const crashes = [0, 0, 0]
    const asks: Array<Fiber.Fiber<unknown>> = []
    for (const [index, step] of steps.entries()) {
      const probe = probes[step.actor]!
      const fork = <E>(ask: Effect.Effect<number, E>) =>
        Effect.map(Effect.forkChild(Effect.result(ask), { startImmediately: true }), (fiber) =>
          void asks.push(fiber))
      if (step.kind === "append") yield* fork(probe.Append({ n: index }))
      if (step.kind === "refused") yield* fork(probe.Append({ n: -1 - index }))
      if (step.kind === "crash") {
        crashes[step.actor]! += disturbed ? 2 : 0
        yield* fork(probe.Crash({ n: index, times: crashes[step.actor]!, mode: "die" }))
      }
      if (step.kind === "kill" && disturbed) yield* Effect.forkChild(system.kill(probe), { startImmediately: true })
      if (step.pause) yield* Effect.yieldNow
    }
    const replies = yield* Effect.forEach(asks, (fiber) => Fiber.join(fiber))
    const logs = yield* Effect.forEach(probes, (probe) => probe.Log())
    return { replies, logs }
  }).pipe(Effect.scoped)

describe("exactly once", () => {
  it.live.prop("fibers", [Steps], ([steps]) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* run(steps, true), yield* run(steps, false))
    }).pipe(Effect.provide(placements.fiber())), { arbitrary: { runs: 200 } })

  it.live.prop("threads", [Steps], ([steps]) =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* run(steps, true), yield* run(steps, false))
    }).pipe(Effect.provide(thread({ spares: 1 }))), { arbitrary: { runs: 6 }, timeout: 120_000 })

  it.live("a long run under many kills", () =>
    Effect.gen(function*() {
      const system = yield* ActorSystem
      const probes = yield* Effect.forEach([0, 1, 2, 3], (host) =>
        system.spawn(Probe, { config: { gate: makeGate(), start: 0 }, supervision, host: host % 2 }))
      for (let round = 1; round <= 200; round++) {
        const asks = Effect.forEach(probes, (probe) =>
          probe.Append({ n: round }), { concurrency: "unbounded" })
        const kill = round % 20 === 7 ? system.kill(probes[round % 4]!) : Effect.void
        const [lengths] = yield* Effect.all([asks, kill], { concurrency: "unbounded" })
        assert.deepStrictEqual(lengths, [round + 1, round + 1, round + 1, round + 1])
      }
      assert.isAbove((yield* system.actors).reduce((sum, { restarts }) => sum + restarts, 0), 10)
    }).pipe(Effect.scoped, Effect.provide(thread({ spares: 1 }))))
})

/** What is particular to fibers: actors that ask actors, within one stack. */
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Scheduler, Schema } from "effect"
import * as Actor from "../../../src/actors/Actor.ts"
import { Rpc } from "../../../src/actors/Actor.ts"
import { ActorSystem } from "../../../src/actors/ActorSystem.ts"
import { makeGate, Probe, ProbeBehavior } from "../fixtures/probe.ts"
import { entry } from "../placements.ts"

class Link extends Actor.make("Link", {
  config: Schema.Struct({ index: Schema.Int }),
  protocol: [Rpc.make("Pass", { payload: { on: Schema.Int }, success: Schema.Int })]
}) {}

class Unit extends Context.Service<Unit, { readonly one: number }>()("Unit") {}

/** Adds one and asks the next of the chain. */
const LinkBehavior = Link.behavior(({ config }) =>
  Effect.gen(function*() {
    const system = yield* ActorSystem
    const { one } = yield* Unit
    return {
      handlers: {
        Pass: ({ on }) =>
          on === 0 ? Effect.succeed(0) : Effect.gen(function*() {
            const next = yield* system.lookup(Link, `link/${config.index + 1}`)
            return one + (yield* next.Pass({ on: on - 1 }))
          }).pipe(Effect.orDie)
      }
    }
  })
)

const layer = ActorSystem.layerFiber([LinkBehavior]).pipe(Layer.provide(Layer.succeed(Unit, { one: 1 })))

describe("fibers", () => {
  it.live("wherever the actor's fiber yields, a message that comes meanwhile is found", () =>
    Effect.gen(function*() {
      for (let operations = 3; operations < 24; operations++) {
        const answers = Effect.gen(function*() {
          const probe = yield* ActorSystem.spawn(Probe, { config: { gate: makeGate(), start: 0 } })
          for (let n = 1; n <= 5; n++) {
            assert.strictEqual(yield* probe.Append({ n }, { deadline: "5 seconds" }), n + 1)
            yield* Effect.yieldNow
          }
        })
        yield* Effect.scoped(Effect.provide(answers, ActorSystem.layerFiber([ProbeBehavior]))).pipe(
          Effect.provideService(Scheduler.MaxOpsBeforeYield, operations)
        )
      }
    }))

  it.live("a long chain of actors that ask each other does not fill the stack", () =>
    Effect.gen(function*() {
      const length = 5000
      const links = yield* Effect.forEach(
        Array.from({ length: length + 1 }, (_, index) => index),
        (index) => ActorSystem.spawn(Link, { name: `link/${index}`, config: { index } })
      )
      assert.strictEqual(yield* links[0]!.Pass({ on: length }), length)
      const system = yield* ActorSystem
      assert.strictEqual((yield* system.actors).reduce((sum, { restarts }) => sum + restarts, 0), 0)
    }).pipe(Effect.scoped, Effect.provide(layer)))

  it.live("an actor that asks itself is told so, and not by a deadline", () =>
    Effect.gen(function*() {
      const link = yield* ActorSystem.spawn(Link, { name: "link/1", config: { index: 0 } })
      const failure = yield* Effect.flip(link.Pass({ on: 1 }))
      assert.strictEqual(failure._tag === "RestartLimitReached" ? failure.death.tag : failure._tag, "AskCycle")
    }).pipe(Effect.scoped, Effect.provide(layer)))

  it.live("both placements in one system, chosen per spawn", () =>
    Effect.gen(function*() {
      const config = { gate: makeGate(), start: 0 }
      const [near, far] = yield* Effect.all([
        ActorSystem.spawn(Probe, { name: "near", config, placement: "fiber" }),
        ActorSystem.spawn(Probe, { name: "far", config })
      ])
      yield* near.Append({ n: 1 })
      yield* far.Append({ n: 2 })
      const system = yield* ActorSystem
      assert.deepStrictEqual(
        (yield* system.actors).map(({ name, placement }) => [name, placement]),
        [["near", "fiber"], ["far", "thread"]]
      )
      assert.deepStrictEqual([yield* near.Log(), yield* far.Log()], [[0, 1], [0, 2]])
    }).pipe(Effect.scoped, Effect.provide(ActorSystem.layer({ fiber: [ProbeBehavior], thread: { entry } }))))
})

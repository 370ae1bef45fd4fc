/** The same wrong value is held against the same side, in the same words, wherever an actor lives. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { ActorSystem } from "../../src/actors/ActorSystem.ts"
import type { Placement } from "../../src/actors/Placement.ts"
import { bump, makeGate, Probe, ProbeBehavior } from "./fixtures/probe.ts"
import { entry } from "./placements.ts"

const everywhere = ActorSystem.layer({ fiber: [ProbeBehavior], thread: { entry }, process: { entry } })

const placements: ReadonlyArray<Placement> = ["fiber", "thread", "process"]

/** What plain JavaScript may send where the types are not looked at. */
const wrong: ReadonlyArray<unknown> = [
  { n: "one" },
  { n: 1.5 },
  { n: Number.NaN },
  { n: 1n },
  { n: undefined },
  {},
  [1],
  null,
  undefined,
  "one",
  {
    get n(): number {
      throw new RangeError("no n")
    }
  }
]

const spawn = (placement: Placement, start: unknown = 0) =>
  ActorSystem.spawn(Probe, { name: "a", placement, config: { gate: makeGate(), start: start as number } })

/** What each placement says, which must be the same; given once. */
const alike = <A, E, R>(say: (placement: Placement) => Effect.Effect<A, E, R>) =>
  Effect.gen(function*() {
    const [first, ...others] = yield* Effect.forEach(placements, (placement) => Effect.scoped(say(placement)))
    for (const other of others) assert.deepStrictEqual(other, first)
    return first!
  })

describe("blame", () => {
  it.live("lies with who made the wrong value, in every placement", () =>
    Effect.gen(function*() {
      const payloads = yield* alike((placement) =>
        Effect.gen(function*() {
          const probe = yield* spawn(placement)
          const said: Array<unknown> = []
          for (const payload of wrong) {
            const refused = yield* Effect.flip(probe.Append(payload as { readonly n: number }))
            said.push(refused._tag, refused.message, (yield* Effect.flip(probe.tell.Append(payload as never))).message)
          }
          // Nobody has died of it, and nothing of it was kept.
          said.push(yield* probe.Incarnation(), yield* probe.Log())
          return said
        })
      )
      assert.strictEqual(payloads[0], "MessageRefused")
      assert.strictEqual(payloads[1], `the payload of a.Append was refused: Expected number at ["n"]`)
      assert.deepStrictEqual(payloads.slice(-2), [1, [0]])

      const replies = yield* alike((placement) =>
        Effect.gen(function*() {
          const probe = yield* spawn(placement)
          const success = yield* Effect.flip(probe.WrongReply())
          const failure = yield* Effect.flip(probe.WrongFailure())
          return [success._tag, success.message, failure._tag, failure.message, yield* probe.Incarnation()]
        })
      )
      assert.strictEqual(replies[1], "the reply of a.WrongReply was refused: Expected an integer")
      assert.strictEqual(replies[2], "MessageRefused")
      assert.strictEqual(replies[4], 1)

      const configs = yield* alike((placement) =>
        Effect.map(Effect.flip(spawn(placement, 1.5)), (failure) => [failure._tag, failure.message])
      )
      assert.deepStrictEqual(configs, [
        "StartFailed",
        `a could not start: its config does not fit its schema: Expected an integer at ["start"]`
      ])
    }).pipe(Effect.scoped, Effect.provide(everywhere)))

  it.live("between fibers nobody looks where checks are off", () =>
    Effect.gen(function*() {
      const gate = makeGate()
      bump(gate, "released")
      const probe = yield* ActorSystem.spawn(Probe, { config: { gate, start: 0, exitAtStart: 1.5 } })
      yield* probe.Send({ until: 0.5 })
      assert.strictEqual(yield* probe.WrongReply(), 1.5)
    }).pipe(Effect.scoped, Effect.provide(ActorSystem.layerFiber([ProbeBehavior], { checks: false }))))
})

/** What travels between processes: as many bytes as were reckoned, whichever is smaller, and the same numbers. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { planLayer } from "../../../src/runtime/algorithms/index.ts"
import * as configSources from "../../../src/runtime/config/configSources.ts"
import { CurrentConfig } from "../../../src/runtime/config/RunConfig.ts"
import { UpdatePlan } from "../../../src/runtime/plan/UpdatePlan.ts"
import { Run } from "../../../src/runtime/Run.ts"
import { DataPlane } from "../../../src/runtime/workers/DataPlane.ts"
import * as Parcel from "../../../src/runtime/workers/Parcel.ts"
import { asksAgain } from "../../../src/runtime/workers/shipment.ts"

const small: configSources.PartialConfig = { nEnvs: 6, workers: 2, placement: "process", seed: 1, totalTimesteps: 600 }
/** A small network and long fragments: gradients are smaller. */
const longOnes: configSources.PartialConfig = { ...small, hidden: [2], nSteps: 50 }

const planeOf = <A>(
  given: configSources.PartialConfig,
  f: (plane: DataPlane["Service"], plan: UpdatePlan["Service"]) => A
) =>
  Effect.gen(function*() {
    const config = yield* configSources.resolve({ given })
    return yield* Effect.gen(function*() {
      return f(yield* DataPlane, yield* UpdatePlan)
    }).pipe(
      Effect.provide(
        DataPlane.layer.pipe(Layer.provideMerge(planLayer), Layer.provide(CurrentConfig.layer(config)))
      )
    )
  }).pipe(Effect.provide(NodeServices.layer))

/** Bytes of a round of all workers, there and back. */
const bytesOf = ({ arena, layout, ship }: DataPlane["Service"], plan: UpdatePlan["Service"]): number => {
  let bytes = 0
  for (let worker = 0; worker < layout.spec.workers; worker++) {
    const trainer = Parcel.trainerEnd(arena.buffer, layout, worker)
    const given = trainer.forWork(1, 0, ship === "experience" || asksAgain(plan))
    const { made } = Effect.runSync(Effect.map(Parcel.workerEnd(trainer.ownPlane()), (own) => {
      own.forWork(given, 1, 0)
      return { made: own.worked(1, given) }
    }))
    trainer.worked(1, given, made)
    bytes += given.weights.length + given.slots.length + made.slots.length + made.units.length
  }
  return bytes
}

describe("what travels", () => {
  it.live("is smaller than the other, by bytes that were known before", () =>
    Effect.gen(function*() {
      for (const [given, ship] of [[small, "experience"], [longOnes, "gradients"]] as const) {
        const { bytes, plane } = yield* planeOf(given, (plane, plan) => ({ plane, bytes: bytesOf(plane, plan) }))
        assert.strictEqual(plane.ship, ship)
        const { spec } = plane.layout
        const travels = plane.travels!
        assert.strictEqual(bytes, Math.round(travels[ship] * spec.slots * spec.steps))
        assert.isBelow(travels[ship], travels[ship === "experience" ? "gradients" : "experience"])
      }
    }))

  it.live("is what somebody chose, and what it was where all see the same memory", () =>
    Effect.gen(function*() {
      const ships = yield* Effect.forEach(
        [
          { ...small, ship: "gradients" },
          { ...longOnes, ship: "experience" },
          { ...small, placement: "thread" },
          { ...small, placement: "fiber" },
          { ...longOnes, algo: "ppo" },
          { ...small, algo: "a3c" }
        ] as const,
        (given) => planeOf(given, ({ ship }) => ship)
      )
      assert.deepStrictEqual(ships, ["gradients", "experience", "gradients", "gradients", "experience", "gradients"])
    }))

  it.live("is said in a notice, and changes no weight", () =>
    Effect.gen(function*() {
      const hashOf = Effect.fnUntraced(function*(given: configSources.PartialConfig) {
        const events = yield* Stream.runCollect(Run.events(given))
        const notices = events.flatMap((event) => event.event === "notice" ? [event.message] : [])
        const last = events.at(-1)
        assert(last?.event === "finished")
        return { hash: last.weights_sha256, notice: notices.find((text) => / bytes a step; /.test(text)) }
      })
      for (const [given, said] of [[small, /^experience travels, /], [longOnes, /^gradients travel, /]] as const) {
        const here = yield* hashOf({ ...given, placement: "fiber" })
        const there = yield* hashOf(given)
        assert.isUndefined(here.notice)
        assert.match(there.notice ?? "", said)
        assert.strictEqual(there.hash, here.hash)
      }
    }).pipe(Effect.provide(NodeServices.layer)), 30_000)

  it.live("is all of the experience where somebody listens", () =>
    Effect.gen(function*() {
      const batches = (given: configSources.PartialConfig) =>
        Stream.take(Run.experience({ ...small, ship: "gradients", ...given }), 2).pipe(
          // Activations are kept where all see the same memory, and nowhere else.
          Stream.map((batch) => batch.map(({ activations: _, ...experience }) => experience)),
          Stream.runCollect
        )
      assert.deepStrictEqual(yield* batches({}), yield* batches({ placement: "fiber" }))
    }).pipe(Effect.provide(NodeServices.layer)), 30_000)
})

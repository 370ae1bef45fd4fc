/** Services of a run that a program gives instead of the run's own. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { CpuDevice } from "../../src/model/CpuDevice.ts"
import { Device } from "../../src/model/Device.ts"
import type { PartialConfig } from "../../src/runtime/config/configSources.ts"
import { Seed } from "../../src/runtime/config/Seed.ts"
import { Evaluator } from "../../src/runtime/evaluation/Evaluator.ts"
import { Learner } from "../../src/runtime/learning/Learner.ts"
import { Run, weightsHash } from "../../src/runtime/Run.ts"
import { DataPlane } from "../../src/runtime/workers/DataPlane.ts"

const short: PartialConfig = { totalTimesteps: 1_000, nEnvs: 4, placement: "fiber" }

const trained = Run.use((run) => run.train())

const hashOf = (given: PartialConfig) =>
  Effect.map(Effect.provide(trained, Run.layer({ ...short, ...given })), ({ weights_sha256 }) => weights_sha256)

describe("services of a run", () => {
  it.live("a seed that stands around the run is its seed", () =>
    Effect.gen(function*() {
      const layer = Run.layer({ ...short, seed: 1 }).pipe(Layer.provide(Seed.layerTest(7)))
      const finished = yield* Effect.provide(trained, layer)
      assert.strictEqual(finished.seed, 7)
      assert.strictEqual(finished.weights_sha256, yield* hashOf({ seed: 7 }))
      assert.notStrictEqual(finished.weights_sha256, yield* hashOf({ seed: 1 }))
    }).pipe(Effect.provide(NodeServices.layer)))

  it.live("a seed may be handed over, as a Layer that fails and needs what it says", () =>
    Effect.gen(function*() {
      const layer = Run.layer({ ...short, seed: 1 }, { seed: Seed.layerTest(7) })
      assert.strictEqual((yield* Effect.provide(trained, layer)).weights_sha256, yield* hashOf({ seed: 7 }))
      const failing = Run.layer(short, { seed: Layer.effect(Seed, Effect.fail("no seed today" as const)) })
      const error = yield* Effect.flip(Effect.provide(trained, failing))
      assert.strictEqual(error, "no seed today")
    }).pipe(Effect.provide(NodeServices.layer)))

  it.live("a device may stand on the run's own memory", () =>
    Effect.gen(function*() {
      let updates = 0
      const device = Layer.effect(
        Device,
        Effect.map(DataPlane, ({ arena, kernels }) => {
          const cpu = CpuDevice.make(arena, kernels)
          return Device.from({
            ...cpu,
            model: (spec, initial) =>
              Effect.map(cpu.model(spec, initial), (model) => ({
                ...model,
                apply: (gradients, step) => {
                  updates++
                  return model.apply(gradients, step)
                }
              }))
          })
        })
      )
      const finished = yield* Effect.provide(trained, Run.layer(short, { device }))
      assert.strictEqual(updates, finished.updates)
      assert.strictEqual(finished.weights_sha256, yield* hashOf({}))
    }).pipe(Effect.provide(NodeServices.layer)))

  it.live("an evaluator of one's own says when a run is solved", () =>
    Effect.gen(function*() {
      let asked = 0
      const evaluator = Layer.succeed(Evaluator, {
        evaluate: () =>
          Effect.sync(() => {
            asked++
            return { returns: Float64Array.of(475), mean: 475, std: 0, min: 475, max: 475 }
          })
      })
      const events = yield* Stream.runCollect(
        Run.events({ placement: "fiber", totalTimesteps: 60_000 }, { evaluator })
      )
      const last = [...events].at(-1)
      if (last?.event !== "finished") throw new Error("a run must end with finished")
      assert.deepInclude(last, { solved: true, eval_mean: 475 })
      assert.strictEqual(asked, 1)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.live("a learner of one's own gets the experience of EnvWorkers, here to learn nothing from it", () =>
    Effect.gen(function*() {
      const seen: Array<number> = []
      let constant = new Float32Array()
      const learner = Layer.effect(
        Learner,
        Effect.gen(function*() {
          const { parameters, publish } = yield* DataPlane
          const weights = constant = new Float32Array(parameters.size).fill(0.01)
          let version = 0
          publish(version, weights)
          return Learner.of({
            version: Effect.sync(() => version),
            weights: Effect.sync(() => weights.slice()),
            update: (fragments, gradients) =>
              Effect.sync(() => {
                assert.isUndefined(gradients)
                for (const { environment, rows } of fragments) seen.push(environment * rows)
                publish(++version, weights)
                return Learner.report({ version, loss: { policyLoss: 0, valueLoss: 0, entropy: 0 } })
              })
          })
        })
      )
      const finished = yield* Effect.provide(
        trained,
        Run.layer({ ...short, placement: "thread", workers: 2 }, { learner })
      )
      assert.strictEqual(finished.weights_sha256, weightsHash(constant))
      assert.deepStrictEqual(seen.slice(0, 4), [0, 5, 10, 15])
      assert.strictEqual(finished.env_steps, 1_000)
    }).pipe(Effect.provide(NodeServices.layer)))

  it.live("experience comes as a stream of batches, and is the same whatever the layout", () =>
    Effect.gen(function*() {
      const batches = (given: PartialConfig) =>
        Effect.map(
          Stream.runCollect(Stream.take(Run.experience({ ...short, ...given }), 5)),
          (taken) => [...taken]
        )
      const alone = yield* batches({})
      assert.deepStrictEqual(alone.map((batch) => batch.length), [4, 4, 4, 4, 4])
      for (const [k, { environment, observations, rewards, rows, version }] of alone[2]!.entries()) {
        assert.deepStrictEqual([environment, rows, version], [k, 5, 2])
        assert.deepStrictEqual([observations.length, rewards.length], [24, 5])
      }
      // What follows a fragment is what the next begins with.
      assert.deepStrictEqual(alone[0]![1]!.observations.slice(20), alone[1]![1]!.observations.slice(0, 4))
      const columns = (given: typeof alone) =>
        given.flat().map(({ actions, logProbabilities, observations, values }) => [
          actions,
          logProbabilities,
          observations,
          values
        ])
      assert.deepStrictEqual(columns(yield* batches({ placement: "thread", workers: 2 })), columns(alone))
    }).pipe(Effect.provide(NodeServices.layer)))
})

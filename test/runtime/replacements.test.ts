/** Services of a run that a program gives instead of the run's own. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { CpuDevice } from "../../src/model/CpuDevice.ts"
import { Device } from "../../src/model/Device.ts"
import type { PartialConfig } from "../../src/runtime/config/configSources.ts"
import { Seed } from "../../src/runtime/config/Seed.ts"
import { Evaluator } from "../../src/runtime/evaluation/Evaluator.ts"
import { Run } from "../../src/runtime/Run.ts"
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
})

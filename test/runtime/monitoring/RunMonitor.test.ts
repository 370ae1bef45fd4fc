/** What the monitor counts is held against what the workers say of themselves. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Ref } from "effect"
import { CpuDevice } from "../../../src/model/CpuDevice.ts"
import { Device } from "../../../src/model/Device.ts"
import { planLayer } from "../../../src/runtime/algorithms/index.ts"
import * as configSources from "../../../src/runtime/config/configSources.ts"
import { CurrentConfig } from "../../../src/runtime/config/RunConfig.ts"
import { Seed } from "../../../src/runtime/config/Seed.ts"
import { Evaluator } from "../../../src/runtime/evaluation/Evaluator.ts"
import { Learner, type LearnReport } from "../../../src/runtime/learning/Learner.ts"
import { Restarts, RunMonitor } from "../../../src/runtime/monitoring/RunMonitor.ts"
import { DataPlane } from "../../../src/runtime/workers/DataPlane.ts"

const layer = Layer.unwrap(
  Effect.map(configSources.resolve({ given: { nEnvs: 2 } }), (config) =>
    RunMonitor.layer.pipe(
      Layer.provide(Layer.mergeAll(Learner.layer, Evaluator.layer)),
      Layer.provide(Layer.effect(
        Device,
        Effect.map(DataPlane, ({ arena, kernels }) => Device.from(CpuDevice.make(arena, kernels)))
      )),
      Layer.provideMerge(Layer.mergeAll(DataPlane.layer, Restarts.layer)),
      Layer.provide(planLayer),
      Layer.provide(Seed.layer),
      Layer.provide(CurrentConfig.layer(config))
    ))
).pipe(Layer.provide(NodeServices.layer))

const report: LearnReport = {
  loss: { policyLoss: 0, valueLoss: 0, entropy: 0 },
  gradNorm: 0,
  learningRate: 0,
  explainedVariance: () => null,
  staleness: 0,
  refused: false,
  version: 1
}

describe("RunMonitor", () => {
  it.effect("counts as lost what it was given and no worker has in its own count", () =>
    Effect.gen(function*() {
      const monitor = yield* RunMonitor
      const { slots } = yield* DataPlane
      const iteration = (first: number, second: number) =>
        monitor.record([{
          fragments: [
            { environment: 0, rows: 5, total: first, slot: slots[0]! },
            { environment: 1, rows: 5, total: second, slot: slots[1]! }
          ],
          report
        }])
      yield* iteration(5, 5)
      assert.deepInclude(yield* monitor.status, { envSteps: 10, lostSteps: 0 })
      // The second worker came back from a state three steps older than the one it had answered with.
      yield* iteration(10, 7)
      assert.deepInclude(yield* monitor.status, { envSteps: 20, lostSteps: 3 })
      yield* iteration(15, 12)
      assert.deepInclude(yield* monitor.status, { envSteps: 30, lostSteps: 3 })
    }).pipe(Effect.provide(layer)))

  it.effect("tells how many restarts there were, and how long the last took", () =>
    Effect.gen(function*() {
      const monitor = yield* RunMonitor
      assert.deepInclude(yield* monitor.status, { restarts: 0, recoveryMillis: null })
      yield* Ref.set(yield* Restarts, { count: 2, lastMillis: 41.5 })
      assert.deepInclude(yield* monitor.status, { restarts: 2, recoveryMillis: 41.5 })
    }).pipe(Effect.provide(layer)))
})

/** What the Learner does with gradients that others computed, and with those that come too late. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer } from "effect"
import { CpuDevice } from "../../../src/model/CpuDevice.ts"
import { Device } from "../../../src/model/Device.ts"
import { Statistic } from "../../../src/model/losses/Loss.ts"
import { planLayer } from "../../../src/runtime/algorithms/index.ts"
import * as configSources from "../../../src/runtime/config/configSources.ts"
import { CurrentConfig } from "../../../src/runtime/config/RunConfig.ts"
import { Seed } from "../../../src/runtime/config/Seed.ts"
import { Learner } from "../../../src/runtime/learning/Learner.ts"
import { DataPlane } from "../../../src/runtime/workers/DataPlane.ts"
import type { Fragment } from "../../../src/runtime/workers/dataPlaneLayout.ts"

const layer = (given: configSources.PartialConfig) =>
  Layer.unwrap(
    Effect.map(configSources.resolve({ given: { preset: "a3c", nEnvs: 2, ...given } }), (config) =>
      Learner.layer.pipe(
        Layer.provide(Layer.effect(
          Device,
          Effect.map(DataPlane, ({ arena, kernels }) => Device.from(CpuDevice.make(arena, kernels)))
        )),
        Layer.provideMerge(DataPlane.layer),
        Layer.provide(planLayer),
        Layer.provideMerge(Seed.layer),
        Layer.provide(CurrentConfig.layer(config))
      ))
  ).pipe(Layer.provide(NodeServices.layer))

/** A piece of work of `rows` rows that was begun with weights `version`, its gradient all `slope`. */
const arrival = Effect.fnUntraced(function*(version: number, slope = 0.5, environment = 0) {
  const { slots, units } = yield* DataPlane
  const slot = slots[environment]!
  const { gradient, statistics } = units[environment]!
  gradient.fill(slope)
  statistics.fill(0)
  statistics[Statistic.rows] = 10
  const fragment: Fragment = { environment, rows: 10, total: 10, version, slot }
  return fragment
})

/** The first pass came with the fragments, and there is no other. */
const none = () => Effect.die("nothing else was to be computed")

describe("Learner", () => {
  it.effect("drops what is older than allowed: no weight changes, no version, but its experience is counted", () =>
    Effect.gen(function*() {
      const learner = yield* Learner
      const { weights: banks } = yield* DataPlane
      const first = yield* learner.update([yield* arrival(0)], none)
      assert.deepInclude(first, { refused: false, staleness: 0, version: 1 })
      const second = yield* learner.update([yield* arrival(0)], none)
      assert.deepInclude(second, { refused: false, staleness: 1, version: 2 })

      const weights = yield* learner.weights
      const published = banks.map((bank) => bank.slice())
      const late = yield* learner.update([yield* arrival(0)], none)
      assert.deepInclude(late, { refused: true, staleness: 2, version: 2, gradNorm: 0 })
      assert.deepStrictEqual(yield* learner.weights, weights)
      assert.deepStrictEqual(banks.map((bank) => bank.slice()), published)
      assert.strictEqual(yield* learner.version, 2)

      // The optimizer did not notice either: what follows is as if it had never come.
      const after = yield* learner.update([yield* arrival(1)], none)
      assert.deepInclude(after, { refused: false, version: 3 })
      const unharmed = yield* Effect.gen(function*() {
        const other = yield* Learner
        for (let version = 0; version < 3; version++) yield* other.update([yield* arrival(version)], none)
        return yield* other.weights
      }).pipe(Effect.provide(layer({ lrSchedule: "constant" })))
      assert.deepStrictEqual(yield* learner.weights, unharmed)
      assert.notDeepEqual(yield* learner.weights, weights)
    }).pipe(Effect.provide(layer({ maxStaleness: 1, whenStale: "refuse", lrSchedule: "constant" }))))

  it.effect("takes whatever comes where there is no bound", () =>
    Effect.gen(function*() {
      const learner = yield* Learner
      for (let update = 0; update < 5; update++) {
        const report = yield* learner.update([yield* arrival(0)], none)
        assert.deepInclude(report, { refused: false, staleness: update, version: update + 1 })
      }
    }).pipe(Effect.provide(layer({}))))

  it.effect("lets the learning rate fall by the steps it has consumed, each counted once whatever the epochs", () =>
    Effect.gen(function*() {
      const learner = yield* Learner
      const rates: Array<number> = []
      const computed: Array<number> = []
      for (let update = 0; update < 4; update++) {
        const version = yield* learner.version
        const fragments = [yield* arrival(version), yield* arrival(version, 0.25, 1)]
        const report = yield* learner.update(fragments, (at) => Effect.sync(() => void computed.push(at)))
        rates.push(report.learningRate)
        assert.strictEqual(report.staleness, 0)
      }
      rates.forEach((rate, k) => assert.approximately(rate, 0.01 - 0.008 * Math.min(1, 20 * k / 50), 1e-12))
      // The first epoch's gradient came with the fragments; that of each further is of the version before it.
      assert.deepStrictEqual(computed, [1, 2, 4, 5, 7, 8, 10, 11])
    }).pipe(
      Effect.provide(layer({
        schedule: "sync",
        ship: "gradients",
        nEpochs: 3,
        lr: 0.01,
        lrFinal: 0.002,
        lrSchedule: "linear",
        lrDecaySteps: 50
      }))
    ))
})

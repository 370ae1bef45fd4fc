/** PPO as whole runs: one result on every layout, A2C where nothing of it is left, and what it reports. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import type { PartialConfig } from "../../../src/runtime/config/configSources.ts"
import { train } from "../running.ts"

const short: PartialConfig = { algo: "ppo", nEnvs: 4, nSteps: 10, batchSize: 8, nEpochs: 3, totalTimesteps: 800 }

describe("ppo", () => {
  it.live("gives the same weights on every layout, under kills, and whatever travels", () =>
    Effect.gen(function*() {
      const reference = yield* train(short)
      assert.strictEqual(reference.status.lostSteps, 0)
      const layouts: ReadonlyArray<PartialConfig> = [
        { placement: "thread", workers: 1 },
        { placement: "thread", workers: 2, chaos: 3 },
        { placement: "thread", workers: 4, envsPerWorker: 1 },
        { placement: "process", workers: 2 },
        { ship: "experience" }
      ]
      for (const layout of layouts) {
        const { hash } = yield* train({ ...short, ...layout })
        assert.strictEqual(hash, reference.hash, JSON.stringify(layout))
      }
    }), 120_000)

  const Corner = Schema.Struct({
    network: Schema.Literals(["separate", "shared"]),
    activation: Schema.Literals(["tanh", "relu"]),
    optimizer: Schema.Literals(["adam", "rmsprop"]),
    normalizeAdvantage: Schema.Boolean,
    returns: Schema.Literals(["gae", "n-step"]),
    ship: Schema.Literals(["experience", "gradients"]),
    seed: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 }))
  })

  it.live.prop(
    "is A2C, hash and all, with its clip out of reach, one epoch and one minibatch",
    [Corner],
    ([corner]) =>
      Effect.gen(function*() {
        const given: PartialConfig = { ...corner, preset: "a2c", nEnvs: 4, totalTimesteps: 600 }
        const a2c = yield* train({ ...given, algo: "a2c" })
        const ppo = yield* train({ ...given, algo: "ppo", batchSize: 20, clipRange: 1e9 })
        assert.strictEqual(ppo.hash, a2c.hash)
      }),
    { arbitrary: { runs: 10 } }
  )

  it.live("every part of it matters to the weights", () =>
    Effect.gen(function*() {
      const changes: ReadonlyArray<PartialConfig> = [
        {},
        { nEpochs: 2 },
        { batchSize: 20 },
        { clipRange: 0.01 },
        { clipRangeVf: 0.01 },
        { clipSchedule: "linear", clipRange: 0.02 },
        { entCoef: 0.1 },
        { entCoef: 0.1, entSchedule: "linear" },
        { normalizeAdvantage: false },
        { targetKl: 1e-5 }
      ]
      const hashes = yield* Effect.forEach(changes, (change) =>
        Effect.map(train({ ...short, ...change }), ({ hash }) => hash))
      assert.strictEqual(new Set(hashes).size, changes.length)
    }), 120_000)

  it.live("a target of the KL divergence ends the passes over a batch", () =>
    Effect.gen(function*() {
      const nUpdates = (given: PartialConfig) =>
        Effect.map(train({ ...short, logInterval: 1, ...given }), ({ events }) => {
          const lines = events.flatMap((event) => event.event === "progress" ? [event] : [])
          for (const { approx_kl, clip_fraction } of lines) {
            assert.isTrue(Number.isFinite(approx_kl))
            assert.isTrue(clip_fraction !== null && clip_fraction >= 0 && clip_fraction <= 1)
          }
          return lines.at(-1)!.n_updates
        })
      assert.strictEqual(yield* nUpdates({}), 800 / 40 * 3 * 5)
      // The first pass of all begins at the policy that acted: its step is always taken.
      const few = yield* nUpdates({ targetKl: 1e-9 })
      assert.isTrue(few >= 20 && few < 150, `${few}`)
    }), 60_000)
})

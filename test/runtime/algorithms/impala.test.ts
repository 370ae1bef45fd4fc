/** IMPALA as whole runs: one result for one order of arrivals, what V-trace is where nothing is old, and every device. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type PartialConfig, resolve } from "../../../src/runtime/config/configSources.ts"
import { train } from "../running.ts"

const short: PartialConfig = { algo: "impala", nEnvs: 4, totalTimesteps: 800 }
const seeded: PartialConfig = { ...short, schedule: "seeded" }

/** The largest distance between two runs' weights. */
const apart = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, weight, k) => Math.max(most, Math.abs(weight - b[k]!)), 0)

describe("impala", () => {
  it.live(
    "an order drawn from the seed gives the same weights on every layout, and under kills",
    () =>
      Effect.gen(function*() {
        const reference = yield* train(seeded)
        assert.strictEqual(reference.status.lostSteps, 0)
        assert.isAbove(Math.max(...reference.order.staleness), 0)
        const layouts: ReadonlyArray<PartialConfig> = [
          { placement: "fiber", chaos: 5 },
          { placement: "thread", workers: 2, chaos: 3 },
          { placement: "thread", workers: 4 },
          { placement: "process", workers: 2 }
        ]
        for (const layout of layouts) {
          const ended = yield* train({ ...seeded, ...layout })
          assert.strictEqual(ended.hash, reference.hash, JSON.stringify(layout))
          assert.deepStrictEqual(ended.order, reference.order)
          if (layout.chaos !== undefined) assert.isAtLeast(ended.status.restarts, 1)
        }
      }),
    120_000
  )

  it.live("a run by the clock is repeated from its order of arrivals, under kills too", () =>
    Effect.gen(function*() {
      const recorded = yield* train({ ...short, placement: "thread", workers: 2 })
      assert.isAbove(Math.max(...recorded.order.staleness), 0)
      const layouts: ReadonlyArray<PartialConfig> = [{ chaos: 5 }, { placement: "thread", workers: 4, chaos: 3 }]
      for (const layout of layouts) {
        const { hash } = yield* train({ ...short, ...layout }, recorded.order)
        assert.strictEqual(hash, recorded.hash, JSON.stringify(layout))
      }
    }), 60_000)

  it.live("where nothing is old, it is A3C with n-step returns", () =>
    Effect.gen(function*() {
      const alone: PartialConfig = {
        preset: "a3c",
        nEnvs: 1,
        schedule: "seeded",
        ship: "experience",
        totalTimesteps: 100
      }
      const impala = yield* train({ ...alone, algo: "impala" })
      const a3c = yield* train({ ...alone, algo: "a3c", returns: "n-step" })
      assert.strictEqual(impala.status.updates, a3c.status.updates)
      assert.isBelow(apart(impala.weights, a3c.weights), 1e-4)
      // With several it is not: what is old is weighed.
      const several = yield* train({ ...alone, algo: "impala", nEnvs: 4, totalTimesteps: 400 })
      const other = yield* train({ ...alone, algo: "a3c", returns: "n-step", nEnvs: 4, totalTimesteps: 400 })
      assert.isAbove(apart(several.weights, other.weights), 1e-3)
    }))

  it.live("every setting of it matters, and what it reports are finite numbers", () =>
    Effect.gen(function*() {
      const changes: ReadonlyArray<PartialConfig> = [
        {},
        { clipRhoThreshold: 2 },
        { clipCThreshold: 0.5 },
        { nEpochs: 2 },
        { normalizeAdvantage: true },
        { gamma: 0.9 },
        { maxStaleness: 1 }
      ]
      const runs = yield* Effect.forEach(changes, (change) => train({ ...seeded, logInterval: 1, ...change }))
      assert.strictEqual(new Set(runs.map(({ hash }) => hash)).size, changes.length)
      for (const [k, { events }] of runs.entries()) {
        const lines = events.flatMap((event) => event.event === "progress" ? [event] : [])
        if (k === 0) assert.isTrue(lines.some(({ clip_fraction }) => clip_fraction! > 0))
        for (const { approx_kl, clip_fraction } of lines) {
          assert.isTrue(approx_kl !== null && approx_kl > -1e-6 && Number.isFinite(approx_kl))
          assert.isTrue(clip_fraction !== null && clip_fraction >= 0 && clip_fraction <= 1)
        }
      }
    }), 60_000)

  it.live("every device that is always there learns the same", () =>
    Effect.gen(function*() {
      const given: PartialConfig = { ...seeded, totalTimesteps: 200 }
      const cpu = yield* train(given)
      for (const device of ["reference", "tfjs-cpu", "tfjs-wasm"] as const) {
        const { order, weights } = yield* train({ ...given, device })
        assert.deepStrictEqual(order, cpu.order, device)
        assert.isBelow(apart(weights, cpu.weights), 1e-3, device)
      }
    }), 60_000)

  it.effect("what it is not is refused by name", () =>
    Effect.gen(function*() {
      const refused = (given: PartialConfig) =>
        Effect.map(Effect.flip(resolve({ given: { algo: "impala", ...given } })), ({ message }) => message)
      assert.match(
        yield* refused({ ship: "gradients" }),
        /^--algo impala weighs experience .* leave --ship gradients out\.$/
      )
      assert.match(
        yield* refused({ schedule: "sync" }),
        /^--algo impala goes with --async or --async seeded, not with --sync\.$/
      )
      assert.match(
        yield* refused({ gaeLambda: 0.9 }),
        /^--gae-lambda is for a2c, a3c and ppo, and this run is impala\./
      )
      assert.match(
        yield* refused({ clipCThreshold: 2 }),
        /^--clip-c-threshold 2 must be at most --clip-rho-threshold, which is 1\.$/
      )
      assert.strictEqual((yield* resolve({ given: { algo: "impala", ship: "auto" } })).ship, "experience")
    }).pipe(Effect.provide(NodeServices.layer)))
})

/** Runs that normalize: one hash wherever they run, statistics as they should be, and policies that mean the same everywhere. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Stream from "effect/Stream"
import * as safetensors from "../../src/model/safetensors.ts"
import type { PartialConfig } from "../../src/runtime/config/configSources.ts"
import { Policy } from "../../src/runtime/evaluation/Policy.ts"
import { Run, weightsHash } from "../../src/runtime/Run.ts"
import { train } from "./running.ts"

const settings: PartialConfig = {
  envId: "MountainCarContinuous-v0",
  algo: "ppo",
  nEnvs: 4,
  nSteps: 16,
  batchSize: 32,
  nEpochs: 2,
  hidden: [8],
  seed: 1,
  totalTimesteps: 640,
  placement: "fiber",
  runFolder: false,
  normalizeObservations: true,
  normalizeRewards: true
}

describe("runs that normalize", () => {
  it.live("have one hash over layouts, ways of shipping and kills", () =>
    Effect.gen(function*() {
      const { events, hash, weights } = yield* train(settings)
      assert.strictEqual(weightsHash(weights), hash)
      // A program too is told which settings were found for the environment.
      assert.match(events.map((event) => event.event === "notice" ? event.message : "").join(), /^settings found for /)
      const others: ReadonlyArray<PartialConfig> = [
        { ship: "experience" },
        { placement: "thread", workers: 2, envsPerWorker: 1, chaos: 2 },
        { placement: "process", workers: 2 }
      ]
      for (const other of others) {
        assert.strictEqual((yield* train({ ...settings, ...other })).hash, hash, JSON.stringify(other))
      }
      assert.notStrictEqual((yield* train({ ...settings, normalizeRewards: false })).hash, hash)
    }), 60_000)

  for (const algo of ["a3c", "impala"] as const) {
    it.live(`at their own pace too: ${algo}`, () =>
      Effect.gen(function*() {
        const seeded: PartialConfig = {
          algo,
          schedule: "seeded",
          nEnvs: 3,
          totalTimesteps: 600,
          normalizeObservations: true,
          normalizeRewards: true
        }
        const { hash } = yield* train(seeded)
        assert.strictEqual((yield* train({ ...seeded, placement: "thread", workers: 2, chaos: 2 })).hash, hash)
      }), 60_000)
  }

  it.live(
    "see what is left of an observation by the statistics of the iterations before",
    () =>
      Effect.gen(function*() {
        const given = { ...settings, totalTimesteps: 128 }
        const seenBy = (more: PartialConfig) =>
          Effect.map(
            Stream.runCollect(Run.experience({ ...given, ...more })),
            (batches) => Array.from(batches)
          ).pipe(Effect.provide(NodeServices.layer))
        const [first, second] = yield* seenBy({})
        assert(first !== undefined && second !== undefined)
        // Nothing was known in the first iteration: what was seen then is what there was.
        const rows = first.flatMap(({ observations, rows }) =>
          Array.from({ length: rows }, (_, t) => [observations[2 * t]!, observations[2 * t + 1]!])
        )
        const { weights } = yield* train({ ...given, totalTimesteps: 64 })
        const [positionMean, speedMean, positionVariance, speedVariance, count] = weights.slice(-8, -3)
        const about = (k: 0 | 1) => {
          const mean = rows.reduce((sum, row) => sum + row[k]!, 0) / rows.length
          return [mean, rows.reduce((sum, row) => sum + (row[k]! - mean) ** 2, 0) / rows.length] as const
        }
        assert.strictEqual(Math.round(count!), rows.length)
        assert.closeTo(positionMean!, about(0)[0], 1e-4)
        assert.closeTo(speedMean!, about(1)[0], 1e-4)
        assert.closeTo(positionVariance!, about(0)[1], 1e-4)
        assert.closeTo(speedVariance!, about(1)[1], 1e-4)
        // The first observation of the second iteration is what followed the last of the first.
        for (const [e, { observations }] of second.entries()) {
          const before = first[e]!.observations.slice(2 * 16, 2 * 16 + 2)
          assert.closeTo(observations[0]!, (before[0]! - positionMean!) / Math.sqrt(positionVariance! + 1e-8), 1e-3)
          assert.closeTo(observations[1]!, (before[1]! - speedMean!) / Math.sqrt(speedVariance! + 1e-8), 1e-3)
        }
      }),
    60_000
  )

  it.live("leave policies that decide the same after saving, and begin other runs", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const policy = yield* Effect.gen(function*() {
        const run = yield* Run
        yield* run.train()
        return yield* run.policy
      }).pipe(Effect.provide(Layer.provide(Run.layer(settings), NodeServices.layer)))
      const path = `${yield* fs.makeTempDirectoryScoped()}/policy.safetensors`
      yield* policy.save(path)
      const loaded = yield* Policy.load(path)
      assert.deepStrictEqual(loaded.weights, policy.weights)
      const plain = new Policy(
        policy.envId,
        policy.environment,
        { ...policy.spec, normalization: undefined! },
        policy.weights,
        {
          actionSpace: policy.actionSpace
        }
      )
      const observation = [-0.4, 0.01]
      const decided = yield* loaded.decide(observation)
      assert.deepStrictEqual(decided, yield* policy.decide(observation))
      const { statistics } = policy.layout
      const { mean, variance } = statistics[0]!
      const seen = observation.map((x, k) =>
        (x - policy.weights[mean + k]!) / Math.sqrt(policy.weights[variance + k]! + 1e-8)
      )
      assert.closeTo(decided.value, (yield* plain.decide(seen)).value, 1e-6)

      // A run begins with the statistics of a file; without them anew, and says so of what does not fit.
      const begun = yield* train({ ...settings, initFrom: path, totalTimesteps: 64 })
      assert.isAbove(begun.weights[policy.layout.statistics[0]!.count]!, 700)
      const { metadata, tensors } = yield* safetensors.decode(yield* fs.readFile(path))
      const bare = Object.fromEntries(Object.entries(tensors).filter(([name]) => !name.includes("_rms.")))
      yield* fs.writeFile(path, safetensors.encode({ metadata, tensors: bare }))
      const anew = yield* train({ ...settings, initFrom: path, totalTimesteps: 64 })
      assert.strictEqual(Math.round(anew.weights[policy.layout.statistics[0]!.count]!), 64)
      yield* policy.save(path)
      const refused = yield* Effect.flip(
        train({ ...settings, normalizeObservations: false, normalizeRewards: false, initFrom: path })
      )
      assert.match(String(refused), /obs_rms.mean/)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)), 60_000)
})

/** A run that was stopped and resumed is the run that was not: the same weights, the same events, from any checkpoint. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { fileURLToPath } from "node:url"
import type { PartialConfig } from "../../../src/runtime/config/configSources.ts"
import { train } from "./keeping.ts"

const small: PartialConfig = {
  nEnvs: 3,
  hidden: [8],
  totalTimesteps: 600,
  checkpointInterval: 7,
  logInterval: 3
}

/** Every way of computing that has a state of its own. */
const ways: Readonly<Record<string, PartialConfig>> = {
  "in step": {},
  "in step, experience travels": { ship: "experience", nEpochs: 2, optimizer: "adam", lrSchedule: "linear" },
  "in step, in float64": { device: "reference", ship: "experience", optimizer: "adam" },
  "in step, on TensorFlow.js": { device: "tfjs-wasm", ship: "experience", optimizer: "adam" },
  "by the seed": { preset: "a3c", schedule: "seeded", nSteps: 5 },
  "by the seed, held back": { preset: "a3c", schedule: "seeded", nSteps: 5, maxStaleness: 1 },
  "by the seed, too old refused": {
    preset: "a3c",
    schedule: "seeded",
    nSteps: 5,
    maxStaleness: 1,
    whenStale: "refuse"
  },
  "by the seed, corrected for its age": { preset: "impala", schedule: "seeded", nSteps: 5 },
  "in step, remembering": { algo: "ppo", network: "gru", nSteps: 5, batchSize: 5, nEpochs: 2 },
  "by the seed, remembering": { preset: "a3c", schedule: "seeded", nSteps: 5, network: "gru" },
  "in step, normalized": { normalizeObservations: true, normalizeRewards: true },
  "ppo, real actions, normalized": {
    envId: "MountainCarContinuous-v0",
    algo: "ppo",
    nSteps: 5,
    nEpochs: 2,
    batchSize: 5,
    normalizeObservations: true,
    normalizeRewards: true
  },
  "by the seed, normalized": {
    preset: "a3c",
    schedule: "seeded",
    nSteps: 5,
    normalizeObservations: true,
    normalizeRewards: true
  },
  "notebook 000": { preset: "notebook-ray", samplingSeed: 3, nSteps: 5, evaluation: "notebook-ray" },
  "notebook 002": { preset: "notebook-a3c", schedule: "seeded", samplingSeed: 3, nEnvs: 2, nSteps: 20 }
}

describe("a resumed run", () => {
  for (const [name, way] of Object.entries(ways)) {
    it.live(`is the run that was not stopped, from every checkpoint: ${name}`, () =>
      Effect.gen(function*() {
        const given = { ...small, ...way }
        const whole = yield* train(given)
        assert.isAtLeast(whole.kept.length, 4)
        for (const { bytes, told } of whole.kept) {
          const resumed = yield* train({}, { from: bytes })
          assert.strictEqual(resumed.hash, whole.hash)
          assert.deepStrictEqual([...whole.events.slice(0, told), ...resumed.events], whole.events)
          assert.strictEqual(resumed.status.lostSteps, 0)
        }
      }), 60_000)
  }

  it.live("goes on at another layout, under kills too", () =>
    Effect.gen(function*() {
      const layouts: ReadonlyArray<PartialConfig> = [
        { placement: "thread", workers: 1 },
        { placement: "thread", workers: 2, chaos: 2 },
        { placement: "thread", workers: 3 },
        { placement: "process", workers: 1 }
      ]
      for (const way of [{}, { preset: "a3c", schedule: "seeded", nSteps: 5 } as const]) {
        const whole = yield* train({ ...small, ...way })
        for (const [i, layout] of layouts.entries()) {
          const { bytes } = whole.kept[i + 1]!
          assert.strictEqual((yield* train(layout, { from: bytes })).hash, whole.hash, JSON.stringify(layout))
        }
      }
    }), 60_000)

  it.live("goes on on another device, which is the same but for the last digits", () =>
    Effect.gen(function*() {
      const whole = yield* train({ ...small, optimizer: "adam", lr: 0.001 })
      const { bytes } = whole.kept[2]!
      for (const device of ["reference", "tfjs-wasm"] as const) {
        const { hash, status } = yield* train({ device, ship: "experience" }, { from: bytes })
        assert.notStrictEqual(hash, whole.hash)
        // Not one action of some hundred came out otherwise.
        assert.strictEqual(status.episodes, whole.status.episodes)
        assert.strictEqual(status.train20, whole.status.train20)
      }
    }))

  it.live("may be resumed again and again", () =>
    Effect.gen(function*() {
      for (const way of [{}, { preset: "a3c", schedule: "seeded", nSteps: 5 } as const]) {
        const whole = yield* train({ ...small, ...way })
        let outcome = whole
        for (let times = 0; times < 4; times++) {
          outcome = yield* train({}, { from: outcome.kept[0]!.bytes })
          assert.strictEqual(outcome.hash, whole.hash)
        }
      }
    }), 60_000)

  it.live("may be extended, and is then the longer run", () =>
    Effect.gen(function*() {
      const short = yield* train({ ...small, totalTimesteps: 300 })
      const long = yield* train(small)
      const extended = yield* train({ totalTimesteps: 600 }, { from: short.kept.at(-1)!.bytes })
      assert.notStrictEqual(short.hash, long.hash)
      assert.strictEqual(extended.hash, long.hash)
    }), 60_000)
})

describe("a checkpoint of another environment", () => {
  it.live("is refused in one sentence", () =>
    Effect.gen(function*() {
      const { kept } = yield* train({ ...small, totalTimesteps: 150 })
      const envId = fileURLToPath(new URL("../fixtures/wedges.ts", import.meta.url))
      const error = yield* Effect.flip(train({ envId }, { from: kept[0]!.bytes }))
      assert.match(
        error.message,
        /^The checkpoint does not fit environment Wedges-v0: its observation .*trained with\.$/
      )
    }))
})

describe("an interrupted run", () => {
  for (const way of ["in step", "in step, experience travels", "by the seed", "notebook 000"]) {
    it.live(`leaves a checkpoint of where it was: ${way}`, () =>
      Effect.gen(function*() {
        const given = { ...small, ...ways[way], checkpointInterval: 0 }
        const whole = yield* train(given)
        for (const interruptAt of [4, 5, 6, 7, 8, 9, 10, 11, 12, 23]) {
          const stopped = yield* train(given, { interruptAt })
          assert.strictEqual(stopped.hash, undefined)
          assert.strictEqual(stopped.kept.length, 1)
          const { bytes } = stopped.kept[0]!
          const resumed = yield* train({}, { from: bytes })
          assert.strictEqual(resumed.hash, whole.hash)
          // Whatever was told is told once.
          assert.deepStrictEqual([...stopped.events, ...resumed.events], whole.events)
        }
      }), 60_000)
  }
})

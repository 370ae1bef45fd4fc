/** Asynchronous runs as a whole: the four corners, runs that repeat themselves, and notebook 002. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import type { PartialConfig } from "../../../src/runtime/config/configSources.ts"
import type { RunConfig } from "../../../src/runtime/config/RunConfig.ts"
import { type Ended, type Order, train } from "../running.ts"

const short: PartialConfig = { preset: "a3c", nEnvs: 4, totalTimesteps: 1500 }
const seeded: PartialConfig = { ...short, schedule: "seeded" }

/** Every step that was counted was committed by its worker, once. */
const nothingLost = ({ status }: Ended, what: string): void => {
  assert.strictEqual(status.lostSteps, 0, what)
  assert.strictEqual(status.refused, 0, what)
}

const same = (actual: Ended, expected: Ended, what: string): void => {
  assert.strictEqual(actual.hash, expected.hash, what)
  assert.deepStrictEqual(actual.order, expected.order, what)
  const circumstances = { restarts: 0, recoveryMillis: null, startupSeconds: 0, evaluationSeconds: 0 }
  assert.deepStrictEqual({ ...actual.status, ...circumstances }, { ...expected.status, ...circumstances }, what)
}

const schedules: ReadonlyArray<RunConfig["schedule"]> = ["sync", "async", "seeded"]
const ships: ReadonlyArray<RunConfig["ship"]> = ["experience", "gradients"]

describe("the four corners", () => {
  it.live("all run to the last step, nothing lost", () =>
    Effect.gen(function*() {
      for (const schedule of schedules) {
        for (const ship of ships) {
          for (const algo of ["a2c", "a3c"] as const) {
            const ended = yield* train({ algo, schedule, ship, nEnvs: 4, totalTimesteps: 600 })
            const what = `${algo} ${schedule} ${ship}`
            nothingLost(ended, what)
            assert.isAtLeast(ended.status.envSteps, 600, what)
            assert.isAbove(ended.status.updates, 0, what)
            assert.strictEqual(ended.order.environments.length, schedule === "sync" ? 0 : ended.status.updates, what)
          }
        }
      }
    }))

  const Corner = Schema.Struct({
    network: Schema.Literals(["separate", "shared"]),
    activation: Schema.Literals(["tanh", "relu"]),
    layers: Schema.Literals([0, 1, 2]),
    optimizer: Schema.Literals(["adam", "rmsprop"]),
    lrSchedule: Schema.Literals(["constant", "linear"]),
    returns: Schema.Literals(["gae", "n-step", "monte-carlo"]),
    nEpochs: Schema.Literals([1, 3]),
    nSteps: Schema.Literals([5, 20]),
    seed: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1000 }))
  })

  it.live.prop(
    "in step, gradients or experience may travel: the same weights",
    [Corner],
    ([{ layers, ...corner }]) =>
      Effect.gen(function*() {
        const given: PartialConfig = {
          ...corner,
          hidden: [33, 8].slice(0, layers),
          preset: "a2c",
          maxGradNorm: 0.5,
          lrDecaySteps: 500,
          nEnvs: 4,
          totalTimesteps: 600
        }
        const experience = yield* train({ ...given, ship: "experience" })
        const gradients = yield* train({ ...given, ship: "gradients" })
        same(gradients, experience, JSON.stringify(corner))
      }),
    { arbitrary: { runs: 12 } }
  )

  it.live("in step, gradients travel on any layout, and under kills", () =>
    Effect.gen(function*() {
      const given: PartialConfig = { preset: "a2c", ship: "gradients", nEnvs: 4, nEpochs: 3, totalTimesteps: 1000 }
      const reference = yield* train({ ...given, ship: "experience" })
      for (const layout of [{ workers: 2 }, { workers: 2, chaos: 3 }, { placement: "auto", workers: 2 }] as const) {
        same(yield* train({ ...given, placement: "thread", ...layout }), reference, JSON.stringify(layout))
      }
    }))

  it.live("alone at its own pace, an environment ships the same either way", () =>
    Effect.gen(function*() {
      const alone: PartialConfig = { ...seeded, nEnvs: 1, totalTimesteps: 500 }
      const gradients = yield* train(alone)
      same(yield* train({ ...alone, ship: "experience" }), gradients, "experience")
      assert.strictEqual(Math.max(...gradients.order.staleness), 0)
      assert.isAbove(gradients.status.episodes, 5)
    }))
})

describe("a3c", () => {
  it.live("an order drawn from the seed gives the same weights on every layout, and under kills", () =>
    Effect.gen(function*() {
      const reference = yield* train(seeded)
      nothingLost(reference, "reference")
      assert.isAbove(Math.max(...reference.order.staleness), 0)
      const layouts: ReadonlyArray<PartialConfig> = [
        { placement: "fiber" },
        { placement: "fiber", chaos: 5 },
        { placement: "thread", workers: 1 },
        { placement: "thread", workers: 2, chaos: 3 },
        { placement: "thread", workers: 4 },
        { placement: "auto", workers: 2 }
      ]
      for (const layout of layouts) {
        const ended = yield* train({ ...seeded, ...layout })
        same(ended, reference, JSON.stringify(layout))
        // A kill that finds the dead counts for nothing.
        if (layout.chaos !== undefined) assert.isAtLeast(ended.status.restarts, 1)
      }
      assert.notStrictEqual((yield* train({ ...seeded, seed: 2 })).hash, reference.hash)
    }))

  it.live("a run by the clock is repeated from its order of arrivals, on every layout and under kills", () =>
    Effect.gen(function*() {
      const threads: PartialConfig = { ...short, placement: "thread" }
      const recorded = yield* train({ ...threads, workers: 2 })
      nothingLost(recorded, "recorded")
      assert.isAbove(Math.max(...recorded.order.staleness), 0)
      const layouts: ReadonlyArray<PartialConfig> = [
        { placement: "fiber" },
        { placement: "fiber", chaos: 5 },
        { workers: 4, chaos: 3 }
      ]
      for (const layout of layouts) {
        same(yield* train({ ...threads, ...layout }, recorded.order), recorded, JSON.stringify(layout))
      }
    }))

  it.live("a run by the clock that was itself disturbed is repeated too", () =>
    Effect.gen(function*() {
      // Within a bound nobody gets far without the one who died.
      const bounded: PartialConfig = { ...short, maxStaleness: 12 }
      const recorded = yield* train({ ...bounded, placement: "thread", workers: 2, chaos: 3 })
      nothingLost(recorded, "recorded")
      assert.isAtLeast(recorded.status.restarts, 1)
      same(yield* train(bounded, recorded.order), recorded, "replayed")
    }))

  it.live("a bounded run is repeated, its bound being kept by the clock and by the seed", () =>
    Effect.gen(function*() {
      for (const maxStaleness of [0, 1, 3, 20]) {
        const given: PartialConfig = { ...short, nEnvs: 6, maxStaleness, totalTimesteps: 1000 }
        const recorded = yield* train({ ...given, placement: maxStaleness === 3 ? "thread" : "fiber", workers: 2 })
        nothingLost(recorded, `at most ${maxStaleness}`)
        assert.isAtMost(Math.max(...recorded.order.staleness), maxStaleness)
        same(yield* train(given, recorded.order), recorded, `at most ${maxStaleness}`)
        for (const seed of [1, 2, 3]) {
          const drawn = yield* train({ ...given, schedule: "seeded", seed })
          assert.isAtMost(Math.max(...drawn.order.staleness), maxStaleness)
          nothingLost(drawn, `at most ${maxStaleness}, seed ${seed}`)
        }
      }
    }))

  it.live("an edited recording is refused; a shortened one is the beginning of the run", () =>
    Effect.gen(function*() {
      const { order, status } = yield* train(short)
      const changes: ReadonlyArray<readonly [string, Order]> = [
        ["environment", { ...order, environments: order.environments.with(30, (order.environments[30]! + 1) % 4) }],
        ["no such environment", { ...order, environments: order.environments.with(0, 99) }],
        ["staleness", { ...order, staleness: order.staleness.with(40, order.staleness[40]! + 1) }]
      ]
      for (const [what, changed] of changes) {
        const error = yield* Effect.flip(train(short, changed))
        assert.strictEqual(error._tag, "ReplayMismatch", what)
      }
      const half = { environments: order.environments.slice(0, 40), staleness: order.staleness.slice(0, 40) }
      const shorter = yield* train(short, half)
      assert.strictEqual(shorter.status.updates, 40)
      assert.isBelow(shorter.status.envSteps, status.envSteps)
    }))

  it.live("what is too old is dropped and counted, and neither updates nor loses anything", () =>
    Effect.gen(function*() {
      const given: PartialConfig = { ...seeded, nEnvs: 6, maxStaleness: 3, whenStale: "refuse", logInterval: 1 }
      const { events, order, status } = yield* train(given)
      const tooOld = order.staleness.filter((staleness) => staleness > 3).length
      assert.isAbove(tooOld, 0)
      assert.isBelow(tooOld, order.staleness.length)
      assert.strictEqual(status.refused, tooOld)
      assert.strictEqual(status.lostSteps, 0)
      const lines = events.filter((event) => event.event === "progress")
      assert.deepStrictEqual(lines.map((line) => line.staleness), order.staleness)
      for (const line of lines) assert.strictEqual(line.grad_norm === 0, (line.staleness ?? 0) > 3)
      assert.strictEqual(lines.at(-1)?.refused, tooOld)
    }))

  it.live("every environment has its turns, each piece of work counted once, ending with its episode", () =>
    Effect.gen(function*() {
      for (const schedule of ["async", "seeded"] as const) {
        const { events, order, status } = yield* train({ ...short, schedule, nEnvs: 7, logInterval: 1 })
        const turns = new Map<number, number>()
        for (const environment of order.environments) turns.set(environment, (turns.get(environment) ?? 0) + 1)
        assert.strictEqual(turns.size, 7)
        const even = order.environments.length / 7
        for (const count of turns.values()) assert.isAbove(count, even / 3)

        const steps = events.filter((event) => event.event === "progress").map((line) => line.env_steps)
        const rows = steps.map((count, k) => count - (steps[k - 1] ?? 0))
        assert.strictEqual(rows.reduce((sum, count) => sum + count, 0), status.envSteps)
        for (const count of rows) assert.isTrue(count >= 1 && count <= 20)
        // No piece of work holds two episodes: as many updates ended in one as there were episodes.
        const episodes = events.filter((event) => event.event === "episode")
        assert.strictEqual(new Set(episodes.map(({ update }) => update)).size, status.episodes)
      }
    }))
})

describe("preset notebook-a3c", () => {
  const notebook: PartialConfig = { preset: "notebook-a3c", samplingSeed: "seed", totalEpisodes: 250 }

  it.live("evaluates after every 100 episodes, sampled and to 300 steps, and goes on", () =>
    Effect.gen(function*() {
      const { events, order, status } = yield* train(notebook)
      const evaluations = events.filter((event) => event.event === "evaluation")
      assert.deepStrictEqual(evaluations.map(({ update }) => update), [100, 200])
      for (const { episodes, max } of evaluations) {
        assert.strictEqual(episodes, 10)
        assert.isAtMost(max ?? Infinity, 300)
      }
      // One policy, one update an episode: nothing is ever stale.
      assert.strictEqual(status.updates, 250)
      assert.strictEqual(status.episodes, 250)
      assert.strictEqual(Math.max(...order.staleness), 0)
      assert.isFalse(status.solved)
    }))
})

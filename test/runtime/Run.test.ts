/** Whole runs with real threads: the same seed gives the same weights, whatever the layout and whoever is killed. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Exit, Fiber, Latch, Layer, Stream } from "effect"
import { fileURLToPath } from "node:url"
import type { PartialConfig } from "../../src/runtime/config/configSources.ts"
import type { Finished, RunEvent } from "../../src/runtime/monitoring/RunEvent.ts"
import { RunEvents } from "../../src/runtime/monitoring/RunMonitor.ts"
import { Run } from "../../src/runtime/Run.ts"

const short: PartialConfig = { totalTimesteps: 5_000, nEnvs: 4 }

/** Weights of the default preset, seed 1, after 5000 steps in 4 environments. */
const golden = "43c3e706e8f29ea20c8830f8a14557496de3e924e82d04d5319d721fe54e1e6e"

const finish = (given: PartialConfig) =>
  Run.events({ ...short, ...given }).pipe(
    Stream.runCollect,
    Effect.map((events) => {
      const last = [...events].at(-1)
      if (last?.event !== "finished") throw new Error("a run must end with finished")
      return last
    }),
    Effect.provide(NodeServices.layer)
  )

const fixture = (name: string) => fileURLToPath(new URL(`./fixtures/${name}`, import.meta.url))

describe("Run", () => {
  it.live("gives the same weights for every layout, and under kills", () =>
    Effect.gen(function*() {
      const reference = yield* finish({ placement: "fiber", workers: 1 })
      assert.strictEqual(reference.env_steps, 5_000)
      // Written down once, and the same on every machine and in every version that does not say otherwise.
      assert.strictEqual(reference.weights_sha256, golden)
      const layouts: ReadonlyArray<PartialConfig> = [
        { placement: "thread", workers: 1 },
        { placement: "thread", workers: 2 },
        { placement: "thread", workers: 4 },
        { placement: "thread", workers: 2, envsPerWorker: 1 },
        { placement: "auto", workers: 2 },
        { placement: "fiber", ship: "experience" },
        { placement: "process", workers: 2 },
        { placement: "process", workers: 2, chaos: 1 },
        { placement: "thread", workers: 2, chaos: 3 },
        { placement: "fiber", chaos: 3 }
      ]
      for (const layout of layouts) {
        const finished: Finished = yield* finish(layout)
        assert.strictEqual(finished.weights_sha256, reference.weights_sha256, JSON.stringify(layout))
        assert.strictEqual(finished.lost_steps, 0)
        assert.strictEqual(finished.episodes, reference.episodes)
        if (layout.chaos !== undefined) assert.isAtLeast(finished.restarts, layout.chaos)
      }
    }), 60_000)

  it.live("gives other weights for another seed", () =>
    Effect.gen(function*() {
      const one = yield* finish({ placement: "fiber", seed: 1, totalTimesteps: 500 })
      const two = yield* finish({ placement: "fiber", seed: 2, totalTimesteps: 500 })
      assert.notStrictEqual(one.weights_sha256, two.weights_sha256)
    }))

  it.live("solves CartPole and says so", () =>
    Effect.gen(function*() {
      const events: Array<RunEvent> = []
      yield* Run.events({ nEnvs: 10, seed: 1, placement: "fiber" }).pipe(
        Stream.runForEach((event) => Effect.sync(() => events.push(event))),
        Effect.provide(NodeServices.layer)
      )
      const [first] = events
      const last = events.at(-1)
      assert.strictEqual(first?.event, "started")
      assert(last?.event === "finished" && last.solved)
      assert.isAtLeast(last.train20 ?? 0, 475)
      assert.isAtLeast(last.eval_mean ?? 0, 475)
      assert.isAtMost(last.env_steps, 90_000)
      const episodes = events.filter((event) => event.event === "episode")
      assert.strictEqual(episodes.length, last.episodes)
    }), 60_000)

  it.live(
    "stops when the environment gives a number that is none, naming it and the step",
    () =>
      Effect.gen(function*() {
        for (const placement of ["fiber", "thread"] as const) {
          const exit = yield* Effect.exit(finish({ envId: fixture("breaks-at-seven.ts"), placement, workers: 1 }))
          assert(Exit.isFailure(exit))
          assert.match(String(exit.cause), /BreaksAtSeven-v0 .*step 7 .*observation\[0\] is NaN/)
        }
      }),
    60_000
  )

  it.live("stops when the environment throws, naming it, the step and the error", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(finish({
        envId: fixture("throws-at-seven.ts"),
        placement: "fiber",
        maxRestarts: 2
      }))
      assert(Exit.isFailure(exit))
      assert.match(String(exit.cause), /ThrowsAtSeven-v0 .*step 7 its step threw Error: the seventh step/)
    }), 60_000)

  it.live("refuses an environment whose actions no distribution fits, by name", () =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(finish({ envId: fixture("speaks.ts"), placement: "fiber" }))
      assert(Exit.isFailure(exit))
      assert.match(String(exit.cause), /Speaks-v0 has actions of Text.*whose actions are Discrete, MultiDiscrete/)
    }))

  it.live("is interrupted with all its threads", () =>
    Effect.gen(function*() {
      const before = process.getActiveResourcesInfo().filter((name) => name === "MessagePort").length
      const under = yield* Latch.make(false)
      const fiber = yield* Run.events({ placement: "thread", workers: 2, totalTimesteps: 1e9, keepGoing: true }).pipe(
        Stream.runForEach((event) => event.event === "episode" ? under.open : Effect.void),
        Effect.provide(NodeServices.layer),
        Effect.forkChild
      )
      yield* under.await
      yield* Fiber.interrupt(fiber)
      const after = process.getActiveResourcesInfo().filter((name) => name === "MessagePort").length
      assert.strictEqual(after, before)
    }), 60_000)

  it.live("is trained once", () =>
    Effect.gen(function*() {
      const run = yield* Run
      yield* run.train()
      assert.match((yield* Effect.flip(run.train())).message, /trained before/)
    }).pipe(
      Effect.provide(
        Layer.provide(Run.layer({ ...short, totalTimesteps: 100, placement: "fiber" }), NodeServices.layer)
      )
    ))

  it.live("serves its current policy while it trains", () =>
    Effect.gen(function*() {
      const run = yield* Run
      const before = yield* run.policy
      yield* run.train()
      const after = yield* run.policy
      assert.notDeepEqual(after.weights, before.weights)
      const { probabilities } = yield* after.decide([0, 0, 0, 0])
      assert.approximately(probabilities.reduce((sum, p) => sum + p, 0), 1, 1e-12)
    }).pipe(
      Effect.provide(Layer.provide(Run.layer({ ...short, placement: "fiber" }), NodeServices.layer))
    ))

  describe("beside another in one program", () => {
    const tiny: PartialConfig = { ...short, totalTimesteps: 1_000, placement: "fiber" }
    class Left extends Context.Service<Left, Run["Service"]>()("test/Left") {}
    class Right extends Context.Service<Right, Run["Service"]>()("test/Right") {}
    const left = Layer.effect(Left, Run)
    const right = Layer.effect(Right, Run)
    const alone = (given: PartialConfig) => Effect.map(finish({ ...tiny, ...given }), (run) => run.weights_sha256)

    it.live(
      "is a run of its own for each Run.layer, and each trains as if it were alone",
      () =>
        Effect.gen(function*() {
          const settings: ReadonlyArray<readonly [PartialConfig, PartialConfig]> = [
            [{ seed: 1 }, { seed: 2, device: "reference" }],
            [{ seed: 1 }, { seed: 1 }],
            [{ seed: 3, placement: "thread", workers: 2 }, { seed: 3, placement: "process", workers: 1 }],
            [{ seed: 4, algo: "a3c", schedule: "seeded" }, { seed: 4, device: "tfjs-cpu" }],
            // One library, which has one backend at a time, and makes this one while others wait.
            [{ seed: 5, device: "tfjs-cpu" }, { seed: 5, device: "tfjs-wasm" }],
            [{ seed: 5, device: "tfjs-wasm" }, { seed: 6, device: "tfjs-wasm" }]
          ]
          for (const [one, other] of settings) {
            yield* Effect.gen(function*() {
              const [a, b] = [yield* Left, yield* Right]
              assert.notStrictEqual(a, b)
              const finished = yield* Effect.all([a.train(), b.train()], { concurrency: 2 })
              // Outside, once more: these layers are in the graph of the program too.
              const expected = [yield* alone(one), yield* alone(other)]
              assert.deepStrictEqual(finished.map((run) => run.weights_sha256), expected, JSON.stringify([one, other]))
            }).pipe(Effect.provide(
              Layer.mergeAll(
                left.pipe(Layer.provide(Run.layer({ ...tiny, ...one }))),
                right.pipe(Layer.provide(Run.layer({ ...tiny, ...other })))
              ).pipe(Layer.provide(NodeServices.layer))
            ))
          }
        }),
      60_000
    )

    it.live("is one run for one layer, however often it is provided", () =>
      Effect.gen(function*() {
        const layer = Layer.provide(Run.layer({ ...tiny, seed: 1 }), NodeServices.layer)
        const both = Layer.mergeAll(left.pipe(Layer.provide(layer)), right.pipe(Layer.provide(layer)))
        yield* Effect.gen(function*() {
          const a = yield* Left
          assert.strictEqual(yield* Right, a)
          assert.strictEqual(yield* Effect.provide(Run, layer), a)
          assert.notStrictEqual(yield* Effect.provide(Run, Layer.fresh(layer)), a)
        }).pipe(Effect.provide(both))
      }))

    it.live("streams the events of its own within a program that has a run", () =>
      Effect.gen(function*() {
        const run = yield* Run
        const inner = finish({ ...tiny, seed: 3 })
        const hashes = (yield* Effect.all([inner, inner, run.train(), inner], { concurrency: 3 })).map(
          (finished) => finished.weights_sha256
        )
        const expected = [yield* alone({ seed: 3 }), yield* alone({ seed: 1 })]
        assert.deepStrictEqual(hashes, [expected[0], expected[0], expected[1], expected[0]])
        assert.notStrictEqual(expected[0], expected[1])
      }).pipe(Effect.provide(Layer.provide(Run.layer({ ...tiny, seed: 1 }), NodeServices.layer))), 60_000)

    it.live("hears nothing of the other", () =>
      Effect.gen(function*() {
        const heard = (events: Array<RunEvent>) =>
          Layer.succeed(RunEvents, { emit: (event) => Effect.sync(() => events.push(event)) })
        const [ofLeft, ofRight]: [Array<RunEvent>, Array<RunEvent>] = [[], []]
        yield* Effect.gen(function*() {
          const [a, b] = [yield* Left, yield* Right]
          yield* Effect.all([a.train(), b.train()], { concurrency: 2 })
        }).pipe(Effect.provide(
          Layer.mergeAll(
            left.pipe(Layer.provide(Run.layer({ ...tiny, seed: 1 })), Layer.provide(heard(ofLeft))),
            right.pipe(Layer.provide(Run.layer({ ...tiny, seed: 2 })), Layer.provide(heard(ofRight)))
          ).pipe(Layer.provide(NodeServices.layer))
        ))
        const seeds = (events: ReadonlyArray<RunEvent>) =>
          events.flatMap((event) => event.event === "started" || event.event === "finished" ? [event.seed] : [])
        assert.deepStrictEqual([seeds(ofLeft), seeds(ofRight)], [[1, 1], [2, 2]])
      }))
  })
})

/** Iterations that workers take by themselves are those that the trainer would have taken: in number, in numbers, and in what is told. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Deferred, Effect, Layer } from "effect"
import * as fs from "node:fs"
import { tmpdir } from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { ActorSystem } from "../../../src/actors/ActorSystem.ts"
import type * as Fault from "../../../src/actors/Fault.ts"
import { Pcg64 } from "../../../src/random/Pcg64.ts"
import { planLayer } from "../../../src/runtime/algorithms/index.ts"
import * as configSources from "../../../src/runtime/config/configSources.ts"
import type { PartialConfig } from "../../../src/runtime/config/configSources.ts"
import { CurrentConfig } from "../../../src/runtime/config/RunConfig.ts"
import { Seed } from "../../../src/runtime/config/Seed.ts"
import { Progress } from "../../../src/runtime/stopping/Progress.ts"
import { initialState } from "../../../src/runtime/stopping/StoppingRule.ts"
import { DataPlane } from "../../../src/runtime/workers/DataPlane.ts"
import { EnvWorkerBehavior } from "../../../src/runtime/workers/EnvWorker.ts"
import { EnvWorkerGroup } from "../../../src/runtime/workers/EnvWorkerGroup.ts"
import { type ReplicaPlace, Replicas } from "../../../src/runtime/workers/Stretch.ts"
import { type OnBegin, train } from "./running.ts"

const short: PartialConfig = { nEnvs: 4, nSteps: 5, hidden: [16], totalTimesteps: 6_000, logInterval: 25, seed: 3 }

const settings: Readonly<Record<string, PartialConfig>> = {
  "until it is solved": { seed: 1 },
  "Adam, a falling rate, few checkpoints": {
    ...short,
    optimizer: "adam",
    lrSchedule: "linear",
    lrDecaySteps: 4_000,
    checkpointInterval: 77
  },
  "four epochs": { ...short, nEpochs: 4 },
  "PPO in minibatches": { ...short, algo: "ppo", batchSize: 10 },
  "a policy that remembers": { ...short, network: "gru" },
  "actions that are real numbers": { ...short, envId: "Pendulum-v1" },
  "the notebook's stop": { ...short, evaluation: "notebook-ray" },
  "an end by episodes": { ...short, totalEpisodes: 101 }
}

/** The same with and without stretches, and that there were some. */
const compare = (given: PartialConfig, onBegin?: OnBegin) =>
  Effect.gen(function*() {
    const stretched = yield* train(given, onBegin === undefined ? {} : { onBegin })
    const single = yield* train({ ...given, placement: "fiber", workers: 1 }, { watched: true })
    assert.strictEqual(single.taken.stretches, 0)
    assert.isAbove(stretched.taken.stretches, 0)
    assert.strictEqual(stretched.hash, single.hash)
    assert.deepStrictEqual(stretched.told, single.told)
    assert.deepStrictEqual(stretched.kept, single.kept)
    assert.strictEqual(stretched.lostSteps, 0)
    return stretched.taken
  })

/** Takes part in stretches that come to nothing once they have been begun. */
const counts = { stepped: 0 }
const breaksOff = ({ layout, own }: ReplicaPlace) =>
  Effect.succeed({
    take: () => {
      counts.stepped++
      own.collect(layout.weights[0])
      return undefined
    },
    part: () => {}
  })

const twoThreads: PartialConfig = { ...short, placement: "thread", workers: 2, localWorker: false }

describe("stretches", () => {
  for (const [name, given] of Object.entries(settings)) {
    it.live(`in this thread: ${name}`, () => compare({ ...given, placement: "fiber" }), 60_000)
  }

  const layouts: Readonly<Record<string, PartialConfig>> = {
    "a thread": { ...twoThreads, workers: 1 },
    "two threads, this one among them": { ...twoThreads, localWorker: true },
    "two threads beside this one": twoThreads,
    "whatever is the quickest": { ...short, placement: "auto" }
  }
  for (const [name, layout] of Object.entries(layouts)) {
    it.live(`in ${name}`, () => compare({ ...layout, nEpochs: 2 }), 60_000)
  }

  it.live("with somebody killed in the midst of many", () => {
    const random = Pcg64.fromSeed([1])
    let kills = 0
    const kill: OnBegin = (system) =>
      Effect.gen(function*() {
        if (kills === 3) return
        kills++
        const name = `env-worker/${random.integers(0, 2)}`
        const how = random.integers(0, 3) === 0 ? "exit" : "terminate" satisfies Fault.Fault
        yield* Effect.sleep(random.integers(0, 8_000) / 1000)
        yield* Effect.ignore(system.kill(name, how))
      }).pipe(Effect.forkDetach)
    return Effect.map(compare({ ...twoThreads, totalTimesteps: 20_000 }, kill), ({ brokenOff }) => {
      assert.strictEqual(kills, 3)
      assert.isAbove(brokenOff, 0)
    })
  }, 120_000)

  it.live("leave what is live as it was where they come to nothing: another layout may be next", () =>
    Effect.gen(function*() {
      const group = yield* EnvWorkerGroup
      const { slots } = yield* DataPlane
      const begin = { learner: { version: 0, consumed: 0, scalars: {} }, standing: new Progress().standing }
      let before = slots.map(({ liveBytes }) => liveBytes.slice())
      while (counts.stepped === 0) {
        yield* group.collect(0)
        before = slots.map(({ liveBytes }) => liveBytes.slice())
        assert.isUndefined(yield* group.stretch(10, Effect.succeed({ ...begin, stopping: initialState })))
      }
      assert.deepStrictEqual(slots.map(({ liveBytes }) => liveBytes.slice()), before)
    }).pipe(Effect.provide(
      Layer.unwrap(
        Effect.map(
          configSources.resolve({ given: { ...short, placement: "fiber" } }),
          (config) =>
            EnvWorkerGroup.layer.pipe(
              Layer.provide(ActorSystem.layerFiber([EnvWorkerBehavior])),
              Layer.provide(Layer.succeed(Replicas, breaksOff)),
              Layer.provideMerge(DataPlane.layer),
              Layer.provide(planLayer),
              Layer.provide(Seed.layer),
              Layer.provide(CurrentConfig.layer(config))
            )
        )
      ).pipe(Layer.provide(NodeServices.layer))
    )))

  it.live("are given up where the run is interrupted: what is kept is from before", () =>
    Effect.gen(function*() {
      const stop = yield* Deferred.make<void>()
      let begun = 0
      const stopThird = () =>
        ++begun === 3
          ? Effect.forkDetach(Effect.delay(Deferred.succeed(stop, undefined), "3 millis"))
          : Effect.void
      const given: PartialConfig = { ...twoThreads, checkpointInterval: 0, totalTimesteps: 1_000_000 }
      const { kept, taken } = yield* train(given, { interrupted: Deferred.await(stop), onBegin: stopThird })
      assert.isAbove(taken.stretches, 0)
      const last = kept.at(-1)!
      const { updates } = last.monitor.progress
      const single = yield* train({
        ...given,
        placement: "fiber",
        workers: 1,
        totalTimesteps: updates * 20,
        checkpointInterval: updates
      }, { watched: true })
      assert.strictEqual(single.kept.length, 1)
      const [then] = single.kept
      // Between two iterations, the one before it is judged by then.
      assert.deepStrictEqual({ ...then, monitor: { ...then!.monitor, judgedAt: updates } }, last)
    }), 60_000)

  it.live("are none where workers share a thread", () =>
    Effect.gen(function*() {
      const given: PartialConfig = { ...short, placement: "fiber", envsPerWorker: 1 }
      const { hash, taken } = yield* train(given)
      assert.strictEqual(taken.stretches, 0)
      assert.strictEqual(hash, (yield* train({ ...short, placement: "fiber" })).hash)
    }))

  it.live("with an environment that never comes back, in one of them", () => {
    const file = path.join(fs.mkdtempSync(path.join(tmpdir(), "troupe-wedges-")), "wedge")
    process.env["WEDGES_ONCE"] = file
    let said = false
    const wedge = () =>
      Effect.sync(() => {
        if (!said) fs.writeFileSync(file, "")
        said = true
      })
    const envId = fileURLToPath(new URL("../fixtures/wedges-once.ts", import.meta.url))
    return compare({ ...twoThreads, envId, collectDeadline: 3 }, wedge).pipe(
      Effect.map(({ brokenOff }) => {
        assert.isFalse(fs.existsSync(file))
        assert.isAbove(brokenOff, 0)
      }),
      Effect.ensuring(Effect.sync(() => {
        delete process.env["WEDGES_ONCE"]
        fs.rmSync(path.dirname(file), { recursive: true })
      }))
    )
  }, 60_000)
})

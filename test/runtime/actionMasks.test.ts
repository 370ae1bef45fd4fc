/** Runs in environments that mask their actions: what is not legal is never taken, and layouts, devices and policies agree. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { fileURLToPath } from "node:url"
import { masksOf } from "../../src/envs/actionMask.ts"
import { CartPoleV1 } from "../../src/envs/cartpole/CartPole.ts"
import { check } from "../../src/envs/check.ts"
import { Environment } from "../../src/envs/Environment.ts"
import type { EnvironmentDefinition } from "../../src/envs/EnvironmentDefinition.ts"
import { PendulumV1 } from "../../src/envs/pendulum/Pendulum.ts"
import { Discrete } from "../../src/envs/spaces/Discrete.ts"
import { TaxiV4 } from "../../src/envs/taxi/Taxi.ts"
import { TransformAction } from "../../src/envs/wrappers/TransformAction.ts"
import { TransformReward } from "../../src/envs/wrappers/TransformReward.ts"
import type { PartialConfig } from "../../src/runtime/config/configSources.ts"
import { Policy } from "../../src/runtime/evaluation/Policy.ts"
import { Run } from "../../src/runtime/Run.ts"
import masked from "./fixtures/masked.ts"
import { train } from "./running.ts"

const settings: PartialConfig = {
  envId: fileURLToPath(new URL("fixtures/masked.ts", import.meta.url)),
  algo: "ppo",
  nEnvs: 4,
  nSteps: 16,
  batchSize: 32,
  nEpochs: 4,
  seed: 1,
  placement: "fiber",
  totalTimesteps: 640
}

describe("runs under action masks", () => {
  it.live("take legal actions alone, and learn the best of them", () =>
    Effect.gen(function*() {
      const { status } = yield* train({ ...settings, totalTimesteps: 20_000, lr: 3e-3 })
      // The best legal actions come to 20 (2.75 + 1), random ones to 20 (1.5 + 0.5).
      assert.isAbove(status.train20 ?? Number.NaN, 60)
      const broken = yield* Effect.flip(train({ ...settings, actionMasks: false }))
      assert.include(String(broken), "is not legal")
    }), 60_000)

  it.live("have one hash over layouts, ways of shipping, and kills", () =>
    Effect.gen(function*() {
      const a2c: PartialConfig = { ...settings, algo: "a2c", nEpochs: 1, batchSize: 50 }
      const ways: ReadonlyArray<readonly [given: PartialConfig, others: ReadonlyArray<PartialConfig>]> = [
        [settings, [{ ship: "experience" }, { placement: "process", workers: 2 }]],
        [a2c, [{ ship: "experience" }, { placement: "thread", workers: 2, chaos: 1 }]]
      ]
      for (const [given, others] of ways) {
        const { hash } = yield* train(given)
        for (const other of others) {
          assert.strictEqual((yield* train({ ...given, ...other })).hash, hash, JSON.stringify(other))
        }
      }
    }), 60_000)

  it.live("come to the same on every device", () =>
    Effect.gen(function*() {
      const few = { ...settings, totalTimesteps: 64 }
      const [cpu, ...others] = yield* Effect.forEach(
        ["cpu", "reference", "tfjs-wasm"] as const,
        (device) => Effect.map(train({ ...few, device }), ({ weights }) => weights)
      )
      for (const other of others) {
        assert.isBelow(Math.max(...other.map((w, k) => Math.abs(w - cpu![k]!))), 1e-3)
      }
    }), 60_000)

  it.live("leave policies that say so, and are held to the masks that they are given", () =>
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
      assert.isTrue(loaded.actionMasks)
      for (let first = 0; first < 4; first++) {
        for (let second = 0; second < 3; second++) {
          const only = [0, 1, 2, 3].map((a) => a === first ? 1 : 0).concat([0, 1, 2].map((a) => a === second ? 1 : 0))
          assert.deepStrictEqual((yield* loaded.decide([1, 1], { mask: only })).action, [2 + first, second])
        }
      }
      assert.match((yield* Effect.flip(loaded.decide([1, 1], { mask: [1, 0] }))).message, /7 numbers/)
    }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)), 60_000)
})

describe("an environment that masks", () => {
  it.effect("is played by the checker with legal actions, and its masks are looked at", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* check(masked), [])
      assert.deepStrictEqual(yield* check(TaxiV4), [])
      const wrong = (actionMask: (mask: Uint8Array) => void) =>
        Environment.define({
          id: "Wrong-v0",
          observationSpace: new Discrete(2),
          actionSpace: new Discrete(2),
          maxEpisodeSteps: 5,
          stateSize: 1,
          masksActions: true,
          create: () => ({
            reset: () => {},
            step: () => ({ reward: 0, terminated: false }),
            observe: (observation) => observation.set([1, 0]),
            actionMask
          })
        })
      const given = wrong((mask) => void mask.fill(1))
      assert.deepStrictEqual(yield* check(given).pipe(Effect.map((all) => all.map(({ rule }) => rule))), ["reset"])
      const silent: EnvironmentDefinition<Discrete> = { ...given, masksActions: false }
      assert.match((yield* check(silent))[0]!.message, /does not say masksActions: true/)
      assert.match((yield* check({ ...given, create: CartPoleV1.create }))[0]!.message, /has no actionMask/)
      const box = { ...PendulumV1, masksActions: true }
      assert.match((yield* check(box))[0]!.message, /have no masks/)
      const sentences = yield* Effect.forEach(
        [(mask: Uint8Array) => void mask.fill(0), (mask: Uint8Array) =>
          void mask.fill(1, 0, 1), (mask: Uint8Array) =>
          void mask.fill(2)],
        (actionMask) =>
          Effect.map(check(wrong(actionMask)), ([finding]) => finding?.message)
      )
      assert.match(sentences[0]!, /leaves no action/)
      assert.match(sentences[1]!, /at 1, or was not written there/)
      assert.match(sentences[2]!, /is 2 at 0/)
    }))

  it("still masks where it is wrapped, unless its actions are others then", () => {
    assert.strictEqual(masksOf(TransformReward.wrap(TaxiV4, (reward) => reward)), 6)
    assert.strictEqual(masksOf(TransformAction.wrap(TaxiV4, new Discrete(2), (action) => action)), 0)
  })

  it("is Taxi, whose masks are those of its information", () => {
    const state = new Float64Array(TaxiV4.stateSize)
    const dynamics = TaxiV4.create(state)
    const mask = new Uint8Array(6)
    for (let place = 0; place < 500; place++) {
      state[0] = place
      dynamics.actionMask?.(mask)
      assert.deepStrictEqual([...mask], dynamics.info?.()["action_mask"])
    }
  })
})

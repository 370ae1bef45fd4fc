/** Runs on environments whose actions are not one of several: what the environment is given, hashes, policies, evaluations. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import { fileURLToPath } from "node:url"
import type { PartialConfig } from "../../src/runtime/config/configSources.ts"
import { Policy } from "../../src/runtime/evaluation/Policy.ts"
import { Run } from "../../src/runtime/Run.ts"
import box from "./fixtures/box.ts"
import integerBox from "./fixtures/integerBox.ts"
import multiBinary from "./fixtures/multiBinary.ts"
import multiDiscrete from "./fixtures/multiDiscrete.ts"
import shifted from "./fixtures/shifted.ts"
import { train } from "./running.ts"

const definitions = { shifted, multiDiscrete, multiBinary, box, integerBox }
type Name = keyof typeof definitions

const settings = (name: Name, more: PartialConfig = {}): PartialConfig => ({
  envId: fileURLToPath(new URL(`fixtures/${name}.ts`, import.meta.url)),
  nEnvs: 4,
  nSteps: 16,
  seed: 1,
  totalTimesteps: 20_000,
  checkpointInterval: 0,
  placement: "fiber",
  ...more
})
const ppo = (name: Name, more: PartialConfig = {}): PartialConfig =>
  settings(name, { algo: "ppo", batchSize: 32, nEpochs: 4, ...more })

describe("runs on other action spaces", () => {
  for (const name of Object.keys(definitions) as ReadonlyArray<Name>) {
    it.live(`${name}: learns, and gives the environment nothing but its actions`, () =>
      Effect.gen(function*() {
        const { status } = yield* train(ppo(name, { lr: 3e-3 }))
        // With random actions the signs cancel out; the largest actions for +1 and the smallest for -1 pay most.
        const { actionSpace } = definitions[name]
        const spread = (numbers: ReadonlyArray<readonly [low: number, high: number]>) =>
          numbers.reduce((sum, [low, high]) => sum + (high - low) / 2, 0)
        const most = 20 * {
          shifted: spread([[7, 9]]),
          multiDiscrete: spread([[5, 7], [-1, 0], [0, 3]]),
          multiBinary: spread([[0, 1], [0, 1], [0, 1]]),
          box: spread([[-1, 1], [-0.5, 2]]),
          integerBox: spread([[-2, 2], [0, 3]])
        }[name]
        assert.isAbove(status.train20 ?? Number.NaN, most / 2, `${actionSpace}`)
      }), 120_000)

    it.live(
      `${name}: one hash over layouts, ways of shipping and algorithms' own kinds of updates`,
      () =>
        Effect.gen(function*() {
          const few = { totalTimesteps: 640 }
          const layouts = [
            [ppo(name, few), [{ ship: "experience" }, { placement: "thread", workers: 2 }]],
            [settings(name, { algo: "a2c", ...few }), [{ placement: "process", workers: 2 }]]
          ] as const
          for (const [given, others] of layouts) {
            const { hash } = yield* train(given)
            for (const other of others) {
              assert.strictEqual((yield* train({ ...given, ...other })).hash, hash, JSON.stringify(other))
            }
          }
        }),
      120_000
    )

    it.live(
      `${name}: a policy is the same after saving, and answers actions of the space`,
      () =>
        Effect.gen(function*() {
          const fs = yield* FileSystem.FileSystem
          const policy = yield* Effect.gen(function*() {
            const run = yield* Run
            yield* run.train()
            return yield* run.policy
          }).pipe(Effect.provide(Layer.provide(Run.layer(ppo(name, { totalTimesteps: 640 })), NodeServices.layer)))
          const path = `${yield* fs.makeTempDirectoryScoped()}/policy.safetensors`
          yield* policy.save(path)
          const loaded = yield* Policy.load(path)
          const { actionSpace } = definitions[name]
          for (const observation of [[1, 0.5], [-1, 0.25], [1e3, -1e3]]) {
            const decision = yield* loaded.decide(observation)
            assert.deepStrictEqual(decision, yield* policy.decide(observation))
            assert.isTrue(actionSpace.contains(decision.action), `${String(decision.action)} of ${actionSpace}`)
          }
        }).pipe(Effect.scoped, Effect.provide(NodeServices.layer)),
      120_000
    )
  }

  it.live("on every device", () =>
    Effect.gen(function*() {
      for (const name of ["multiDiscrete", "multiBinary", "box"] as const) {
        const weights = yield* Effect.forEach(
          ["cpu", "reference", "tfjs-wasm"] as const,
          (device) => Effect.map(train(ppo(name, { device, totalTimesteps: 64 })), ({ weights }) => weights)
        )
        for (const other of weights.slice(1)) {
          const distance = Math.max(...other.map((w, k) => Math.abs(w - weights[0]![k]!)))
          assert.isBelow(distance, 1e-3, name)
        }
      }
    }), 120_000)
})

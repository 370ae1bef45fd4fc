/** Settings found for environments: they fit their algorithms and environments, and whatever a person says wins over them. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { ConfigProvider, Effect, FileSystem } from "effect"
import { Registry } from "../../../src/envs/Registry.ts"
import { algorithmNames } from "../../../src/runtime/config/algorithmNames.ts"
import { ownersOf } from "../../../src/runtime/config/algorithmSettings.ts"
import { type PartialConfig, resolve } from "../../../src/runtime/config/configSources.ts"
import { presets } from "../../../src/runtime/config/presets.ts"
import { optionNames } from "../../../src/runtime/config/RunConfig.ts"
import { tunedFor, zoo } from "../../../src/runtime/config/zoo.ts"

const resolved = Effect.fnUntraced(function*(given: PartialConfig, file?: string) {
  const notices: Array<string> = []
  const config = yield* resolve({ given, file, notice: (message) => void notices.push(message) })
  return { config, notices }
})

const withoutVariables = Effect.provide(ConfigProvider.layer(ConfigProvider.fromUnknown({})))

describe("settings found for environments", () => {
  it.effect("are of environments that there are, and fit their algorithms", () =>
    Effect.gen(function*() {
      for (const envId of Object.keys(zoo)) {
        yield* Registry.lookup(envId)
        for (const algo of algorithmNames) {
          const tuned = tunedFor(envId, algo)
          if (tuned === undefined) {
            const { notices } = yield* resolved({ envId, algo })
            assert.match(notices.join(), /there are some with --algo /)
            continue
          }
          for (const name of optionNames.filter((name) => name in tuned)) {
            const owners = ownersOf(name)
            assert.isTrue(owners.length === 0 || owners.includes(algo), `${envId}, ${algo}: ${name}`)
          }
          const { config, notices } = yield* resolved({ envId, algo })
          assert.deepStrictEqual({ ...config, ...tuned }, config, `${envId}, ${algo}`)
          assert.match(notices.join(), new RegExp(`^settings found for ${envId} with ${algo}: --`))
        }
      }
      assert.isUndefined(tunedFor("CartPole-v1", "ppo"))
      assert.isUndefined(tunedFor("constructor", "ppo"))
    }).pipe(withoutVariables, Effect.provide(NodeServices.layer)))

  it.effect("hold where nothing else is said: neither a preset, nor a flag, nor a file", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const file = `${yield* fs.makeTempDirectoryScoped()}/settings.json`
      yield* fs.writeFileString(file, JSON.stringify({ gamma: 0.5 }))
      const envId = "Pendulum-v1"
      const tuned = tunedFor(envId, "ppo")!
      const { config, notices } = yield* resolved({ envId: `${envId}?g=9.81`, algo: "ppo", lr: 0.5 }, file)
      assert.strictEqual(config.lr, 0.5)
      assert.strictEqual(config.gamma, 0.5)
      assert.strictEqual(config.nSteps, tuned.nSteps)
      assert.include(notices[0]!, `--n-steps ${tuned.nSteps}`)
      assert.notInclude(notices[0]!, "--lr 0")
      assert.include(notices[0]!, "--normalize-observations")
      // Other numbers of rows have minibatches that fit them.
      const other = yield* resolved({ envId, algo: "ppo", nEnvs: 7 })
      assert.strictEqual(7 * other.config.nSteps % other.config.batchSize, 0)
      const plain = yield* resolved({ envId, preset: "ppo" })
      assert.deepStrictEqual(plain.notices, [])
      const { gamma, lr, nSteps, normalizeRewards } = presets.ppo
      assert.deepStrictEqual({ ...plain.config, gamma, lr, nSteps, normalizeRewards }, plain.config)
      const cartPole = yield* resolved({ algo: "ppo" })
      assert.deepStrictEqual(cartPole.notices, [])
    }).pipe(withoutVariables, Effect.scoped, Effect.provide(NodeServices.layer)))
})

import { NodeServices } from "@effect/platform-node"
import { assert, describe, layer } from "@effect/vitest"
import { Effect, FileSystem } from "effect"
import { initialParameters } from "../../../src/model/initialize.ts"
import * as layersModel from "../../../src/model/layersModel.ts"
import * as onnx from "../../../src/model/onnx.ts"
import { categoricalMlp } from "../../../src/model/policy/PolicySpec.ts"
import { Pcg64 } from "../../../src/random/Pcg64.ts"
import { Policy } from "../../../src/runtime/evaluation/Policy.ts"

const spec = categoricalMlp({ towers: "shared", inputs: 4, actions: 2, hidden: [6, 5], activation: "relu" })
const policy = new Policy(
  "CartPole-v1",
  "CartPole-v1",
  spec,
  initialParameters(spec, "pytorch", Pcg64.fromSeed(1))
)

describe("Policy", () => {
  layer(NodeServices.layer)((it) => {
    it.effect("is the same after saving and loading", () =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const path = `${yield* fs.makeTempDirectoryScoped()}/policy.safetensors`
        yield* policy.save(path)
        const loaded = yield* Policy.load(path)
        assert.deepStrictEqual(loaded.weights, policy.weights)
        assert.deepStrictEqual(loaded.spec, policy.spec)
        assert.strictEqual(loaded.envId, "CartPole-v1")
        const observation = [0.1, -0.2, 0.03, 0.4]
        assert.deepStrictEqual(yield* loaded.decide(observation), yield* policy.decide(observation))
      }))

    it.effect("takes the likeliest action", () =>
      Effect.gen(function*() {
        const { action, probabilities } = yield* policy.decide([0.1, -0.2, 0.03, 0.4])
        assert.strictEqual(probabilities[Number(action)], Math.max(...probabilities))
      }))

    it.effect("answers an action of its environment, wherever the actions start, and says so in every file", () =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const path = `${yield* fs.makeTempDirectoryScoped()}/policy.safetensors`
        for (const firstAction of [5, -3, 0]) {
          const started = new Policy("Five-v0", "five.ts", spec, policy.weights, { firstAction, episodeLimit: 100 })
          yield* started.save(path)
          const loaded = yield* Policy.load(path)
          const { action, probabilities } = yield* loaded.decide([0.1, -0.2, 0.03, 0.4])
          assert.strictEqual(action, firstAction + probabilities.indexOf(Math.max(...probabilities)))
          assert.strictEqual(loaded.episodeLimit, 100)
          const about = {
            env_id: "Five-v0",
            environment: "five.ts",
            first_action: `${firstAction}`,
            episode_limit: "100"
          }
          assert.deepStrictEqual(loaded.about, about)
          const { json } = layersModel.encode(spec, loaded.weights, loaded.about)
          assert.deepStrictEqual(JSON.parse(json).userDefinedMetadata, about)
          const file = new TextDecoder("latin1").decode(onnx.encode(spec, loaded.weights, loaded.about))
          assert.include(file, "first_action")
        }
      }))

    it.effect("refuses an observation that is none, and a file that is none", () =>
      Effect.gen(function*() {
        const fs = yield* FileSystem.FileSystem
        const folder = yield* fs.makeTempDirectoryScoped()
        for (const wrong of [[1], [1, 2, 3, NaN]]) {
          assert.match((yield* Effect.flip(policy.decide(wrong))).message, /4 finite numbers/)
        }
        assert.match((yield* Effect.flip(Policy.load(`${folder}/none`))).message, /^There is no readable policy/)
        yield* fs.writeFileString(`${folder}/text`, "no policy")
        assert.match((yield* Effect.flip(Policy.load(`${folder}/text`))).message, /cannot be used as a policy/)
        yield* policy.save(`${folder}/cut`)
        yield* fs.truncate(`${folder}/cut`, 100)
        assert.match((yield* Effect.flip(Policy.load(`${folder}/cut`))).message, /cannot be used as a policy/)
        assert.match((yield* Effect.flip(policy.save(`${folder}/none/here`))).message, /cannot be written/)
      }))
  })
})

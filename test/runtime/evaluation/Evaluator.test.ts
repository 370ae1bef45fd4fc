import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { CartPoleV1 } from "../../../src/envs/cartpole/CartPole.ts"
import { TimeLimit } from "../../../src/envs/wrappers/TimeLimit.ts"
import { initialParameters } from "../../../src/model/initialize.ts"
import { Arena } from "../../../src/model/kernels/Arena.ts"
import { Kernels } from "../../../src/model/kernels/Kernels.ts"
import { type CategoricalMlp, categoricalMlp } from "../../../src/model/policy/PolicySpec.ts"
import { Pcg64 } from "../../../src/random/Pcg64.ts"
import { evaluationPolicyStream, evaluationStream } from "../../../src/random/streams.ts"
import { Evaluator } from "../../../src/runtime/evaluation/Evaluator.ts"
import { Policy } from "../../../src/runtime/evaluation/Policy.ts"

const network: CategoricalMlp = { towers: "separate", inputs: 4, actions: 2, hidden: [8], activation: "tanh" }
const definition = TimeLimit.wrap(CartPoleV1)

const setUp = Effect.gen(function*() {
  const weights = initialParameters(categoricalMlp(network), "pytorch", Pcg64.fromSeed(5))
  const arena = yield* Arena.make({ bytes: weights.byteLength + Evaluator.bytes(categoricalMlp(network)) })
  const kernels = yield* Kernels.instantiate(arena.memory)
  const address = yield* arena.allocate(weights.byteLength)
  arena.float32(address, weights.length).set(weights)
  const evaluator = yield* Evaluator.make({ arena, definition, kernels, policy: categoricalMlp(network), seed: 3 })
  return { evaluator, weights, address }
})

describe("Evaluator", () => {
  it.effect("plays each episode as it would be played alone", () =>
    Effect.gen(function*() {
      const { address, evaluator, weights } = yield* setUp
      const policy = new Policy("CartPole-v1", "CartPole-v1", categoricalMlp(network), weights)
      const { returns } = yield* evaluator.evaluate({ weights: address, round: 0, episodes: 70 })
      const alone = yield* Effect.forEach(
        returns,
        Effect.fnUntraced(function*(_, episode) {
          const dynamics = definition.create(new Float64Array(definition.stateSize))
          const random = evaluationStream(3, episode)
          const observation = new Float32Array(4)
          dynamics.reset(random)
          for (let total = 0;;) {
            dynamics.observe(observation)
            const { action } = yield* policy.decide([...observation])
            const { reward, terminated, truncated } = dynamics.step(Number(action), random)
            total += reward
            if (terminated || truncated === true) return total
          }
        })
      )
      assert.deepStrictEqual([...returns], alone)
    }))

  it.effect("plays fresh episodes in every round, and the same in the same round", () =>
    Effect.gen(function*() {
      const { address, evaluator } = yield* setUp
      const play = (round: number) => evaluator.evaluate({ weights: address, round, episodes: 20 })
      const first = yield* play(0)
      assert.deepStrictEqual(yield* play(0), first)
      assert.notDeepEqual((yield* play(1)).returns, first.returns)
    }))

  it.effect("samples the policy where it is told to, from the episode's own stream", () =>
    Effect.gen(function*() {
      const { address, evaluator, weights } = yield* setUp
      const policy = new Policy("CartPole-v1", "CartPole-v1", categoricalMlp(network), weights)
      const request = { weights: address, round: 2, episodes: 70, sampled: true }
      const { returns } = yield* evaluator.evaluate(request)
      const alone = yield* Effect.forEach(
        returns,
        Effect.fnUntraced(function*(_, episode) {
          const dynamics = definition.create(new Float64Array(definition.stateSize))
          const random = evaluationStream(3, 2 * 70 + episode)
          const sampling = evaluationPolicyStream(3, 2 * 70 + episode)
          const observation = new Float32Array(4)
          dynamics.reset(random)
          for (let total = 0;;) {
            dynamics.observe(observation)
            const { probabilities } = yield* policy.decide([...observation])
            const { reward, terminated, truncated } = dynamics.step(
              sampling.random() < probabilities[0]! ? 0 : 1,
              random
            )
            total += reward
            if (terminated || truncated === true) return total
          }
        })
      )
      assert.deepStrictEqual([...returns], alone)
      assert.deepStrictEqual((yield* evaluator.evaluate(request)).returns, returns)
    }))

  it.effect("cuts episodes where it is told to, and tells their statistics", () =>
    Effect.gen(function*() {
      const { address, evaluator } = yield* setUp
      const { max, mean, min, returns, std } = yield* evaluator.evaluate({
        weights: address,
        round: 0,
        episodes: 9,
        cap: 5
      })
      assert.deepStrictEqual([...returns], Array.from({ length: 9 }, () => 5))
      assert.deepStrictEqual({ max, mean, min, std }, { max: 5, mean: 5, min: 5, std: 0 })
    }))
})

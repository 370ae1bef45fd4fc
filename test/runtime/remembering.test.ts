/** Runs whose policy remembers: one hash everywhere, what a policy carries from step to step, and what is refused. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, FileSystem, Layer } from "effect"
import withoutVelocities from "../../examples/cart-pole-without-velocities.ts"
import { Stepper } from "../../src/envs/Stepper.ts"
import { evaluationStream } from "../../src/random/streams.ts"
import { type PartialConfig, resolve } from "../../src/runtime/config/configSources.ts"
import { Policy } from "../../src/runtime/evaluation/Policy.ts"
import { Run } from "../../src/runtime/Run.ts"
import { train } from "./running.ts"

const small: PartialConfig = { network: "gru", hidden: [5, 9], nEnvs: 4, nSteps: 8, totalTimesteps: 640 }
const ppo: PartialConfig = { ...small, algo: "ppo", batchSize: 16, nEpochs: 3, lr: 0.003 }

const apart = (a: Float32Array, b: Float32Array): number =>
  a.reduce((most, weight, k) => Math.max(most, Math.abs(weight - b[k]!)), 0)

describe("a policy that remembers", () => {
  it.live("is the same on every layout, under kills, and whatever travels", () =>
    Effect.gen(function*() {
      const layouts: ReadonlyArray<PartialConfig> = [
        { ship: "experience" },
        { chaos: 5 },
        { placement: "thread", workers: 2, chaos: 2 },
        { placement: "thread", workers: 4, envsPerWorker: 1 },
        { placement: "process", workers: 2 }
      ]
      const { hash } = yield* train(ppo)
      for (const layout of layouts) {
        assert.strictEqual((yield* train({ ...ppo, ...layout })).hash, hash, JSON.stringify(layout))
      }
      const a2c: PartialConfig = { ...small, algo: "a2c" }
      const reference = yield* train(a2c)
      assert.strictEqual((yield* train({ ...a2c, ship: "experience" })).hash, reference.hash)
      assert.strictEqual((yield* train({ ...a2c, placement: "thread", workers: 2 })).hash, reference.hash)
      const seeded: PartialConfig = { ...small, algo: "a3c", schedule: "seeded" }
      assert.strictEqual((yield* train({ ...seeded, chaos: 3 })).hash, (yield* train(seeded)).hash)
    }), 60_000)

  it.live("is the same where units have several environments", () =>
    Effect.gen(function*() {
      const many: PartialConfig = { ...ppo, nEnvs: 70, nSteps: 4, batchSize: 70, totalTimesteps: 840 }
      const { hash } = yield* train(many)
      for (const layout of [{ ship: "experience" }, { placement: "thread", workers: 2 }] as const) {
        assert.strictEqual((yield* train({ ...many, ...layout })).hash, hash, JSON.stringify(layout))
      }
    }), 60_000)

  it.live("learns on the float64 reference what it learns on cpu", () =>
    Effect.gen(function*() {
      const given: PartialConfig = { ...ppo, ship: "experience", totalTimesteps: 96 }
      const cpu = yield* train(given)
      assert.isBelow(apart((yield* train({ ...given, device: "reference" })).weights, cpu.weights), 1e-3)
      const error = yield* Effect.flip(train({ ...given, device: "tfjs-cpu" }))
      assert.match(error.message, /a policy that remembers \(gru\) is not computed on this device; cpu and reference/)
    }))

  it.live("begins each piece of work with the policy that acted: nothing is clipped in a first pass", () =>
    Effect.gen(function*() {
      const { events } = yield* train({ ...ppo, nEpochs: 1, batchSize: 32, logInterval: 1 })
      const lines = events.flatMap((event) => event.event === "progress" ? [event] : [])
      assert.isAbove(lines.length, 10)
      for (const { approx_kl } of lines) assert.isBelow(Math.abs(approx_kl!), 1e-6)
    }))

  it.live("carries its state from decision to decision, is saved, and plays episodes", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const policy = yield* Effect.gen(function*() {
        const run = yield* Run
        yield* run.train()
        return yield* run.policy
      }).pipe(Effect.provide(Layer.provide(
        Run.layer({ ...ppo, envId: withoutVelocities.module!, placement: "fiber", runFolder: false }),
        NodeServices.layer
      )))
      const path = `${yield* fs.makeTempDirectoryScoped()}/policy.safetensors`
      yield* policy.save(path)
      const loaded = yield* Policy.load(path)
      assert.deepStrictEqual(loaded.weights, policy.weights)
      assert.include(loaded.layout.layers.map(({ tensors }) => tensors.weight), "gru.weight_hh")

      const first = yield* loaded.decide([0.1, 0.02])
      assert.strictEqual(first.state?.length, 9)
      const second = yield* loaded.decide([0.1, 0.02], { state: first.state })
      assert.notDeepEqual(second.probabilities, first.probabilities)
      // Left out, an episode begins.
      assert.deepStrictEqual(yield* loaded.decide([0.1, 0.02]), first)
      assert.match(
        (yield* Effect.flip(loaded.decide([0.1, 0.02], { state: [1] }))).message,
        /has a state of 9 finite numbers/
      )

      // By hand it plays the episode that the evaluator would.
      const stepper = Stepper.create(withoutVelocities, new Float64Array(withoutVelocities.stateSize))
      assert(stepper instanceof Stepper)
      const random = evaluationStream(3, 0)
      const observation = new Float32Array(2)
      let steps = 0
      stepper.reset(random)
      stepper.observe(observation)
      for (let state: ReadonlyArray<number> | undefined; !(stepper.terminated || stepper.truncated); steps++) {
        const decision = yield* loaded.decide([...observation], { state })
        state = decision.state
        stepper.step(Number(decision.action), random)
        stepper.observe(observation)
      }
      assert.isAtLeast(steps, 5)
    }).pipe(Effect.provide(NodeServices.layer)), 30_000)

  it.live("learns what one observation does not tell", () =>
    Effect.gen(function*() {
      const given: PartialConfig = {
        envId: withoutVelocities.module!,
        preset: "recurrent-ppo",
        totalTimesteps: 38_400
      }
      // Who sees only the present has 48 on average.
      assert.isAbove((yield* train(given)).status.train20!, 100)
    }), 60_000)

  it.effect("what it cannot go with is refused by name", () =>
    Effect.gen(function*() {
      const refused = (given: PartialConfig) =>
        Effect.map(Effect.flip(resolve({ given: { network: "gru", ...given } })), ({ message }) => message)
      // PPO has a preset of its own for it, and what was found for policies without a memory is not taken.
      const { hidden, nSteps, preset } = yield* resolve({
        given: { algo: "ppo", network: "gru", envId: "Pendulum-v1" }
      })
      assert.deepStrictEqual([preset, nSteps, hidden], ["recurrent-ppo", 64, [64, 32]])
      assert.strictEqual((yield* resolve({ given: { preset: "recurrent-ppo" } })).network, "gru")
      assert.match(yield* refused({ hidden: [] }), /^--network gru needs a width in --hidden/)
      assert.match(
        yield* refused({ algo: "impala" }),
        /^--network gru goes with a2c, a3c and ppo .* not with --algo impala\.$/
      )
      assert.match(yield* refused({ preset: "notebook-a3c" }), /not with --loss td\.$/)
      assert.match(
        yield* refused({ algo: "ppo", nEnvs: 4, nSteps: 20, batchSize: 10 }),
        /^--network gru learns along whole fragments: --batch-size 10 must be at least 20\.$/
      )
    }).pipe(Effect.provide(NodeServices.layer)))
})

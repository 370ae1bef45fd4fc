/** A simulation as an environment: it is one by its contract, it is learned in with one result, and what was learned is used in it. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import Dispatch, { DispatchV0 } from "../../../examples/simulations/dispatch.ts"
import { Box, check, Discrete, Environment, environmentReference } from "../../../src/envs/index.ts"
import type { PartialConfig } from "../../../src/runtime/config/configSources.ts"
import { simulationEnvironment } from "../../../src/runtime/simulations/simulationEnvironment.ts"
import { Simulation } from "../../../src/simulation/index.ts"
import { train } from "../running.ts"

const seeds = [1, 2, 3]

/** Mean time that jobs stay, over several worlds. */
const stay = (dispatcher: "shortest queue" | "shortest delay" | "learned"): number =>
  seeds.map((seed) => Simulation.runSync(Dispatch, { seed, config: { dispatcher } }).tallies["stay"]!.mean)
    .reduce((sum, mean) => sum + mean / seeds.length, 0)

const learning: PartialConfig = {
  envId: environmentReference(DispatchV0),
  algo: "ppo",
  preset: "ppo",
  seed: 1,
  gamma: 0.9,
  lr: 5e-3,
  hidden: [32],
  nEnvs: 16,
  nSteps: 32,
  batchSize: 128,
  nEpochs: 6
}

/** The mean return of episodes that somebody decides in, the same episodes for all. */
const returnOf = Effect.fnUntraced(function*(decide: (view: ReadonlyArray<number>) => number) {
  const env = yield* Environment.make(DispatchV0)
  let sum = 0
  for (let seed = 100; seed < 130; seed++) {
    let { observation } = yield* env.reset({ seed })
    for (let isOver = false; !isOver;) {
      const step = yield* env.step(decide(Array.from(observation as Float32Array)))
      observation = step.observation
      sum += step.reward / 30
      isOver = step.terminated || step.truncated
    }
  }
  return sum
})

describe("a simulation as an environment", () => {
  it.effect("keeps the contract of environments: random episodes, snapshots, resets", () =>
    Effect.gen(function*() {
      // Every world begins with nobody in it: a warning alone.
      const rules = (yield* check(DispatchV0, { steps: 600, seed: 3 })).map(({ rule, severity }) => [rule, severity])
      assert.deepStrictEqual(rules, [["reset", "warning"]])
    }))

  it.effect("goes another way from a snapshot by other actions, and the same by the same", () =>
    Effect.gen(function*() {
      const env = yield* Environment.make(DispatchV0)
      yield* env.reset({ seed: 5 })
      for (let i = 0; i < 10; i++) yield* env.step(i % 3)
      const snapshot = yield* env.snapshot()
      const play = Effect.fnUntraced(function*(action: number) {
        const seen: Array<unknown> = []
        for (let i = 0; i < 8; i++) seen.push(yield* env.step(action))
        yield* env.restore(snapshot)
        return seen
      })
      const first = yield* play(2)
      assert.notDeepEqual(yield* play(0), first)
      assert.deepStrictEqual(yield* play(2), first)
    }))

  it.effect("ends as its world does: terminated where nothing is left, truncated at its time", () =>
    Effect.gen(function*() {
      const model = Simulation.make("Thrice", {}, (sim) => {
        const what = sim.decision("what", () => 0)
        sim.every(1, () => what.take([sim.now], (action) => what.reward(action)), { times: 3 })
      })
      const options = {
        id: "Thrice-v0",
        decision: "what",
        observationSpace: new Box({ low: 0, high: 9, shape: [1] }),
        actionSpace: new Discrete(4),
        maxEpisodeSteps: 10
      }
      const ends = Effect.fnUntraced(function*(until: number | undefined) {
        const env = yield* Environment.make(
          simulationEnvironment(model, { ...options, ...(until === undefined ? {} : { until }) })
        )
        const { observation } = yield* env.reset({ seed: 1 })
        assert.deepStrictEqual(observation, Float32Array.of(1))
        const steps: Array<unknown> = []
        for (;;) {
          const { reward, terminated, truncated } = yield* env.step(2)
          steps.push([reward, terminated, truncated])
          if (terminated || truncated) return steps
        }
      })
      assert.deepStrictEqual(yield* ends(undefined), [[2, false, false], [2, false, false], [2, true, false]])
      assert.deepStrictEqual(yield* ends(2.5), [[2, false, false], [2, false, true]])
      const pushed: Array<unknown> = []
      const pushing = Simulation.make("Pushing", {}, (sim) => {
        const push = sim.decision("push", () => [0, 0])
        sim.every(1, () => push.take([sim.now], (action) => void pushed.push(action)))
      })
      const several = yield* Environment.make(
        simulationEnvironment(pushing, {
          ...options,
          decision: "push",
          actionSpace: new Box({ low: -1, high: 1, shape: [2] })
        })
      )
      yield* several.reset({ seed: 1 })
      yield* several.step(Float64Array.of(0.25, -1))
      const { observation } = yield* several.step(Float64Array.of(0.5, 1))
      assert.deepStrictEqual([pushed, observation], [[[0.25, -1], [0.5, 1]], Float32Array.of(3)])
      const wrong = yield* Environment.make(
        simulationEnvironment(model, { ...options, observationSpace: new Box({ low: 0, high: 9, shape: [2] }) })
      )
      const fault = yield* Effect.flip(wrong.reset({ seed: 1 }))
      assert.include(fault.message, `the decision "what" shows 1 numbers where its observation space has 2`)
    }))
})

describe("learning inside a simulation", () => {
  it.live("gives the same weights on every layout", () =>
    Effect.gen(function*() {
      const short = { ...learning, totalTimesteps: 2048 }
      const { hash } = yield* train(short)
      const layouts: ReadonlyArray<PartialConfig> = [
        { placement: "fiber", workers: 2, envsPerWorker: 1, chaos: 3 },
        { placement: "thread", workers: 2, envsPerWorker: 2 }
      ]
      for (const layout of layouts) {
        assert.strictEqual((yield* train({ ...short, ...layout })).hash, hash, JSON.stringify(layout))
      }
    }), 120_000)

  it.live("makes in a short time a dispatcher who beats joining the shortest queue", () =>
    Effect.gen(function*() {
      const { policy } = yield* train({ ...learning, totalTimesteps: 30_000 })
      const learned = yield* returnOf((view) => Number(policy.decideSync(view).action))
      const queue = yield* returnOf((view) => view.indexOf(Math.min(...view)))
      // What is returned is a cost.
      assert.isAbove(learned, 0.85 * queue, `${learned}, ${queue} by the queue`)
    }), 120_000)

  it("is kept in a file, for an agent that holds it", () => {
    const [queue, delay, learned] = [stay("shortest queue"), stay("shortest delay"), stay("learned")]
    assert.isBelow(learned, 0.7 * queue, `${learned}, ${queue} by the queue`)
    assert.isBelow(learned, delay)
  })
})

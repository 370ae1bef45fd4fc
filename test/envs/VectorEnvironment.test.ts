/** Vectors of worlds: their memory is a snapshot, and what one of them does wrong is told with which it was. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import {
  Box,
  CartPoleV1,
  Discrete,
  type EnvironmentDefinition,
  type FlatDynamics,
  fromFlat,
  VectorEnvironment
} from "../../src/envs/index.ts"
import corridor from "./fixtures/corridor.ts"

const Seed = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1e9 }))

/** Counts its steps; what the third gives is up to `wrong`. */
const counting: FlatDynamics<number> = {
  reset: (state, at) => {
    state[at] = 0
  },
  step: (state, at, _action, _random, outcome) => {
    state[at]! += 1
    outcome.reward = 1
    outcome.terminated = false
  },
  observe: (state, at, into, to) => {
    into[to] = state[at]!
  }
}

const flat = (changed: Partial<FlatDynamics<number>>): EnvironmentDefinition<Discrete> => ({
  id: "Counting-v0",
  observationSpace: new Box({ low: 0, high: Infinity, shape: [1] }),
  actionSpace: new Discrete(2),
  stateSize: 1,
  create: fromFlat({ ...counting, ...changed })
})

/** The same without flat dynamics. */
const plain = (definition: EnvironmentDefinition<Discrete>): EnvironmentDefinition<Discrete> => ({
  ...definition,
  create: (state) => definition.create(state)
})

describe("VectorEnvironment", () => {
  it.effect.prop("copies of its memory are a snapshot", [Seed], ([seed]) =>
    Effect.gen(function*() {
      for (const definition of [CartPoleV1, corridor]) {
        const vector = yield* VectorEnvironment.make(definition, 4)
        yield* vector.reset(seed)
        const actions = definition.actionSpace.sampler(seed)
        const play = (steps: number) =>
          Array.from({ length: steps }, () => {
            assert.isUndefined(vector.step(Int32Array.from({ length: 4 }, () => actions.sample())))
            return [[...vector.observations], [...vector.rewards], [...vector.terminated]]
          })
        play(30)
        const kept = [vector.states, vector.randoms, vector.observations, actions.state].map((memory) => memory.slice())
        const expected = play(40)
        vector.states.set(kept[0]!)
        vector.randoms.set(kept[1]!)
        vector.observations.set(kept[2]!)
        actions.state.set(kept[3]!)
        assert.deepStrictEqual(play(40), expected)
      }
    }))

  it.effect("a reset without a seed goes on in the streams", () =>
    Effect.gen(function*() {
      const vector = yield* VectorEnvironment.make(CartPoleV1, 2)
      yield* vector.reset(3)
      const first = [...vector.observations]
      yield* vector.reset()
      assert.notDeepEqual([...vector.observations], first)
      yield* vector.reset(3)
      assert.deepStrictEqual([...vector.observations], first)
      assert.match((yield* Effect.flip(vector.reset(-1))).message, /cannot be seeded with -1/)
    }))

  const wrong: ReadonlyArray<readonly [string, Partial<FlatDynamics<number>>, RegExp]> = [
    ["a reward that is no number", {
      step: (state, at, action, random, outcome) => {
        counting.step(state, at, action, random, outcome)
        if (state[at] === 3) outcome.reward = NaN
      }
    }, /at step 3 of its episode: the reward is NaN, which is no finite number \(world 0 of 3\)/],
    ["a reward that float32 cannot hold", {
      step: (state, at, action, random, outcome) => {
        counting.step(state, at, action, random, outcome)
        outcome.reward = 1e39
      }
    }, /at step 1 .*the reward is 1e\+39, more than float32 can hold/],
    ["an infinite observation", {
      observe: (state, at, into, to) => {
        into[to] = state[at]! > 1 ? Infinity : 0
      }
    }, /at step 2 .*observation\[0\] is Infinity \(world 0 of 3\)/],
    ["a throw", {
      step: () => {
        throw new TypeError("no such wall")
      }
    }, /its step threw TypeError: no such wall/],
    ["a flag that is none", {
      step: (_state, _at, _action, _random, outcome) => Object.assign(outcome, { reward: 0, terminated: 1 })
    }, /terminated is 1, where true or false belongs/]
  ]
  for (const [what, changed, message] of wrong) {
    for (const form of [flat, (changed: Partial<FlatDynamics<number>>) => plain(flat(changed))]) {
      it.effect(`${what} is a fault, ${form === flat ? "by flat dynamics" : "alone"}`, () =>
        Effect.gen(function*() {
          const vector = yield* VectorEnvironment.make(form(changed), 3)
          yield* vector.reset(0)
          let fault
          for (let t = 0; t < 4 && fault === undefined; t++) fault = vector.step([0, 1, 0])
          assert.match(fault?.message ?? "", message)
        }))
    }
  }

  it.effect("names the world that cannot be made, and the definition that cannot be", () =>
    Effect.gen(function*() {
      let made = 0
      const second = { ...corridor, create: (state: Float64Array) => made++ < 1 ? corridor.create(state) : Object({}) }
      const fault = yield* Effect.flip(VectorEnvironment.make(second, 3))
      assert.match(fault.message, /what its create gave has no reset \(world 1 of 3\)/)
      const invalid = yield* Effect.flip(VectorEnvironment.make({ ...corridor, stateSize: -1 }, 3))
      assert.match(invalid.message, /its stateSize is -1/)
    }))
})

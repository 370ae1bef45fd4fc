/** Gymnasium's contract for people: seeding, stepping, snapshots, and how each misuse fails. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Random, Schema } from "effect"
import { Box, CartPoleV1, Discrete, Environment, EnvironmentSnapshot } from "../../src/envs/index.ts"
import corridor from "./fixtures/corridor.ts"

const Seed = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1e9 }))
const Actions = Schema.Array(Schema.Literals([0, 1])).check(Schema.isMaxLength(60))

/** Plays actions, resetting where an episode ends; the results in order. */
const play = (environment: Environment<Discrete>, actions: ReadonlyArray<number>) =>
  Effect.forEach(actions, (action) =>
    Effect.gen(function*() {
      const result = yield* environment.step(action)
      const start = result.terminated || result.truncated ? yield* environment.reset() : undefined
      return { result, start }
    }))

describe("Environment", () => {
  it.effect.prop(
    "the same seed and actions give the same episode",
    [Seed, Actions],
    ([seed, actions]) =>
      Effect.gen(function*() {
        for (const definition of [CartPoleV1, corridor]) {
          const a = yield* Environment.make(definition)
          const b = yield* Environment.make(definition)
          assert.deepStrictEqual(yield* a.reset({ seed }), yield* b.reset({ seed }))
          assert.deepStrictEqual(yield* play(a, actions), yield* play(b, actions))
        }
      })
  )

  it.effect.prop("a restored snapshot goes on as the original, over resets and over JSON", [Seed, Actions, Actions], (
    [seed, before, after]
  ) =>
    Effect.gen(function*() {
      const codec = Schema.toCodecJson(EnvironmentSnapshot)
      for (const definition of [CartPoleV1, corridor]) {
        const original = yield* Environment.make(definition)
        yield* original.reset({ seed })
        yield* play(original, before)
        const json = JSON.stringify(yield* Schema.encodeEffect(codec)(yield* original.snapshot()))
        const expected = yield* play(original, after)
        const other = yield* Environment.make(definition)
        yield* other.restore(yield* Schema.decodeUnknownEffect(codec)(JSON.parse(json)))
        assert.deepStrictEqual(yield* play(other, after), expected)
      }
    }))

  it.effect("a reset without a seed goes on in the stream; with one it starts again", () =>
    Effect.gen(function*() {
      const environment = yield* Environment.make(CartPoleV1)
      const first = yield* environment.reset({ seed: 3 })
      const second = yield* environment.reset()
      assert.notDeepEqual(second, first)
      assert.deepStrictEqual(yield* environment.reset({ seed: 3 }), first)
      assert.deepStrictEqual(yield* environment.reset(), second)
    }))

  it.effect("a first reset without a seed takes one from Random", () =>
    Effect.gen(function*() {
      const start = Effect.flatMap(Environment.make(CartPoleV1), (environment) => environment.reset())
      const seeded = (seed: string) => Random.withSeed(start, seed)
      assert.deepStrictEqual(yield* seeded("a"), yield* seeded("a"))
      assert.notDeepEqual(yield* seeded("a"), yield* seeded("b"))
    }))

  it.effect("truncates at the limit and keeps terminated apart", () =>
    Effect.gen(function*() {
      const environment = yield* Environment.make({ ...corridor, maxEpisodeSteps: 3 })
      yield* environment.reset({ seed: 0 })
      const results = yield* Effect.forEach([0, 0, 0], (action) => environment.step(action))
      assert.deepStrictEqual(results.map(({ terminated, truncated }) => [terminated, truncated]), [
        [false, false],
        [false, false],
        [false, true]
      ])
    }))

  it.effect("gives integers where the observation space is Discrete", () =>
    Effect.gen(function*() {
      const space = new Discrete(6)
      const environment = yield* Environment.make({
        ...corridor,
        observationSpace: space,
        create: (state) => ({
          ...corridor.create(state),
          observe: (observation) => space.encode(state[0]!, observation)
        })
      })
      assert.deepStrictEqual(yield* environment.reset({ seed: 0 }), { observation: 2, info: { cell: 2 } })
    }))

  it.effect("takes vectors where the action space is a Box", () =>
    Effect.gen(function*() {
      const environment = yield* Environment.make({
        id: "Push-v0",
        observationSpace: new Box({ low: [-10], high: [10] }),
        actionSpace: new Box({ low: [-1], high: [1] }),
        stateSize: 1,
        create: (state) => ({
          reset: () => state.fill(0),
          step: (action) => ({ reward: state[0]! += action[0]!, terminated: false }),
          observe: (observation) => observation.set(state)
        })
      })
      yield* environment.reset({ seed: 0 })
      assert.strictEqual((yield* environment.step(Float64Array.of(0.5))).reward, 0.5)
      const error = yield* Effect.flip(environment.step(Float64Array.of(2)))
      assert.strictEqual(
        error.message,
        "The action [2] is not in Box(-1, 1, [1], float32), the action space of \"Push-v0\"."
      )
    }))

  it.effect("misuse fails with a sentence that says what to do", () =>
    Effect.gen(function*() {
      const environment = yield* Environment.make(CartPoleV1)
      assert.match((yield* Effect.flip(environment.step(0))).message, /has no episode yet: call reset before step/)
      const seed = yield* Effect.flip(environment.reset({ seed: -1 }))
      assert.match(seed.message, /cannot be seeded with -1: give an integer from 0/)
      yield* environment.reset({ seed: 0 })
      const action = yield* Effect.flip(environment.step(2))
      assert.strictEqual(action.message, "The action 2 is not in Discrete(2), the action space of \"CartPole-v1\".")
      const options = yield* Effect.flip(environment.reset({ options: { low: 1, high: -1 } }))
      assert.match(options.message, /"CartPole-v1" failed at step 0 .*"low" \(1\) is above "high" \(-1\)/)
      const other = yield* Effect.flatMap(Environment.make(corridor), (environment) => environment.snapshot())
      const mismatch = yield* Effect.flip(environment.restore(other))
      assert.match(mismatch.message, /does not fit the environment "CartPole-v1": it was taken of "Corridor-v0"/)
      const short = new EnvironmentSnapshot({ ...other, id: "CartPole-v1", state: new Uint8Array(8) })
      assert.match((yield* Effect.flip(environment.restore(short))).message, /its state has 8 bytes where .* has 48/)
    }))

  const faults: ReadonlyArray<readonly [string, Partial<ReturnType<typeof corridor.create>>, RegExp]> = [
    [
      "a NaN reward",
      { step: () => ({ reward: NaN, terminated: false }) },
      /at step 1 of its episode: the reward is NaN/
    ],
    [
      "an infinite observation",
      { observe: (observation) => observation.fill(Infinity) },
      /observation\[0\] is Infinity/
    ],
    ["an observation left unwritten", { observe: () => {} }, /observation\[0\] is NaN/],
    ["a throw", {
      step: () => {
        throw new TypeError("no such wall")
      }
    }, /step threw TypeError: no such wall/]
  ]
  for (const [what, broken, message] of faults) {
    it.effect(`${what} is a fault of the environment`, () =>
      Effect.gen(function*() {
        const environment = yield* Environment.make({
          ...corridor,
          create: (state) => ({ ...corridor.create(state), ...broken })
        })
        const error = yield* Effect.flip(Effect.andThen(environment.reset({ seed: 0 }), environment.step(1)))
        assert.strictEqual(error._tag, "EnvironmentFault")
        assert.match(error.message, message)
      }))
  }
})

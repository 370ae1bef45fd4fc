/** Wrappers by their names: how they may be written, what is refused, and that each keeps all that it has in the state. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import {
  AcrobotV1,
  BlackjackV1,
  Box,
  CartPoleV1,
  check,
  ClipReward,
  Dict,
  Discrete,
  Environment,
  type EnvironmentDefinition,
  FrozenLakeV1,
  MountainCarContinuousV0,
  PendulumV1,
  TimeAwareObservation,
  TimeLimit,
  TransformAction,
  wrapNamed,
  wrapperNames
} from "../../../src/envs/index.ts"
import { environmentReference, loadEnvironment } from "../../../src/envs/loadEnvironment.ts"
import { splitReference, wrappersOf } from "../../../src/envs/options.ts"
import { canonicalWrapper } from "../../../src/envs/wrappers/namedWrappers.ts"
import { Pcg64 } from "../../../src/random/index.ts"

/** Each wrapper with what it goes with. */
const examples: ReadonlyArray<readonly [EnvironmentDefinition, string]> = [
  [AcrobotV1, "TimeLimit:20"],
  [CartPoleV1, "RecordEpisodeStatistics"],
  [PendulumV1, "NormalizeReward:0.95"],
  [CartPoleV1, "NormalizeObservation"],
  [PendulumV1, "ClipAction"],
  [PendulumV1, "ClipReward:-1,0"],
  [MountainCarContinuousV0, "RescaleAction:-3,3"],
  [MountainCarContinuousV0, "RescaleObservation:-1,1"],
  [CartPoleV1, "FrameStackObservation:4,zero"],
  [BlackjackV1, "FrameStackObservation:2"],
  [FrozenLakeV1, "FrameStackObservation:3"],
  [CartPoleV1, "MaxAndSkipObservation:3"],
  [BlackjackV1, "FlattenObservation"],
  [FrozenLakeV1, "OneHotObservation"],
  [CartPoleV1, "TimeAwareObservation:normalize_time=True"],
  [FrozenLakeV1, "StickyAction:0.3,[2,4]"],
  [PendulumV1, "StickyAction:0.5"]
]

const between = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** An episode or more with the actions of a seed; `visit` sees the state before each step. */
const play = (
  definition: EnvironmentDefinition,
  seed: number,
  steps: number,
  from?: { readonly state: Float64Array; readonly random: Uint32Array; readonly actions: Uint32Array }
) => {
  const limited = TimeLimit.wrap(definition)
  const state = from?.state.slice() ?? new Float64Array(limited.stateSize)
  const random = from === undefined ? Pcg64.fromSeed(seed) : Pcg64.view(from.random.slice())
  const actions = limited.actionSpace.sampler(seed)
  if (from !== undefined) actions.state.set(from.actions)
  const dynamics = limited.create(state)
  if (from === undefined) dynamics.reset(random)
  const observation = new Float32Array(limited.observationSpace.size)
  const seen: Array<unknown> = []
  for (let i = 0; i < steps; i++) {
    const { reward, terminated, truncated = false } = dynamics.step(actions.sample(), random)
    dynamics.observe(observation)
    seen.push([reward, terminated, truncated, ...observation])
    if (!terminated && !truncated) continue
    dynamics.reset(random)
    dynamics.observe(observation)
    seen.push([...observation])
  }
  return { seen, left: { state, random: random.state, actions: actions.state } }
}

describe("wrappers by name", () => {
  it("every one has an example here", () => {
    const named = new Set(examples.map(([, text]) => canonicalWrapper(text).split(":")[0]))
    assert.deepStrictEqual([...named].toSorted(), [...wrapperNames].toSorted())
  })

  for (const [definition, text] of examples) {
    it.effect(`${text} of ${definition.id} passes the checker`, () =>
      Effect.gen(function*() {
        const findings = yield* check(wrapNamed(definition, [text]), { steps: 300 })
        // FrozenLake begins at the same place always.
        assert.deepStrictEqual(findings.filter(({ severity }) => severity === "error"), [])
      }))

    it.prop(
      `${text} of ${definition.id} goes on from copied memory as if nothing had been`,
      [between(0, 1000), between(1, 60), between(1, 30)],
      ([seed, n, m]) => {
        const wrapped = wrapNamed(definition, [text])
        const whole = play(wrapped, seed, n + m).seen
        const rest = play(wrapped, seed, m, play(wrapped, seed, n).left).seen
        assert.deepStrictEqual(whole.slice(whole.length - rest.length), rest)
      },
      { arbitrary: { runs: 12 } }
    )
  }

  it("may be written as people write them", () => {
    for (const word of ["frame-stack", "FrameStack", "frame_stack_observation", "framestackobservation"]) {
      assert.strictEqual(canonicalWrapper(`${word}:4`), "FrameStackObservation:stack_size=4")
    }
    assert.strictEqual(
      canonicalWrapper("rescale-action:[-1, -2], max_action=1"),
      "RescaleAction:min_action=[-1,-2],max_action=1"
    )
    assert.strictEqual(
      canonicalWrapper("sticky-action:repeat_action_duration=(2, 3),repeat_action_probability=0.1"),
      "StickyAction:repeat_action_probability=0.1,repeat_action_duration=[2,3]"
    )
    assert.strictEqual(canonicalWrapper("clip-reward:None,1"), "ClipReward:min_reward=null,max_reward=1")
    assert.strictEqual(canonicalWrapper("one-hot"), "OneHotObservation")
    for (const [, text] of examples) {
      assert.strictEqual(canonicalWrapper(canonicalWrapper(text)), canonicalWrapper(text))
    }
  })

  it("are refused with what is meant", () => {
    const refused = (text: string, said: RegExp, definition: EnvironmentDefinition = CartPoleV1) =>
      assert.throws(() => wrapNamed(definition, [text]), said)
    refused("frame-stak:4", /did you mean FrameStackObservation/)
    refused("./evil.ts", /none of that name/)
    refused("normalize", /none of that name/)
    refused("transform-reward", /takes a function/)
    refused("frame-stack", /stack_size/)
    refused("frame-stack:0", /stack_size is 0/)
    refused("frame-stack:stack_size=2,stack_size=3", /given twice/)
    refused("clip-action:1", /takes no options/)
    refused("clip-action", /Discrete\(2\), and not of a Box/)
    refused("clip-reward:1,0", /above/)
    refused("clip-reward", /min_reward or max_reward/)
    refused("max-and-skip:1", /from 2/)
    refused("sticky-action:1", /below 1/)
    refused("rescale-observation:0,1", /unbounded/)
    refused("time-aware", /no limit/, { ...PendulumV1, maxEpisodeSteps: undefined } as never)
    refused("time-aware:color=red", /no option color/)
    refused("one-hot", /not of a Discrete/)
    refused("normalize-reward:gamma=2", /from 0 to 1/)
  })

  it.effect("are part of a reference, which other threads and saved policies load", () =>
    Effect.gen(function*() {
      const wrapped = yield* loadEnvironment("FrozenLake-v1?is_slippery=false&wrap=frame-stack:2&wrap=TimeLimit:7")
      const reference = environmentReference(wrapped)
      assert.deepStrictEqual([splitReference(reference), wrappersOf(reference)], [{
        base: "FrozenLake-v1",
        given: { is_slippery: false }
      }, ["FrameStackObservation:stack_size=2", "TimeLimit:max_episode_steps=7"]])
      const again = yield* loadEnvironment(reference)
      assert.strictEqual(again.stateSize, wrapped.stateSize)
      assert.deepStrictEqual(play(again, 3, 40).seen, play(wrapped, 3, 40).seen)
      const failure = yield* Effect.flip(loadEnvironment("CartPole-v1?wrap=nothing-of-the-kind"))
      assert.strictEqual(failure._tag, "UnknownWrapper")
    }))

  it.effect("have the limit that is asked for within them", () =>
    Effect.gen(function*() {
      const skipping = yield* loadEnvironment("Pendulum-v1?wrap=max-and-skip:4", 10)
      assert.strictEqual(
        play(skipping, 0, 3).seen.filter((row) => (row as ReadonlyArray<unknown>)[2] === true).length,
        1
      )
    }))
})

describe("wrappers as functions", () => {
  it.effect("change what an action is", () =>
    Effect.gen(function*() {
      const reversed = TransformAction.wrap(CartPoleV1, new Discrete(2, { start: 5 }), (action) => 6 - action)
      const [outer, inner] = [yield* Environment.make(reversed), yield* Environment.make(CartPoleV1)]
      for (const env of [outer, inner]) yield* env.reset({ seed: 4 })
      assert.deepStrictEqual((yield* outer.step(5)).observation, (yield* inner.step(1)).observation)
      assert.strictEqual((yield* Effect.flip(outer.step(1)))._tag, "InvalidAction")
    }))

  it("say where among named observations the time is", () => {
    const space = new Dict({ a: new Box({ low: 0, high: 1, shape: [2] }), z: new Discrete(2) })
    const named: EnvironmentDefinition = {
      id: "Named-v0",
      observationSpace: space,
      actionSpace: new Discrete(1),
      maxEpisodeSteps: 9,
      stateSize: 0,
      create: () => ({
        reset: () => {},
        step: () => ({ reward: 0, terminated: false }),
        observe: (into) => space.encode({ a: [0.25, 0.5], z: 1 }, into)
      })
    }
    const wrapped = TimeAwareObservation.wrap(named, { flatten: false, dict_time_key: "m" })
    const dynamics = wrapped.create(new Float64Array(wrapped.stateSize))
    dynamics.reset(Pcg64.fromSeed(0))
    dynamics.step(0, Pcg64.fromSeed(0))
    const flat = new Float32Array(wrapped.observationSpace.size)
    dynamics.observe(flat)
    assert.deepStrictEqual([...flat], [0.25, 0.5, 1, 0, 1])
    assert.throws(() => TimeAwareObservation.wrap(named, { dict_time_key: "a" }), /"a" already/)
  })

  it("keep the threshold where rewards are still the environment's, and draw what they drew", () => {
    assert.strictEqual(ClipReward.wrap(CartPoleV1, { max_reward: 1 }).rewardThreshold, 475)
    assert.isUndefined(wrapNamed(CartPoleV1, ["NormalizeReward"]).rewardThreshold)
    const stacked = wrapNamed(CartPoleV1, ["frame-stack:2"])
    assert.match(stacked.rendering!.ansi!(new Float64Array(stacked.stateSize)), /=o=/)
  })
})

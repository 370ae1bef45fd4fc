/**
 * What comes out of Gymnasium's wrappers, step by step, from the recorded actions on. Where the environment within is exact, so
 * is what is wrapped around it; where it takes sines and cosines (`conformance.test.ts` of the environments), a last bit may
 * differ, and a running statistic passes it on.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Environment, type EnvironmentDefinition, Registry, wrapNamed } from "../../../src/envs/index.ts"
import { gymnasiumSpace } from "../gymnasiumSpace.ts"

const file = join(process.env["REFERENCE_DIR"] ?? "test/reference", "wrappers.json")

const Numbers = Schema.Array(Schema.Finite)
const Stack = Schema.Struct({
  id: Schema.String,
  options: Schema.Record(Schema.String, Schema.Json),
  observation_space: Schema.String,
  action_space: Schema.String,
  episodes: Schema.Array(Schema.Struct({
    seed: Schema.NullOr(Schema.Finite),
    reset: Numbers,
    actions: Schema.Array(Numbers),
    observations: Schema.Array(Numbers),
    rewards: Numbers,
    terminated: Schema.Array(Schema.Boolean),
    truncated: Schema.Array(Schema.Boolean),
    episode: Schema.NullOr(Schema.Record(Schema.String, Schema.Finite))
  }))
})
type Stack = typeof Stack.Type
const File = Schema.Struct({ seed: Schema.Finite, stacks: Schema.Record(Schema.String, Stack) })

/** The wrappers of a recorded stack, the innermost first, and which of its options are whose. */
const wrappersOf: Readonly<Record<string, Readonly<Record<string, ReadonlyArray<string>>>>> = {
  normalize_observation: { NormalizeObservation: ["epsilon"] },
  normalize_reward: { NormalizeReward: ["gamma", "epsilon"] },
  normalize_both: { NormalizeObservation: [], NormalizeReward: ["gamma"] },
  frame_stack: { FrameStackObservation: ["stack_size", "padding_type"] },
  frame_stack_zero: { FrameStackObservation: ["stack_size", "padding_type"] },
  flatten_one_hot: { FlattenObservation: [] },
  clip_action: { ClipAction: [] },
  rescale_action: { RescaleAction: ["min_action", "max_action"] },
  rescale_observation: { RescaleObservation: ["min_obs", "max_obs"] },
  clip_reward: { ClipReward: ["min_reward", "max_reward"] },
  time_aware: { TimeAwareObservation: ["normalize_time"] },
  max_and_skip: { MaxAndSkipObservation: ["skip"] },
  sticky_action: { StickyAction: ["repeat_action_probability"] },
  record_episode_statistics: { RecordEpisodeStatistics: [] }
}

const textsOf = (name: string, options: Stack["options"]): ReadonlyArray<string> =>
  Object.entries(wrappersOf[name] ?? {}).map(([wrapper, names]) =>
    `${wrapper}:${names.map((option) => `${option}=${JSON.stringify(options[option])}`).join(",")}`.replace(/:$/, "")
  )

/** How far a number may be from the recorded one, relative to 1 or to its size: nowhere, for exact worlds. */
const exact = ["FrozenLake-v1", "MountainCarContinuous-v0"]
const toleranceOf = (id: string): number => exact.includes(id) ? 0 : 2e-6

const compare = (ours: number, theirs: number, tolerance: number, where: string) => {
  if (Object.is(ours, theirs) || Math.abs(ours - theirs) <= tolerance * Math.max(1, Math.abs(theirs))) return
  assert.fail(`${where} is ${ours}, recorded ${theirs}`)
}

const replay = Effect.fnUntraced(function*(name: string, stack: Stack, definition: EnvironmentDefinition) {
  const tolerance = toleranceOf(stack.id)
  const env = yield* Environment.make(definition)
  const flat = new Float32Array(definition.observationSpace.size)
  const compareAll = (observation: unknown, recorded: ReadonlyArray<number>, where: string) => {
    const space: { encode(value: unknown, into: Float32Array): void } = definition.observationSpace
    space.encode(observation, flat)
    assert.strictEqual(flat.length, recorded.length, where)
    flat.forEach((value, i) => compare(value, recorded[i]!, tolerance, `${where}: observation[${i}]`))
  }
  for (const [index, episode] of stack.episodes.entries()) {
    const reset = yield* env.reset(episode.seed === null ? {} : { seed: episode.seed })
    compareAll(reset.observation, episode.reset, `${name}, episode ${index}, reset`)
    let said: unknown
    for (const [t, numbers] of episode.actions.entries()) {
      const where = `${name}, episode ${index}, step ${t}`
      const action = definition.actionSpace._tag === "Discrete" ? numbers[0]! : Float64Array.from(numbers)
      const step = yield* env.step(action)
      compare(step.reward, episode.rewards[t]!, tolerance, `${where}: the reward`)
      assert.strictEqual(step.terminated, episode.terminated[t], where)
      assert.strictEqual(step.truncated, episode.truncated[t], where)
      compareAll(step.observation, episode.observations[t]!, where)
      // A snapshot in the middle is the same world.
      if (t === 2) yield* env.restore(yield* env.snapshot())
      said = step.info["episode"]
    }
    if (episode.episode !== null) assert.deepStrictEqual(said, episode.episode)
  }
})

describe("Gymnasium's wrappers", () => {
  if (!existsSync(file)) it.skip(`there is no ${file}`, () => {})
  else {
    const { stacks } = Schema.decodeUnknownSync(File)(JSON.parse(readFileSync(file, "utf8")))
    for (const [name, stack] of Object.entries(stacks)) {
      it.effect(`${name} of ${stack.id} gives what was recorded`, () =>
        Effect.gen(function*() {
          assert.property(wrappersOf, name, "a stack that is not known here")
          const definition = wrapNamed(yield* Registry.lookup(stack.id), textsOf(name, stack.options))
          assert.strictEqual(`${definition.observationSpace}`, `${gymnasiumSpace(stack.observation_space)}`)
          assert.strictEqual(`${definition.actionSpace}`, `${gymnasiumSpace(stack.action_space)}`)
          yield* replay(name, stack, definition)
        }))
    }
  }
})

/**
 * Every recorded Gymnasium trajectory, replayed.
 *
 * Resets, flags and toy-text worlds are equal to the bit, and so are most numbers of the others. Those that pass through
 * sin and cos are not always: NumPy calls the C library's (with fused multiply-add), ours are fdlibm's, and of the angles of an
 * episode about 1 in 80 (sin) or 400 (cos) differs in its last bit. NumPy's powers of two are the C library's too, which now and
 * then differ from a product. So each step is taken from the recorded state and may differ by a few units in
 * the last place; and over a whole trajectory the difference may grow as the world lets it.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { type AnySpace, Environment, Registry, TimeLimit } from "../../src/envs/index.ts"
import { Pcg64 } from "../../src/random/index.ts"
import { gymnasiumSpace, plain } from "./gymnasiumSpace.ts"

const folder = join(process.env["REFERENCE_DIR"] ?? "test/reference", "gymnasium")

const Value = Schema.Union([Schema.Finite, Schema.Array(Schema.Finite)])
const Recording = Schema.Struct({
  id: Schema.String,
  max_episode_steps: Schema.NullOr(Schema.Finite),
  reward_threshold: Schema.NullOr(Schema.Finite),
  observation_space: Schema.String,
  action_space: Schema.String,
  /** The options of `make`. */
  kwargs: Schema.optionalKey(Schema.Record(Schema.String, Schema.Json)),
  runs: Schema.Array(Schema.Struct({
    seed: Schema.Finite,
    policy: Schema.String,
    episodes: Schema.Array(Schema.Struct({
      seed: Schema.NullOr(Schema.Finite),
      reset: Value,
      actions: Schema.Array(Value),
      observations: Schema.Array(Value),
      rewards: Schema.Array(Schema.Finite),
      terminated: Schema.Array(Schema.Boolean),
      truncated: Schema.Array(Schema.Boolean),
      states: Schema.optionalKey(Schema.Array(Schema.Array(Schema.Finite)))
    }))
  }))
})
type Recording = typeof Recording.Type

interface Tolerance {
  /** Numbers of the state that one step computes without sin or cos: equal to the bit. */
  readonly exact: ReadonlyArray<number>
  /** How far the others may be after one step, relative to 1 or to their size. */
  readonly step: number
  /** By how much a difference may grow in one step. */
  readonly growth: number
  /** Which share of the state's numbers may differ at all after one step. */
  readonly share: number
  /** How far a reward may be after one step: none where it is left out. */
  readonly reward?: number
}

/** Two units in the last place of 1. */
const lastBits = 4.5e-16

/** What may differ, by id; an environment without an entry must be exact. */
const cartPole: Tolerance = {
  exact: [0, 2],
  step: lastBits,
  // An upright pole falls by e^(lambda tau) a step.
  growth: Math.exp(0.02 * Math.sqrt(9.8 / (0.5 * (4 / 3 - 0.1 / 1.1))) * 1.1),
  share: 0.001
}
const tolerances: Readonly<Record<string, Tolerance>> = {
  "CartPole-v0": cartPole,
  "CartPole-v1": cartPole,
  // On a hill's top a step multiplies a difference by 1 + sqrt(3 * 0.0025), about.
  "MountainCar-v0": { exact: [], step: lastBits, growth: 1.1, share: 0.005 },
  // Upright, by 1 + sqrt(0.05 * 0.75), about. A reward has 0.001 torque², which NumPy squares in float32 by the C
  // library's powf: in 1 of 1300 cases a unit in the last place of a float32 beside the product.
  "Pendulum-v1": { exact: [], step: lastBits, growth: 1.25, share: 0.01, reward: 1e-9 },
  // Twelve sines and cosines a step, and chaos: measured 1.18 over 500 steps.
  "Acrobot-v1": { exact: [], step: 4 * lastBits, growth: 1.25, share: 0.04 }
}

const numbersOf = (value: number | ReadonlyArray<number>): ReadonlyArray<number> =>
  typeof value === "number" ? [value] : value

const close = (a: number, b: number, tolerance: number): boolean =>
  Math.abs(a - b) <= tolerance * Math.max(1, Math.abs(b))

const replay = (recording: Recording, definition: Effect.Success<ReturnType<typeof Registry.lookup>>) => {
  const limited = TimeLimit.wrap(definition)
  const tolerance = tolerances[recording.id]
  const flat = new Float32Array(definition.observationSpace.size)
  const counts = { states: 0, exactStates: 0, trajectories: 0, exactTrajectories: 0 }

  for (const run of recording.runs) {
    const worlds = ["step by step", "whole"].map((name) => {
      const state = new Float64Array(limited.stateSize)
      return { name, state, dynamics: limited.create(state), random: Pcg64.fromSeed(run.seed) }
    })
    for (const [episodeIndex, episode] of run.episodes.entries()) {
      for (const { dynamics, name, random, state } of worlds) {
        const anchored = name === "step by step"
        const observed = () => {
          dynamics.observe(flat)
          return numbersOf(Schema.decodeUnknownSync(Value)(plain(definition.observationSpace.decode(flat))))
        }
        if (episode.seed !== null) random.reseed(episode.seed)
        dynamics.reset(random)
        assert.deepStrictEqual(observed(), [...numbersOf(episode.reset)], "reset")
        let exact = true
        for (const [t, action] of episode.actions.entries()) {
          const where = `${recording.id}, seed ${run.seed}, episode ${episodeIndex}, step ${t}, ${name}`
          const before = episode.states?.[t - 1]
          if (anchored && before !== undefined) state.set(before)
          const chosen = definition.actionSpace.decodeJson(action)
          assert(chosen !== undefined, `${where}: the action is not in ${definition.actionSpace}`)
          const transition = dynamics.step(chosen, random)
          // How far from the recording this step may be: not at all without a tolerance.
          const allowed = tolerance === undefined
            ? 0
            : tolerance.step * (anchored ? 1 : tolerance.growth ** (t + 1) * 4)
          // A trajectory that may have drifted this far says nothing more, flags included.
          if (allowed > 1e-6) break
          const rewarded = tolerance?.reward === undefined ? 0 : tolerance.reward + 32 * allowed
          assert.isAtMost(Math.abs(transition.reward - episode.rewards[t]!), rewarded, `${where}: the reward`)
          assert.strictEqual(transition.terminated, episode.terminated[t], where)
          assert.strictEqual(transition.truncated ?? false, episode.truncated[t], where)
          const recordedObservation = numbersOf(episode.observations[t]!)
          for (const [i, value] of observed().entries()) {
            // A last bit of the state may move a float32 to its neighbor.
            const ulp = allowed === 0 ? 0 : 2 ** -23
            if (!close(value, recordedObservation[i]!, allowed + ulp)) {
              assert.fail(`${where}: observation[${i}] is ${value}, recorded ${recordedObservation[i]}`)
            }
          }
          for (const [i, recorded] of (episode.states?.[t] ?? []).entries()) {
            const value = state[i]!
            if (anchored) counts.states += 1
            if (Object.is(value, recorded)) {
              if (anchored) counts.exactStates += 1
              continue
            }
            exact = false
            if (!close(value, recorded, anchored && tolerance?.exact.includes(i) ? 0 : allowed)) {
              assert.fail(`${where}: state[${i}] is ${value}, recorded ${recorded}`)
            }
          }
        }
        if (!anchored) {
          counts.trajectories += 1
          if (exact) counts.exactTrajectories += 1
        }
      }
    }
  }
  return counts
}

/** The recordings' random policy: the action space's own stream, seeded as the run, through all its episodes. */
const replayPolicy = (recording: Recording, space: AnySpace) => {
  for (const run of recording.runs) {
    if (run.policy !== "action_space.sample") continue
    const sampler = space.sampler(run.seed)
    for (const episode of run.episodes) {
      const drawn = episode.actions.map(() => plain(sampler.sample()))
      assert.deepStrictEqual(drawn, [...episode.actions])
    }
  }
}

const recordingsOf = (folder: string): ReadonlyArray<Recording> =>
  (existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".json")).toSorted() : []).map((name) =>
    Schema.decodeUnknownSync(Recording)(JSON.parse(readFileSync(join(folder, name), "utf8")))
  )

const conforms = Effect.fnUntraced(function*(recording: Recording) {
  const registered = yield* Registry.lookup(recording.id)
  const definition = Environment.configure(registered, recording.kwargs ?? {})
  assert.strictEqual(definition.maxEpisodeSteps ?? null, recording.max_episode_steps)
  assert.strictEqual(definition.rewardThreshold ?? null, recording.reward_threshold)
  for (
    const [ours, theirs] of [
      [definition.observationSpace, recording.observation_space],
      [definition.actionSpace, recording.action_space]
    ] as const
  ) {
    // Written with few digits there, so compared as written.
    assert.strictEqual(`${gymnasiumSpace(theirs)}`, `${ours}`)
  }
  const counts = replay(recording, definition)
  // A last bit of sine or cosine seldom survives the sums behind it; another order of operations would show here.
  const share = tolerances[recording.id]?.share ?? 0
  assert.isAtMost(counts.states - counts.exactStates, share === 0 ? 0 : Math.max(3, counts.states * share))
  return counts
})

const described = (recording: Recording): string =>
  recording.kwargs === undefined ? recording.id : `${recording.id} with ${JSON.stringify(recording.kwargs)}`

describe("Gymnasium's recordings", () => {
  const recordings = [...recordingsOf(folder), ...recordingsOf(`${folder}-options`)]
  if (recordings.length === 0) it.skip(`${folder} holds no recordings`, () => {})
  for (const recording of recordings) {
    it(`${described(recording)}: the action space samples as recorded`, () =>
      replayPolicy(recording, gymnasiumSpace(recording.action_space)))
    it.effect(`${described(recording)} gives the recorded trajectories`, (context) =>
      Effect.gen(function*() {
        const counts = yield* conforms(recording)
        yield* Effect.promise(() =>
          context.annotate(
            `${counts.exactStates} of ${counts.states} state numbers bit-exact step by step, ` +
              `${counts.exactTrajectories} of ${counts.trajectories} whole trajectories`
          )
        )
      }))
  }
})

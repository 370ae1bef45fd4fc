/**
 * Every recorded Gymnasium trajectory, replayed.
 *
 * Resets, rewards and flags are equal to the bit. Numbers that pass through sin and cos are not always: NumPy calls the C
 * library's (with fused multiply-add), ours are fdlibm's, and of the angles of an episode about 1 in 80 (sin) or 400 (cos) differs in its last bit.
 * So each step is taken from the recorded state and may differ by a few units in the last place; and over a whole
 * trajectory the difference may grow as the upright pole lets it, by e^(lambda tau) a step.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { existsSync, readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { type AnySpace, Registry, TimeLimit } from "../../src/envs/index.ts"
import { Pcg64 } from "../../src/random/index.ts"
import { gymnasiumSpace, plain } from "./gymnasiumSpace.ts"

const folder = join(process.env["REFERENCE_DIR"] ?? "test/reference", "gymnasium")

const Value = Schema.Union([Schema.Finite, Schema.Array(Schema.Finite)])
const Recording = Schema.Struct({
  id: Schema.String,
  max_episode_steps: Schema.NullOr(Schema.Finite),
  reward_threshold: Schema.NullOr(Schema.Finite),
  action_space: Schema.String,
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
}

/** What may differ, by id; an environment without an entry must be exact. */
const cartPole: Tolerance = {
  exact: [0, 2],
  step: 4.5e-16, // two units in the last place of 1
  growth: Math.exp(0.02 * Math.sqrt(9.8 / (0.5 * (4 / 3 - 0.1 / 1.1))) * 1.1)
}
const tolerances: Readonly<Record<string, Tolerance>> = { "CartPole-v0": cartPole, "CartPole-v1": cartPole }

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
          assert.strictEqual(transition.reward, episode.rewards[t], where)
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

const files = existsSync(folder) ? readdirSync(folder).filter((name) => name.endsWith(".json")).toSorted() : []
const registered = await Effect.runPromise(Registry.ids)

describe("Gymnasium's recordings", () => {
  if (files.length === 0) it.skip(`${folder} holds no recordings`, () => {})
  for (const file of files) {
    const recording = Schema.decodeUnknownSync(Recording)(JSON.parse(readFileSync(join(folder, file), "utf8")))
    const space = gymnasiumSpace(recording.action_space)
    it(`${recording.id}: the action space samples as recorded`, () => replayPolicy(recording, space))
    if (!registered.includes(recording.id)) {
      it.skip(`${recording.id} is not registered`, () => {})
      continue
    }
    it.effect(`${recording.id} gives the recorded trajectories`, (context) =>
      Effect.gen(function*() {
        const definition = yield* Registry.lookup(recording.id)
        assert.strictEqual(definition.maxEpisodeSteps ?? null, recording.max_episode_steps)
        assert.strictEqual(definition.rewardThreshold ?? null, recording.reward_threshold)
        const counts = replay(recording, definition)
        // A last bit of sine or cosine seldom survives the sums behind it; another order of operations would show here.
        assert.isAtMost(counts.states - counts.exactStates, Math.max(3, counts.states * 0.001))
        yield* Effect.promise(() =>
          context.annotate(
            `${counts.exactStates} of ${counts.states} state numbers bit-exact step by step, ` +
              `${counts.exactTrajectories} of ${counts.trajectories} whole trajectories`
          )
        )
      }))
  }
})

/** A made-up run of CartPole that learns, for the tests of what reads a run's events. */
import type {
  Episode,
  Evaluation,
  Finished,
  Progress,
  RunEvent,
  Started
} from "../../../src/runtime/monitoring/RunEvent.ts"

export const started: Started = {
  event: "started",
  env_id: "CartPole-v1",
  preset: "a2c",
  algo: "a2c",
  schedule: "sync",
  seed: 1,
  device: "cpu",
  placement: "thread",
  workers: 2,
  n_envs: 10,
  env_workers: 2,
  n_steps: 20,
  parameters: 2563,
  folder: "runs/CartPole-v1__a2c__1__2026-01-31T12-00-00",
  resumed: null,
  total_timesteps: 20_000
}

export const episode: Episode = {
  event: "episode",
  env_steps: 30,
  update: 1,
  env: 3,
  return: 12.5,
  length: 13,
  terminated: true,
  wall_seconds: 0.25
}

export const progress: Progress = {
  event: "progress",
  update: 1,
  env_steps: 200,
  episodes: 8,
  wall_seconds: 0.5,
  ep_rew_mean: 21.5,
  ep_len_mean: 21.5,
  train20: null,
  approx_kl: null,
  clip_fraction: null,
  policy_loss: -0.02,
  value_loss: 8.5,
  entropy: 0.69,
  grad_norm: 0.4,
  learning_rate: 0.0007,
  explained_variance: 0.1,
  fps: 400,
  restarts: 0,
  recovery_ms: null,
  n_updates: 1,
  staleness: 0,
  lost_steps: 0,
  refused: 0
}

export const evaluation: Evaluation = {
  event: "evaluation",
  update: 100,
  env_steps: 20_000,
  episodes: 100,
  mean: 499.25,
  std: 3.5,
  min: 460,
  max: 500,
  wall_seconds: 9.5
}

export const finished: Finished = {
  event: "finished",
  env_steps: 20_000,
  updates: 100,
  episodes: 321,
  solved: true,
  train20: 480.25,
  eval_mean: 499.25,
  weights_sha256: "0123456789abcdef".repeat(4),
  restarts: 1,
  lost_steps: 0,
  wall_seconds: 10,
  startup_seconds: 0.2,
  steps_per_second: 2041,
  seed: 1,
  device: "cpu"
}

/** The run without its first and last event: an episode every `length` steps, a row of progress per 200 steps. */
export const middle = (totalSteps = 20_000): ReadonlyArray<RunEvent> => {
  const events: Array<RunEvent> = []
  let steps = 0
  let update = 0
  let episodes = 0
  while (steps < totalSteps) {
    const length = 10 + ((episodes * 37) % 23) + Math.floor((steps / totalSteps) * 400)
    steps += length
    episodes++
    const wall_seconds = steps / 2000
    events.push({ ...episode, env_steps: steps, update, env: episodes % 10, return: length, length, wall_seconds })
    while ((update + 1) * 200 <= steps) {
      update++
      events.push({
        ...progress,
        update,
        env_steps: update * 200,
        episodes,
        wall_seconds: update / 10,
        ep_rew_mean: length,
        ep_len_mean: length,
        train20: episodes < 20 ? null : length
      })
    }
  }
  return events
}

export const restarted: RunEvent = {
  event: "actor",
  kind: "restarted",
  actor: "env-worker/3",
  cause: "the worker exited with code 137",
  recovery_ms: 31.4,
  wall_seconds: 5
}

export const wholeRun: ReadonlyArray<RunEvent> = [started, ...middle(), restarted, evaluation, finished]

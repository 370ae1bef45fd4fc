/**
 * Metric names, in one place: what `progress.csv`, `progress.jsonl` and TensorBoard call the numbers of a run. The
 * names are Stable-Baselines3's, so that its tools and habits carry over; `actors/` is our own.
 *
 * | metric | from | note |
 * | --- | --- | --- |
 * | `rollout/ep_rew_mean`, `rollout/ep_len_mean` | progress | mean of the last 100 episodes |
 * | `time/fps` | progress | environment steps a second since the first, evaluations left out |
 * | `time/total_timesteps` | both | environment steps |
 * | `time/iterations` | both | iterations of the algorithm |
 * | `train/n_updates` | progress | steps of the optimizer |
 * | `time/time_elapsed` | both | seconds |
 * | `train/policy_loss`, `train/value_loss`, `train/grad_norm` | progress | |
 * | `train/entropy_loss` | progress | minus the mean entropy, as Stable-Baselines3 has it |
 * | `train/learning_rate`, `train/explained_variance` | progress | |
 * | `train/approx_kl`, `train/clip_fraction` | progress | ppo |
 * | `eval/mean_reward` | evaluation | greedy policy |
 * | `actors/restarts`, `actors/recovery_ms`, `actors/staleness`, `actors/lost_steps`, `actors/refused` | progress | |
 */
import type { RunEvent } from "../monitoring/RunEvent.ts"

export const metricNames = [
  "rollout/ep_rew_mean",
  "rollout/ep_len_mean",
  "time/fps",
  "time/total_timesteps",
  "time/iterations",
  "time/time_elapsed",
  "train/policy_loss",
  "train/value_loss",
  "train/entropy_loss",
  "train/learning_rate",
  "train/explained_variance",
  "train/n_updates",
  "train/grad_norm",
  "eval/mean_reward",
  "actors/restarts",
  "actors/recovery_ms",
  "actors/staleness",
  "actors/lost_steps",
  "actors/refused",
  // What came later stands last: a file that was begun before goes on with the columns it has.
  "train/approx_kl",
  "train/clip_fraction"
] as const

export type MetricName = typeof metricNames[number]

/** What one event measured: finite numbers, or null where there is none. Names the event says nothing of are absent. */
export interface Metrics {
  /** Environment steps: the x axis. */
  readonly step: number
  /** Seconds since the run began. */
  readonly seconds: number
  readonly values: Readonly<Partial<Record<MetricName, number | null>>>
}

const finite = (value: number | null): number | null => value !== null && Number.isFinite(value) ? value : null

/** The metrics of an event, or undefined for an event that measures nothing. */
export const metricsOf = (event: RunEvent): Metrics | undefined => {
  switch (event.event) {
    case "progress":
      return {
        step: event.env_steps,
        seconds: event.wall_seconds,
        values: {
          "rollout/ep_rew_mean": finite(event.ep_rew_mean),
          "rollout/ep_len_mean": finite(event.ep_len_mean),
          "time/fps": finite(event.fps),
          "time/total_timesteps": event.env_steps,
          "time/iterations": event.update,
          "time/time_elapsed": finite(event.wall_seconds),
          "train/approx_kl": finite(event.approx_kl),
          "train/clip_fraction": finite(event.clip_fraction),
          "train/policy_loss": finite(event.policy_loss),
          "train/value_loss": finite(event.value_loss),
          // `0 - x`, for minus zero has no place in a file.
          "train/entropy_loss": event.entropy === null ? null : finite(0 - event.entropy),
          "train/learning_rate": finite(event.learning_rate),
          "train/explained_variance": finite(event.explained_variance),
          "train/n_updates": event.n_updates,
          "train/grad_norm": finite(event.grad_norm),
          "actors/restarts": event.restarts,
          "actors/recovery_ms": finite(event.recovery_ms),
          "actors/staleness": finite(event.staleness),
          "actors/lost_steps": event.lost_steps,
          "actors/refused": event.refused
        }
      }
    case "evaluation":
      return {
        step: event.env_steps,
        seconds: event.wall_seconds,
        values: {
          "time/total_timesteps": event.env_steps,
          "time/iterations": event.update,
          "time/time_elapsed": finite(event.wall_seconds),
          "eval/mean_reward": finite(event.mean)
        }
      }
    default:
      return undefined
  }
}

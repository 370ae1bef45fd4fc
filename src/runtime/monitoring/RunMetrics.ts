/**
 * What a run tells the metrics of Effect: a program that exports these (`Otlp`, `PrometheusMetrics`) sees its runs too. They
 * change with each report of progress, and not in between. Attributes say which run it is.
 */
import type * as Context from "effect/Context"
import * as Metric from "effect/Metric"
import * as Record from "effect/Record"
import type { Progress, RunEvent, Started } from "./RunEvent.ts"

const counter = (name: string, description: string) => Metric.counter(name, { description, incremental: true })
const gauge = (name: string, description: string) => Metric.gauge(name, { description })

/** All metrics of runs, by what they count. */
export const metrics = {
  steps: counter("troupe_env_steps_total", "environment steps that were learned from"),
  updates: counter("troupe_updates_total", "iterations of learning"),
  episodes: counter("troupe_episodes_total", "training episodes that ended"),
  restarts: counter("troupe_restarts_total", "restarts of the run's actors"),
  rate: gauge("troupe_steps_per_second", "environment steps a second since the first"),
  episodeReturn: gauge("troupe_episode_return_mean", "mean return of the last 100 training episodes"),
  episodeLength: gauge("troupe_episode_length_mean", "mean length of the last 100 training episodes"),
  policyLoss: gauge("troupe_policy_loss", "loss of the policy"),
  valueLoss: gauge("troupe_value_loss", "loss of the value"),
  entropy: gauge("troupe_entropy", "entropy of the policy"),
  gradNorm: gauge("troupe_gradient_norm", "norm of the gradient before clipping"),
  learningRate: gauge("troupe_learning_rate", "learning rate"),
  lostSteps: gauge("troupe_lost_steps", "steps that were counted and committed by nobody"),
  evaluationReturn: gauge("troupe_evaluation_return_mean", "mean return of the last evaluation")
} as const

/** What each metric is told by. */
type Told = Readonly<Record<keyof typeof metrics, Metric.Metric<number, unknown>>>

/** Follows the events of one run. */
export class RunMetrics {
  private readonly context: Context.Context<never>
  /** With the run's attributes, put on once: that costs more than a report of progress does. */
  private told: Told = metrics
  private counted = { steps: 0, updates: 0, episodes: 0, restarts: 0 }
  /** A run that goes on was counted by another before: the first report says from where. */
  private knowsStart = true

  constructor(context: Context.Context<never>) {
    this.context = context
  }

  hear(event: RunEvent): void {
    switch (event.event) {
      case "started":
        return this.started(event)
      case "progress":
        return this.progressed(event)
      case "evaluation":
        return this.set("evaluationReturn", event.mean)
      case "finished":
        return this.count({
          steps: event.env_steps,
          updates: event.updates,
          episodes: event.episodes,
          restarts: event.restarts
        })
      case "notice":
      case "placement":
      case "episode":
      case "actor":
      case "checkpoint":
        return
    }
  }

  private started({ algo, env_id, resumed, seed }: Started): void {
    const attributes = { env_id, algo, seed: String(seed) }
    this.told = Record.map(
      this.told,
      (metric: Metric.Metric<number, unknown>) => Metric.withAttributes(metric, attributes)
    )
    this.knowsStart = resumed === null
  }

  private progressed(event: Progress): void {
    this.count({
      steps: event.env_steps,
      updates: event.update,
      episodes: event.episodes,
      restarts: event.restarts
    })
    this.set("rate", event.fps)
    this.set("episodeReturn", event.ep_rew_mean)
    this.set("episodeLength", event.ep_len_mean)
    this.set("policyLoss", event.policy_loss)
    this.set("valueLoss", event.value_loss)
    this.set("entropy", event.entropy)
    this.set("gradNorm", event.grad_norm)
    this.set("learningRate", event.learning_rate)
    this.set("lostSteps", event.lost_steps)
  }

  private count(now: typeof this.counted): void {
    for (const name of ["steps", "updates", "episodes", "restarts"] as const) {
      const more = now[name] - this.counted[name]
      if (this.knowsStart && more > 0) {
        this.told[name].updateUnsafe(more, this.context)
      }
    }
    this.counted = now
    this.knowsStart = true
  }

  private set(name: keyof typeof metrics, value: number | null): void {
    if (value !== null && Number.isFinite(value)) this.told[name].updateUnsafe(value, this.context)
  }
}

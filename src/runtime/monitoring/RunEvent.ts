/**
 * What a run says while it goes: one tagged union, `event` its tag, in the snake_case that `--json` prints. A run is a
 * `Stream` of these; the terminal, the run folder, TensorBoard and the curve (`reporting/`) each read the same stream
 * and nothing else of the run.
 */
import * as Schema from "effect/Schema"
import { placements } from "../../actors/Placement.ts"
import { fromJson } from "../../text/json.ts"
import { plainJson } from "../../text/plainLine.ts"
import { options } from "../config/RunConfig.ts"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** Seconds since the run began. */
const Seconds = Schema.Finite

/**
 * A measured number, `null` where there is none yet. A learner that diverges hands over NaN or an infinity: it travels
 * as it is, and every writer puts `null` (JSON) or nothing (CSV, TensorBoard) in its place.
 */
const Measured = Schema.NullOr(Schema.Finite)

/**
 * The run is set up and about to take its first step. `resumed` is the update it goes on from, null where it begins;
 * `parameters` counts the network's weights; `folder` is null when nothing is kept. */
export const Started = Schema.Struct({
  event: Schema.tag("started"),
  env_id: Schema.String,
  preset: Schema.String,
  algo: Schema.String,
  /** Whose turn it is: `sync`, all together; `async`, by the clock; `seeded`, by the seed. */
  schedule: Schema.String,
  seed: Schema.Int,
  device: Schema.String,
  placement: options.placement.schema,
  workers: Count,
  n_envs: Count,
  /** EnvWorker actors that share the environments. */
  env_workers: Count,
  n_steps: Count,
  parameters: Count,
  folder: Schema.NullOr(Schema.String),
  resumed: Schema.NullOr(Count),
  total_timesteps: Count
})
export type Started = typeof Started.Type

/** One sentence for the person who watches. */
export const Notice = Schema.Struct({
  event: Schema.tag("notice"),
  message: Schema.String
})
export type Notice = typeof Notice.Type

/**
 * Where the environments are stepped from now on, in a run that tries what is quicker (`--placement auto`): by fibers of
 * this thread or in threads, `workers` of them, this one included where it steps environments too. `speedup` is how many
 * times the next best it was.
 */
export const PlacementChosen = Schema.Struct({
  event: Schema.tag("placement"),
  placement: Schema.Literals(placements),
  workers: Count,
  speedup: Schema.Finite,
  wall_seconds: Seconds
})
export type PlacementChosen = typeof PlacementChosen.Type

/** A training episode ended in environment `env`; `env_steps` and `update` are the run's counters at that moment. */
export const Episode = Schema.Struct({
  event: Schema.tag("episode"),
  env_steps: Count,
  update: Count,
  env: Count,
  return: Schema.Finite,
  length: Count,
  terminated: Schema.Boolean,
  wall_seconds: Seconds
})
export type Episode = typeof Episode.Type

/**
 * Where the run stands after an update. `ep_rew_mean` and `ep_len_mean` are means over the last 100 episodes (null
 * before the first), `train20` over the last 20 (null before the twentieth). `n_updates` counts steps of the optimizer
 * (`n_epochs` an update where experience travels); `fps` is environment steps a second since the first; `staleness` is how many updates the experience was behind the weights it was applied to (the mean since the
 * last of these events), `refused` how many pieces of it were dropped for being older than allowed.
 */
export const Progress = Schema.Struct({
  event: Schema.tag("progress"),
  update: Count,
  env_steps: Count,
  episodes: Count,
  wall_seconds: Seconds,
  ep_rew_mean: Measured,
  ep_len_mean: Measured,
  train20: Measured,
  /** Of ppo: null elsewhere. */
  approx_kl: Measured,
  clip_fraction: Measured,
  policy_loss: Measured,
  value_loss: Measured,
  entropy: Measured,
  grad_norm: Measured,
  learning_rate: Measured,
  explained_variance: Measured,
  fps: Measured,
  restarts: Count,
  /** Milliseconds of the last restart, from the death until the actor served again. */
  recovery_ms: Measured,
  n_updates: Count,
  staleness: Measured,
  lost_steps: Count,
  refused: Count
})
export type Progress = typeof Progress.Type

/** A greedy evaluation on `episodes` fresh episodes: statistics of their returns. */
export const Evaluation = Schema.Struct({
  event: Schema.tag("evaluation"),
  update: Count,
  env_steps: Count,
  episodes: Count,
  mean: Measured,
  std: Measured,
  min: Measured,
  max: Measured,
  wall_seconds: Seconds
})
export type Evaluation = typeof Evaluation.Type

/** Something befell an actor. `recovery_ms` is the time from its death to its next reply, null where it did not come back. */
export const ActorEvent = Schema.Struct({
  event: Schema.tag("actor"),
  kind: Schema.Literals(["restarted", "failed"]),
  actor: Schema.String,
  cause: Schema.NullOr(Schema.String),
  recovery_ms: Measured,
  wall_seconds: Seconds
})
export type ActorEvent = typeof ActorEvent.Type

/**
 * The state of the run after that update was taken, for a checkpoint: everything told before belongs to it. Its file is
 * written in the background.
 */
export const CheckpointTaken = Schema.Struct({
  event: Schema.tag("checkpoint"),
  update: Count,
  env_steps: Count,
  wall_seconds: Seconds
})
export type CheckpointTaken = typeof CheckpointTaken.Type

/** The last event of a run that reached its end. `weights_sha256` is what two people compare. */
export const Finished = Schema.Struct({
  event: Schema.tag("finished"),
  env_steps: Count,
  updates: Count,
  episodes: Count,
  solved: Schema.Boolean,
  train20: Measured,
  eval_mean: Measured,
  weights_sha256: Schema.String,
  restarts: Count,
  lost_steps: Count,
  wall_seconds: Seconds,
  startup_seconds: Seconds,
  steps_per_second: Measured,
  seed: Schema.Int,
  device: Schema.String
})
export type Finished = typeof Finished.Type

/** Any event of a run. `RunEvent.match`, `.guards` and `.cases` go by the tag. */
export const RunEvent = Schema.Union([
  Started,
  Notice,
  PlacementChosen,
  Episode,
  Progress,
  Evaluation,
  ActorEvent,
  CheckpointTaken,
  Finished
]).pipe(
  Schema.toTaggedUnion("event")
)
export type RunEvent = typeof RunEvent.Type

const fieldsOf = {
  started: Object.keys(Started.fields),
  notice: Object.keys(Notice.fields),
  placement: Object.keys(PlacementChosen.fields),
  episode: Object.keys(Episode.fields),
  progress: Object.keys(Progress.fields),
  evaluation: Object.keys(Evaluation.fields),
  actor: Object.keys(ActorEvent.fields),
  checkpoint: Object.keys(CheckpointTaken.fields),
  finished: Object.keys(Finished.fields)
} satisfies Record<RunEvent["event"], ReadonlyArray<string>>

/** One line of JSON: the event's own fields, in the order above, and `null` for a number that is not finite. */
export const toJsonLine = (event: RunEvent): string => plainJson(JSON.stringify(event, fieldsOf[event.event]))

/** Reads what `toJsonLine` wrote. */
export const RunEventFromJsonLine = fromJson(RunEvent)

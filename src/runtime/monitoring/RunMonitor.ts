/**
 * Watches a run: counts what its fragments say, evaluates when the training episodes look solved, tells the event
 * stream, and says when the run is over. Algorithms ask it `done` and hand it each iteration; nothing else.
 *
 * `record` only counts. Whatever takes time (readers that are behind, evaluations, the rest of the program) has its turn
 * in `done`, between two iterations: a run that is interrupted there has a state that another can go on from.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import { CurrentConfig } from "../config/RunConfig.ts"
import { type EvaluationFault, Evaluator } from "../evaluation/Evaluator.ts"
import { Learner, type LearnReport } from "../learning/Learner.ts"
import { type Counted, Progress, ProgressState, type StandingState } from "../stopping/Progress.ts"
import { initialState, type Play, stateOf, StoppingState } from "../stopping/StoppingRule.ts"
import { isOver, stoppingRule } from "../stopping/stoppingRules.ts"
import { DataPlane } from "../workers/DataPlane.ts"
import { bankOf } from "../workers/dataPlaneLayout.ts"
import type { RunEvent } from "./RunEvent.ts"

/** Where a run's events go. A full consumer holds the run up; the default forgets them. */
export class RunEvents extends Context.Reference<{
  readonly emit: (event: RunEvent) => Effect.Effect<void>
}>("troupe/runtime/RunEvents", { defaultValue: () => ({ emit: () => Effect.void }) }) {}

/**
 * Second 0 of a run's events, in milliseconds of the monotonic clock (`Clock.monotonicTimeNanos`), which nobody sets: the
 * start of the process; by default the run's set-up.
 */
export class RunOrigin
  extends Context.Reference<number | undefined>("troupe/runtime/RunOrigin", { defaultValue: () => undefined })
{}

/** Milliseconds of the monotonic clock: for how long something took. */
const monotonicMillis = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)

interface Restarted {
  readonly count: number
  /** How long the last took, in milliseconds. */
  readonly lastMillis: number | null
}

/** Restarts of the run's actors, counted by whoever listens to them. */
export class Restarts extends Context.Service<Restarts, Ref.Ref<Restarted>>()("troupe/runtime/Restarts") {
  static readonly layer: Layer.Layer<Restarts> = Layer.effect(
    Restarts,
    Ref.make<Restarted>({ count: 0, lastMillis: null })
  )
}

/** What the monitor has counted. */
export interface RunStatus {
  readonly envSteps: number
  readonly updates: number
  readonly episodes: number
  readonly solved: boolean
  readonly train20: number | null
  /** Mean return of the last evaluation. */
  readonly evalMean: number | null
  /** Time spent on evaluations. */
  readonly evaluationSeconds: number
  /** Time before the first step; of a resumed run, all its starts together. */
  readonly startupSeconds: number
  readonly restarts: number
  /** How long the last restart took, from the death until the actor served again. */
  readonly recoveryMillis: number | null
  /** Steps that the trainer counted and no worker committed. */
  readonly lostSteps: number
  /** Pieces of experience that were dropped because they were older than allowed. */
  readonly refused: number
}

/** An iteration, and what came of learning from it; of most of a stretch nobody reports. */
export interface Iteration {
  readonly fragments: ReadonlyArray<Counted>
  readonly report?: LearnReport | undefined
}

/** Milliseconds after which the rest of the program gets its turn. */
const breath = 10

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** What a checkpoint keeps of a monitor. */
export const MonitorState = Schema.Struct({
  progress: ProgressState,
  ...StoppingState,
  evalMean: Schema.NullOr(Schema.Finite),
  /** Evaluations so far: the next one's episodes. */
  evaluations: Count,
  /** The update after which the run was judged last. */
  judgedAt: Count,
  refused: Count,
  /** Sum over the updates since the last line of progress. */
  staleness: Count,
  restarts: Count,
  /** Steps of each worker's life. */
  committed: Schema.Array(Count),
  /** Times that went by: of the whole run, of its starts, and of its evaluations. */
  seconds: Schema.Struct({ elapsed: Schema.Finite, startup: Schema.Finite, evaluation: Schema.Finite })
})
export type MonitorState = typeof MonitorState.Type

/** What a resumed run's monitor goes on from; undefined in a run that begins. */
export class SavedMonitor extends Context.Reference<MonitorState | undefined>("troupe/runtime/SavedMonitor", {
  defaultValue: () => undefined
}) {}

export class RunMonitor extends Context.Service<RunMonitor, {
  /** Seconds of the run so far, those before it was resumed among them. */
  readonly elapsed: Effect.Effect<number>
  /** The first step is about to be taken: what went before is the start-up. */
  readonly begin: Effect.Effect<void>
  /** Whether the run is over. Before it answers: readers that are behind, and the evaluation that is due. */
  readonly done: Effect.Effect<boolean, EvaluationFault>
  /** Takes in a piece of work: one iteration, or a whole stretch. */
  readonly record: (iterations: ReadonlyArray<Iteration>) => Effect.Effect<void>
  /** What decides when the run is over, as it is between two iterations. */
  readonly standing: Effect.Effect<{ readonly standing: StandingState; readonly stopping: StoppingState }>
  /** Tells the event stream, in order with what the monitor itself has to say. */
  readonly tell: (event: RunEvent) => Effect.Effect<void>
  /** The run is over: a last evaluation, where training went on after it was solved. */
  readonly finish: Effect.Effect<void, EvaluationFault>
  readonly status: Effect.Effect<RunStatus>
  /** How many pieces of work of each environment were recorded since the run was set up. */
  readonly pieces: Effect.Effect<ReadonlyArray<number>>
  /** A copy of all it has counted, as it is between two iterations. */
  readonly save: Effect.Effect<MonitorState>
}>()("troupe/runtime/RunMonitor") {
  static readonly layer: Layer.Layer<
    RunMonitor,
    never,
    CurrentConfig | DataPlane | Evaluator | Learner | Restarts
  > = Layer.effect(
    RunMonitor,
    Effect.gen(function*() {
      const config = yield* CurrentConfig
      const plane = yield* DataPlane
      const evaluator = yield* Evaluator
      const learner = yield* Learner
      const restarts = yield* Restarts
      const { emit } = yield* RunEvents
      const startedAt = yield* monotonicMillis
      const origin = (yield* RunOrigin) ?? startedAt
      const saved = yield* SavedMonitor

      const progress = new Progress(saved?.progress)
      const rule = stoppingRule(config, plane.definition.rewardThreshold)
      let stopping = saved === undefined ? initialState : stateOf(saved)
      let evalMean = saved?.evalMean ?? null
      let evaluations = saved?.evaluations ?? 0
      let judgedAt = saved?.judgedAt ?? 0
      let refused = saved?.refused ?? 0
      // Over the updates since the last line of progress.
      let staleness = saved?.staleness ?? 0
      /** Steps of each worker's life, as it committed them itself. */
      const committed = Float64Array.from(saved?.committed ?? new Float64Array(config.nEnvs))
      const pieces = Array.from({ length: config.nEnvs }, () => 0)
      let startup = (saved?.seconds.startup ?? 0) + (startedAt - origin) / 1000
      let evaluationSeconds = saved?.seconds.evaluation ?? 0
      let breathedAt = startedAt
      /** The time of the last iteration. */
      let now = startedAt
      /** What is to be told. */
      const outbox: Array<RunEvent> = []
      yield* Ref.update(restarts, (so) => ({ ...so, count: so.count + (saved?.restarts ?? 0) }))

      const before = saved?.seconds.elapsed ?? 0
      const secondsAt = (now: number): number => before + (now - origin) / 1000
      const elapsed = Effect.map(monotonicMillis, secondsAt)

      /**
       * An event leaves the outbox and is the reader's in one go; what may be interrupted is only the wait after it, and
       * then the others are told all the same.
       */
      const deliver = Effect.gen(function*() {
        let outcome: Exit.Exit<void> = Exit.void
        while (outbox.length > 0) {
          const told = yield* Effect.exit(emit(outbox.shift()!))
          if (Exit.isFailure(told)) outcome = told
        }
        yield* outcome
      })

      const status = Effect.map(Ref.get(restarts), ({ count, lastMillis }): RunStatus => ({
        envSteps: progress.envSteps,
        updates: progress.updates,
        episodes: progress.episodes,
        solved: stopping.solved,
        train20: progress.train20 ?? null,
        evalMean,
        evaluationSeconds,
        startupSeconds: startup,
        restarts: count,
        recoveryMillis: lastMillis,
        lostSteps: progress.envSteps - committed.reduce((sum, steps) => sum + steps, 0),
        refused
      }))

      /** Nothing is counted before the evaluation has come to its end: one that is interrupted is made again. */
      const evaluate = Effect.fnUntraced(function*(request: Play) {
        const weights = plane.layout.weights[bankOf(yield* learner.version)]
        const before = yield* monotonicMillis
        const { max, mean, min, std } = yield* Effect.interruptible(
          evaluator.evaluate({ ...request, weights, round: evaluations })
        )
        evaluations++
        evaluationSeconds += ((yield* monotonicMillis) - before) / 1000
        evalMean = mean
        outbox.push({
          event: "evaluation",
          update: progress.updates,
          env_steps: progress.envSteps,
          episodes: request.episodes,
          mean,
          std,
          min,
          max,
          wall_seconds: yield* elapsed
        })
        return mean
      })

      const judge = Effect.gen(function*() {
        const due = rule.due(progress, stopping)
        if (due === undefined) return
        const verdict = rule.judge(yield* evaluate(due), progress, stopping)
        stopping = verdict.state
        if (!verdict.reached) return
        const message = rule.notice ??
          (config.keepGoing
            ? `solved after ${progress.envSteps.toLocaleString("en")} steps; training goes on`
            : undefined)
        if (message !== undefined) outbox.push({ event: "notice", message })
      })

      /** Counts an iteration. */
      const count = (fragments: ReadonlyArray<Counted>, seconds: number): void => {
        const episodes = progress.add(fragments)
        for (const { environment, total } of fragments) committed[environment] = total
        progress.updates++
        for (const episode of episodes) {
          outbox.push({
            event: "episode",
            env_steps: episode.envSteps,
            update: progress.updates,
            env: episode.environment,
            return: episode.return,
            length: episode.length,
            terminated: episode.terminated,
            wall_seconds: seconds
          })
        }
      }

      /** The line of progress after an iteration. */
      const lineOf = (
        report: LearnReport,
        seconds: number,
        { lostSteps, recoveryMillis, restarts }: RunStatus
      ): RunEvent => {
        const training = seconds - startup - evaluationSeconds
        return {
          event: "progress",
          update: progress.updates,
          env_steps: progress.envSteps,
          episodes: progress.episodes,
          wall_seconds: seconds,
          ep_rew_mean: progress.rollout?.return ?? null,
          ep_len_mean: progress.rollout?.length ?? null,
          train20: progress.train20 ?? null,
          approx_kl: report.loss.approxKl ?? null,
          clip_fraction: report.loss.clipFraction ?? null,
          policy_loss: report.loss.policyLoss,
          value_loss: report.loss.valueLoss,
          entropy: report.loss.entropy,
          grad_norm: report.gradNorm,
          learning_rate: report.learningRate,
          explained_variance: report.explainedVariance(),
          fps: training > 0 ? progress.envSteps / training : null,
          restarts,
          recovery_ms: recoveryMillis,
          n_updates: report.version,
          staleness: staleness / config.logInterval,
          lost_steps: lostSteps,
          refused
        }
      }

      return RunMonitor.of({
        elapsed,
        begin: Effect.map(elapsed, (seconds) => {
          startup = (saved?.seconds.startup ?? 0) + seconds - before
        }),
        done: Effect.gen(function*() {
          if (outbox.length > 0) yield* deliver
          if (judgedAt < progress.updates) {
            yield* judge
            judgedAt = progress.updates
            if (outbox.length > 0) yield* deliver
          }
          // In fibers all happens on this thread: signals, servers and timers must get their turn.
          if (now - breathedAt > breath) {
            breathedAt = now
            yield* Effect.interruptible(Effect.yieldNow)
          }
          return isOver(config, progress, stopping)
        }),
        status,
        pieces: Effect.sync(() => [...pieces]),
        save: Effect.gen(function*() {
          return {
            progress: progress.save(),
            ...stopping,
            evalMean,
            evaluations,
            judgedAt,
            refused,
            staleness,
            restarts: (yield* Ref.get(restarts)).count,
            committed: [...committed],
            seconds: { elapsed: yield* elapsed, startup, evaluation: evaluationSeconds }
          }
        }),
        tell: (event) =>
          Effect.suspend(() => {
            outbox.push(event)
            return deliver
          }),
        finish: Effect.gen(function*() {
          if (config.keepGoing && rule.last !== undefined && rule.reached(stopping)) yield* evaluate(rule.last)
          yield* deliver
        }),
        standing: Effect.sync(() => ({ standing: progress.standing, stopping })),
        record: Effect.fnUntraced(function*(iterations) {
          now = yield* monotonicMillis
          const seconds = secondsAt(now)
          for (const [i, { fragments, report }] of iterations.entries()) {
            // Those before the last called for no evaluation: the workers have judged that.
            if (i > 0) judgedAt = progress.updates
            count(fragments, seconds)
            staleness += report?.staleness ?? 0
            if (report?.refused === true) refused++
            if (report !== undefined && progress.updates % config.logInterval === 0) {
              outbox.push(lineOf(report, seconds, yield* status))
              staleness = 0
            }
          }
          for (const { environment } of iterations[0]?.fragments ?? []) pieces[environment]!++
        })
      })
    })
  )
}

/**
 * Watches a run: counts what its fragments say, evaluates when the training episodes look solved, tells the event
 * stream, and says when the run is over. Algorithms ask it `done` and hand it each iteration; nothing else.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Ref from "effect/Ref"
import { DataPlane } from "./DataPlane.ts"
import { bankOf, type Fragment } from "./dataPlaneLayout.ts"
import { type EvaluationFault, type EvaluationRequest, Evaluator } from "./Evaluator.ts"
import type { LearnReport } from "./Learner.ts"
import { Progress } from "./Progress.ts"
import { CurrentConfig } from "./RunConfig.ts"
import type { RunEvent } from "./RunEvent.ts"

/** Where a run's events go. A full consumer holds the run up; the default forgets them. */
export class RunEvents extends Context.Reference<{
  readonly emit: (event: RunEvent) => Effect.Effect<void>
}>("troupe/runtime/RunEvents", { defaultValue: () => ({ emit: () => Effect.void }) }) {}

/** Second 0 of a run's events, in milliseconds since the epoch: the start of the process; by default the run's set-up. */
export class RunOrigin
  extends Context.Reference<number | undefined>("troupe/runtime/RunOrigin", { defaultValue: () => undefined })
{}

/** Restarts of the run's actors, counted by whoever listens to them. */
export class Restarts extends Context.Service<Restarts, Ref.Ref<number>>()("troupe/runtime/Restarts") {
  static readonly layer: Layer.Layer<Restarts> = Layer.effect(Restarts, Ref.make(0))
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
  readonly restarts: number
  /** Steps that the trainer counted and no worker committed. */
  readonly lostSteps: number
  /** Pieces of experience that were dropped because they were older than allowed. */
  readonly refused: number
}

/** Notebook 000: ten greedy episodes capped at 200, every 20 updates; stops at a mean of 200, ten times in total. */
const notebookRay = { everyUpdates: 20, threshold: 200, times: 10, play: { episodes: 10, cap: 200, sampled: false } }

/** Notebook 002: ten episodes of the sampled policy, every 100 episodes. */
const notebookA3c = { everyEpisodes: 100, play: { episodes: 10, cap: 300, sampled: true } }

/** Milliseconds after which the rest of the program gets its turn. */
const breath = 10

/** Training episodes to wait for after an evaluation that did not agree. */
const patience = 5

export class RunMonitor extends Context.Service<RunMonitor, {
  /** Whether the run is over. */
  readonly done: Effect.Effect<boolean>
  /** Takes in one iteration. */
  readonly record: (fragments: ReadonlyArray<Fragment>, report: LearnReport) => Effect.Effect<void, EvaluationFault>
  /** The run is over: a last evaluation, where training went on after it was solved. */
  readonly finish: Effect.Effect<void, EvaluationFault>
  readonly status: Effect.Effect<RunStatus>
}>()("troupe/runtime/RunMonitor") {
  static readonly layer: Layer.Layer<
    RunMonitor,
    never,
    CurrentConfig | DataPlane | Evaluator | Restarts
  > = Layer.effect(
    RunMonitor,
    Effect.gen(function*() {
      const config = yield* CurrentConfig
      const plane = yield* DataPlane
      const evaluator = yield* Evaluator
      const restarts = yield* Restarts
      const { emit } = yield* RunEvents
      const origin = yield* RunOrigin
      const startedAt = yield* Clock.currentTimeMillis

      const progress = new Progress()
      const threshold = plane.definition.rewardThreshold
      let solved = false
      let over = false
      let evalMean: number | null = null
      let evaluations = 0
      let evaluationMillis = 0
      /** Episodes before which no further evaluation is worth while. */
      let patientUntil = 0
      /** Episodes at which the notebook last evaluated. */
      let evaluatedAt = 0
      let thresholdCount = 0
      let breathedAt = startedAt
      let refused = 0
      /** Steps of each worker's life, as it committed them itself. */
      const committed = new Float64Array(config.nEnvs)
      let version = 0
      // Over the updates since the last line of progress.
      let staleness = 0

      const secondsAt = (now: number): number => (now - (origin ?? startedAt)) / 1000
      const elapsed = Effect.map(Clock.currentTimeMillis, secondsAt)

      const status = Effect.gen(function*() {
        return {
          envSteps: progress.envSteps,
          updates: progress.updates,
          episodes: progress.episodes,
          solved,
          train20: progress.train20 ?? null,
          evalMean,
          evaluationSeconds: evaluationMillis / 1000,
          restarts: yield* Ref.get(restarts),
          lostSteps: progress.envSteps - committed.reduce((sum, steps) => sum + steps, 0),
          refused
        }
      })

      const evaluate = Effect.fnUntraced(function*(request: Pick<EvaluationRequest, "episodes" | "cap" | "sampled">) {
        const weights = plane.layout.weights[bankOf(version)]
        const before = yield* Clock.currentTimeMillis
        const { max, mean, min, std } = yield* evaluator.evaluate({ ...request, weights, round: evaluations++ })
        evaluationMillis += (yield* Clock.currentTimeMillis) - before
        evalMean = mean
        yield* emit({
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

      /** Solved: the mean of the last 20 training episodes and a greedy evaluation both reach the threshold. */
      const judge = Effect.gen(function*() {
        if (threshold === undefined || solved || (progress.train20 ?? Number.NEGATIVE_INFINITY) < threshold) return
        if (progress.episodes < patientUntil) return
        patientUntil = progress.episodes + patience
        solved = (yield* evaluate({ episodes: config.evalEpisodes })) >= threshold
        if (!solved) return
        over ||= !config.keepGoing
        if (config.keepGoing) {
          yield* emit({
            event: "notice",
            message: `solved after ${progress.envSteps.toLocaleString("en")} steps; training goes on`
          })
        }
      })

      const judgeAsNotebookRay = Effect.gen(function*() {
        if ((progress.updates - 1) % notebookRay.everyUpdates !== 0) return
        if ((yield* evaluate(notebookRay.play)) < notebookRay.threshold) return
        thresholdCount++
        if (thresholdCount !== notebookRay.times) return
        over = !config.keepGoing
        const { threshold, times } = notebookRay
        yield* emit({
          event: "notice",
          message: `greedy reward ${threshold} reached ${times} times in total, the notebook's stop`
        })
      })

      const judgeAsNotebookA3c = Effect.suspend(() => {
        const due = progress.episodes >= evaluatedAt + notebookA3c.everyEpisodes
        if (!due) return Effect.void
        evaluatedAt = progress.episodes - progress.episodes % notebookA3c.everyEpisodes
        return Effect.asVoid(evaluate(notebookA3c.play))
      })

      const judgements = { solved: judge, "notebook-ray": judgeAsNotebookRay, "notebook-a3c": judgeAsNotebookA3c }

      return RunMonitor.of({
        done: Effect.sync(() =>
          over || progress.envSteps >= config.totalTimesteps ||
          (config.totalEpisodes > 0 && progress.episodes >= config.totalEpisodes)
        ),
        status,
        finish: Effect.suspend(() =>
          solved && config.keepGoing ? Effect.asVoid(evaluate({ episodes: config.evalEpisodes })) : Effect.void
        ),
        record: Effect.fnUntraced(function*(fragments, report) {
          const episodes = progress.add(fragments)
          for (const { environment, total } of fragments) committed[environment] = total
          progress.updates++
          version = report.version
          staleness += report.staleness
          if (report.refused) refused++
          const now = yield* Clock.currentTimeMillis
          const seconds = secondsAt(now)
          const running = (now - startedAt - evaluationMillis) / 1000
          for (const episode of episodes) {
            yield* emit({
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
          if (progress.updates % config.logInterval === 0) {
            const { lostSteps, refused, restarts } = yield* status
            yield* emit({
              event: "progress",
              update: progress.updates,
              env_steps: progress.envSteps,
              episodes: progress.episodes,
              wall_seconds: seconds,
              ep_rew_mean: progress.rollout?.return ?? null,
              ep_len_mean: progress.rollout?.length ?? null,
              train20: progress.train20 ?? null,
              policy_loss: report.policyLoss,
              value_loss: report.valueLoss,
              entropy: report.entropy,
              grad_norm: report.gradNorm,
              learning_rate: report.learningRate,
              explained_variance: report.explainedVariance,
              fps: running > 0 ? progress.envSteps / running : null,
              restarts,
              n_updates: version,
              staleness: staleness / config.logInterval,
              lost_steps: lostSteps,
              refused
            })
            staleness = 0
          }
          yield* judgements[config.evaluation]
          // In fibers all happens on this thread: signals, servers and timers must get their turn.
          if (now - breathedAt > breath) {
            breathedAt = now
            yield* Effect.yieldNow
          }
        })
      })
    })
  )
}

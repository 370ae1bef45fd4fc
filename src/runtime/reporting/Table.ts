/**
 * What a person sees of a run. On a terminal: a head, one line with a progress bar redrawn in place (on a wide one with the
 * returns so far, and below it what the actors do), restarts and evaluations above it as they happen, a summary. Elsewhere (a pipe, a log file): the same as plain aligned rows, often
 * at first and ever more seldom, without escape codes. Quiet: the last line alone.
 */
import { TerminalCapabilities } from "effect/cli/TerminalCapabilities"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as Terminal from "effect/Terminal"
import type { ActorInfo } from "../../actors/ActorSystem.ts"
import { plainLine } from "../../text/plainLine.ts"
import type { ActorEvent, Evaluation, Finished, Progress, RunEvent, Started } from "../monitoring/RunEvent.ts"
import { bar, decimal, duration, exactScore, fit, plural, rate, score, sparkline, spread, whole } from "./formatting.ts"
import type { Reporter } from "./Reporter.ts"
import { faultAt, standardOutput } from "./ReportFault.ts"

export interface TableOptions {
  /** The train20 at which the run is solved and stops; the bar runs towards it. Null: towards the total of steps. */
  readonly rewardThreshold?: number | null | undefined
  /** Print the last line alone. */
  readonly quiet?: boolean | undefined
  /** The living actors, for a wide terminal. */
  readonly actors?: Effect.Effect<ReadonlyArray<ActorInfo>> | undefined
}

type Style = (text: string) => string
const plain: Style = (text) => text
const ansi = (code: number): Style => (text) => `\x1b[${code}m${text}\x1b[0m`

/** Erases the line the cursor is in and returns to its start. */
const eraseLine = "\r\x1b[2K"

/** The same, of two lines. */
const eraseLines = `${eraseLine}\x1b[1A\x1b[2K`

/** Columns from which a terminal is wide. */
const wide = 120

/** Returns of a sparkline: each is the mean of as long a stretch of the run, so that the whole run is in it. */
const sparks = 24

/** Seconds of the run between two drawings of the bar. */
const redraw = 0.1

/** Lines about actors shown of one chunk of events; the rest is counted. */
const shownAtOnce = 5

const columnTitles = ["steps", "updates", "episodes", "ep_rew_mean", "train20", "entropy", "steps/s", "time"] as const
const columnWidths = [12, 8, 9, 11, 8, 8, 8, 8] as const

const aligned = (cells: ReadonlyArray<string>): string =>
  cells.map((cell, i) => cell.padStart(columnWidths[i] ?? 0)).join("  ")

const row = (progress: Progress): string =>
  aligned([
    whole(progress.env_steps),
    whole(progress.update),
    whole(progress.episodes),
    score(progress.ep_rew_mean),
    score(progress.train20),
    decimal(progress.entropy, 3),
    rate(progress.fps),
    duration(progress.wall_seconds)
  ])

/** Where the actors live, after "10 environments of 2 EnvWorkers". */
export const placeOf = ({ placement, workers }: Started): string => {
  switch (placement) {
    case "auto":
      return `in up to ${plural(workers, "thread")}`
    case "fiber":
      return "as fibers"
    case "process":
    case "thread":
      return `in ${plural(workers, placement)}`
    case "runner":
      return `in ${plural(workers, "host")} on runners`
  }
}

const head = (started: Started): ReadonlyArray<string> => [
  `${started.env_id}, preset ${started.preset}, seed ${started.seed}: ${plural(started.n_envs, "environment")} ` +
  `of ${plural(started.env_workers, "EnvWorker")} ${placeOf(started)}, ${
    whole(started.parameters)
  } parameters on ${started.device}`,
  ...(started.folder === null ? [] : [started.folder])
]

/** What an evaluation came to. */
export const evaluationLine = (event: Evaluation): string =>
  `evaluation at ${whole(event.env_steps)} steps: ${spread(event)} over ${plural(event.episodes, "episode")}`

/** What befell an actor. */
export const actorLine = (event: ActorEvent): string => {
  const back = event.recovery_ms === null ? "" : `, back in ${decimal(event.recovery_ms, 1)} ms`
  return `${event.actor} ${event.kind}${back}${event.cause === null ? "" : `: ${event.cause}`}`
}

/** What actors do, as many as fit: the busiest first. */
const actorsLine = (actors: ReadonlyArray<ActorInfo>, width: number): string => {
  const busiest = actors.toSorted((a, b) => (b.message?.sinceMillis ?? -1) - (a.message?.sinceMillis ?? -1))
  const doing = ({ message, name, status }: ActorInfo): string => {
    const what = status !== "running" ? status : message === undefined ? "idle" : message.method
    return `${plainLine(name, 40)} ${plainLine(what, 40)}`
  }
  return fit([plural(actors.length, "actor"), ...busiest.slice(0, width).map(doing)], width)
}

/** The last line of a run, whole in itself: what it reached, what decided it, and the hash two people compare. */
export const finalLine = (event: Finished): string =>
  `${event.solved ? "solved" : "not solved"} after ${whole(event.env_steps)} steps in ${
    duration(event.wall_seconds)
  }: ` +
  `train20 ${score(event.train20)}, evaluation ${score(event.eval_mean)}, ` +
  `seed ${event.seed} on ${event.device}, weights ${event.weights_sha256}`

/** `recoveries`: how long each restart took that was seen, in milliseconds. */
const summary = (event: Finished, recoveries: ReadonlyArray<number>): ReadonlyArray<string> => [
  `${plural(event.updates, "update")}, ${plural(event.episodes, "episode")}, ` +
  `${rate(event.steps_per_second)} steps/s, ${plural(event.restarts, "restart")}` +
  `${recoveries.length === 0 ? "" : ` (median ${decimal(median(recoveries), 1)} ms)`}, ` +
  `${plural(event.lost_steps, "lost step")}, start-up ${duration(event.startup_seconds)}`
]

const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2
}

export const reporter = (
  options: TableOptions = {}
): Effect.Effect<Reporter, never, Terminal.Terminal | Scope.Scope> =>
  Effect.gen(function*() {
    const terminal = yield* Terminal.Terminal
    const { canAnimate, canColor } = yield* TerminalCapabilities
    const style = canColor
      ? { dim: ansi(2), good: ansi(32), bad: ansi(33), strong: ansi(1) }
      : { dim: plain, good: plain, bad: plain, strong: plain }
    const threshold = options.rewardThreshold ?? null
    let started: Started | undefined
    let latest: Progress | undefined
    let firstTrain20: number | undefined
    const recoveries: Array<number> = []
    let drawnAt = -Infinity
    let titled = false
    /** Lines that are drawn anew in place. */
    let live: 0 | 1 | 2 = 0
    /** The returns of the run so far, a value for each stretch of so many reports. */
    let returns: Array<number> = []
    let stretch = 1
    let reports = 0

    /** Where there are too many values, every other is enough from here on. */
    const remember = ({ ep_rew_mean: mean }: Progress): void => {
      if (mean === null || !Number.isFinite(mean) || reports++ % stretch !== 0) return
      returns.push(mean)
      if (returns.length < 2 * sparks) return
      returns = returns.filter((_, i) => i % 2 === 0)
      stretch *= 2
    }

    const put = (text: string) => Effect.mapError(terminal.display(text), faultAt(standardOutput))

    /** How far the run is, 0 to 1: the nearer of its two ends. */
    const fraction = (progress: Progress): number => {
      const ofSteps = started === undefined || started.total_timesteps === 0
        ? 0
        : progress.env_steps / started.total_timesteps
      if (threshold === null || progress.train20 === null) return ofSteps
      // A threshold below zero says nothing of where returns begin; the first mean does.
      firstTrain20 ??= progress.train20
      const from = threshold > 0 ? 0 : Math.min(firstTrain20, threshold - 1)
      return Math.max(ofSteps, (progress.train20 - from) / (threshold - from))
    }

    const liveLine = (progress: Progress, columns: number): string => {
      const width = (columns > 0 ? columns : 80) - 1
      const done = fraction(progress)
      const percent = `${Math.floor(Math.min(1, Math.max(0, done)) * 100)}%`.padStart(4)
      const bars = Math.min(24, Math.floor(width / 5))
      const goal = threshold === null ? "" : `/${exactScore(threshold)}`
      return fit([
        `${bar(done, bars)} ${percent}`,
        progress.train20 === null
          ? `return ${score(progress.ep_rew_mean)}`
          : `train20 ${score(progress.train20)}${goal}`,
        `${rate(progress.env_steps)} steps`,
        duration(progress.wall_seconds),
        ...(progress.restarts > 0 ? [plural(progress.restarts, "restart")] : []),
        ...(columns >= wide && returns.length > 1 ? [sparkline(returns.slice(-sparks))] : []),
        `${rate(progress.fps)} steps/s`,
        `entropy ${decimal(progress.entropy, 3)}`,
        `${whole(progress.episodes)} episodes`
      ], width)
    }

    /** The lines an event leaves behind for good. */
    const linesOf = (event: RunEvent): ReadonlyArray<string> => {
      switch (event.event) {
        case "started": {
          started = event
          const [first = "", ...rest] = head(event).map((line) => plainLine(line))
          return [style.strong(first), ...rest.map(style.dim)]
        }
        case "notice":
          return [plainLine(event.message)]
        case "evaluation":
          return [evaluationLine(event)]
        case "finished": {
          const last = latest === undefined || canAnimate || latest.wall_seconds === drawnAt ? [] : rowLines(latest)
          const line = finalLine(event)
          return [...last, ...summary(event, recoveries), event.solved ? style.good(line) : style.strong(line)]
        }
        default:
          return []
      }
    }

    const rowLines = (progress: Progress): ReadonlyArray<string> => {
      drawnAt = progress.wall_seconds
      const titles = titled ? [] : [style.dim(aligned(columnTitles))]
      titled = true
      return [...titles, row(progress)]
    }

    /** Rows come twice a second at first, then every tenth of the time gone by, and at least twice a minute. */
    const rowIsDue = (progress: Progress): boolean =>
      progress.wall_seconds - drawnAt >= Math.min(30, Math.max(0.5, progress.wall_seconds / 10))

    const take = (events: ReadonlyArray<RunEvent>): ReadonlyArray<string> => {
      const lines: Array<string> = []
      let actors = 0
      for (const event of events) {
        if (event.event === "progress") {
          latest = event
          if (canAnimate) remember(event)
          if (!canAnimate && rowIsDue(event)) lines.push(...rowLines(event))
        } else if (event.event === "actor") {
          if (event.kind !== "restarted" && event.kind !== "failed") continue
          if (event.recovery_ms !== null) recoveries.push(event.recovery_ms)
          if (++actors <= shownAtOnce) lines.push(style.bad(plainLine(actorLine(event))))
        } else if (event.event !== "episode") {
          lines.push(...linesOf(event))
        }
      }
      if (actors > shownAtOnce) lines.push(style.bad(`and ${plural(actors - shownAtOnce, "more actor event")}`))
      return lines
    }

    const show = (events: ReadonlyArray<RunEvent>) =>
      Effect.gen(function*() {
        const lines = take(events)
        const over = events.some(({ event }) => event === "finished")
        const due = canAnimate && !over && latest !== undefined &&
          (lines.length > 0 || latest.wall_seconds - drawnAt >= redraw)
        if (lines.length === 0 && !due) return
        let text = ["", eraseLine, eraseLines][live]!
        live = 0
        for (const line of lines) text += `${line}\n`
        if (due && latest !== undefined) {
          drawnAt = latest.wall_seconds
          const columns = yield* terminal.columns
          live = 1
          text += liveLine(latest, columns)
          if (columns >= wide && options.actors !== undefined) {
            live = 2
            text += `\n${style.dim(actorsLine(yield* options.actors, columns - 1))}`
          }
        }
        yield* put(text)
      })

    if (options.quiet === true) {
      return {
        on: (events) =>
          Effect.forEach(
            events.filter((event) => event.event === "finished"),
            (event) => put(`${finalLine(event)}\n`),
            { discard: true }
          )
      }
    }
    // A run cut short leaves its last state on the screen, and the prompt on a line of its own.
    yield* Effect.addFinalizer(() => Effect.suspend(() => live > 0 ? Effect.ignore(put("\n")) : Effect.void))
    return { on: show }
  })

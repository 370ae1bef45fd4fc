/**
 * Runs what is missing of a sweep, several runs at a time, each in a process of its own, and says how far it is: on a terminal
 * by one line that is redrawn, elsewhere by a line for each run that has ended.
 */
import { TerminalCapabilities } from "effect/cli/TerminalCapabilities"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import * as Terminal from "effect/Terminal"
import { plainLine } from "../../text/plainLine.ts"
import * as FolderLock from "../files/FolderLock.ts"
import { bar, duration, fit, plural, score, whole } from "../reporting/formatting.ts"
import * as CellProcess from "./CellProcess.ts"
import * as SweepFolder from "./SweepFolder.ts"

/** What a sweep has come to. */
export interface SweepOutcome {
  /** The last events of the runs that have ended, in the order of the sweep. */
  readonly results: ReadonlyArray<{ readonly cell: SweepFolder.Cell; readonly result: SweepFolder.Result }>
  /** Why others have not. */
  readonly failures: ReadonlyArray<CellProcess.CellFailed | SweepFolder.SweepFault>
}

/** How a run of a sweep ended, as a line. */
const endLine = ({ evaluation, finished, name }: SweepFolder.Result): string =>
  `${name}: ${finished.solved ? "solved" : "not solved"} after ${whole(finished.env_steps)} steps in ${
    duration(finished.wall_seconds)
  }, train20 ${score(finished.train20)}, evaluation ${score(evaluation?.mean ?? finished.eval_mean)}`

/** Erases the line the cursor is in and returns to its start. */
const eraseLine = "\r\x1b[2K"
/** Milliseconds between two drawings of the line. */
const redraw = 200

export interface SweepOptions {
  /** Runs at a time. */
  readonly jobs: number
  /** Fresh episodes that the last policy of every run plays; 0 for none. */
  readonly episodes: number
  /** Prints nothing; `onResult` hears of every run. */
  readonly silent: boolean
  readonly onResult?: (result: SweepFolder.Result) => Effect.Effect<void>
}

export const run = Effect.fnUntraced(function*(
  folder: SweepFolder.SweepFolder,
  { episodes, jobs, onResult, silent }: SweepOptions
) {
  const terminal = yield* Terminal.Terminal
  const { canAnimate } = yield* TerminalCapabilities
  yield* FolderLock.take(folder.path).pipe(
    Effect.catchTag(
      "PlatformError",
      () => Effect.fail(new SweepFolder.SweepFault({ message: `${folder.path} cannot be written. Check whose it is.` }))
    )
  )
  const results = yield* SweepFolder.results(folder)
  const missing = folder.cells.filter(({ name }) => !results.has(name))
  const failures: Array<CellProcess.CellFailed | SweepFolder.SweepFault> = []
  /** How far the runs under way are. */
  const running = new Map<string, number>()
  const started = yield* Clock.monotonicTimeNanos
  const already = folder.cells.length - missing.length

  const put = (text: string) => silent ? Effect.void : Effect.ignore(terminal.display(text))
  const line = Effect.gen(function*() {
    const seconds = Number((yield* Clock.monotonicTimeNanos) - started) / 1e9
    const ended = results.size - already + failures.length
    const done = ended + [...running.values()].reduce((sum, fraction) => sum + fraction, 0)
    const left = done < 0.5 ? "" : `${duration(seconds * (missing.length - done) / done)} left`
    const width = (yield* terminal.columns) - 1
    return fit([
      `${bar((already + done) / folder.cells.length, Math.min(24, Math.floor(width / 4)))} ${whole(results.size)}/${
        plural(folder.cells.length, "run")
      }`,
      `${running.size} under way`,
      duration(seconds),
      ...(left === "" ? [] : [left]),
      ...(failures.length === 0 ? [] : [`${failures.length} failed`])
    ], width)
  })
  /** A line that stays, above the one that is redrawn. */
  const say = (text: string) =>
    canAnimate && !silent
      ? Effect.flatMap(line, (live) => put(`${eraseLine}${plainLine(text)}\n${live}`))
      : put(`${plainLine(text)}\n`)

  if (already > 0) yield* say(`${plural(already, "run")} of ${folder.cells.length} have come to their end before`)
  const one = Effect.fnUntraced(function*(cell: SweepFolder.Cell) {
    running.set(cell.name, 0)
    const ended = yield* Effect.result(
      Effect.gen(function*() {
        const { finished, folder: runFolder } = yield* CellProcess.run(
          folder,
          cell,
          (fraction) => void running.set(cell.name, fraction)
        )
        const evaluation = episodes === 0 || runFolder === null
          ? {}
          : { evaluation: yield* CellProcess.evaluate(folder, cell, runFolder, episodes) }
        const result: SweepFolder.Result = { name: cell.name, folder: runFolder, finished, ...evaluation }
        yield* SweepFolder.add(folder, result)
        return result
      })
    )
    running.delete(cell.name)
    if (Result.isFailure(ended)) {
      failures.push(ended.failure)
      yield* say(ended.failure.message)
      return
    }
    const result = ended.success
    results.set(cell.name, result)
    if (onResult !== undefined) yield* onResult(result)
    yield* say(endLine(result))
  })
  const all = Effect.forEach(missing, one, { concurrency: jobs, discard: true })
  const drawn = Effect.forever(
    Effect.andThen(Effect.flatMap(line, (live) => put(`${eraseLine}${live}`)), Effect.sleep(redraw))
  )
  yield* canAnimate && !silent
    ? Effect.ensuring(Effect.raceFirst(all, drawn), put(eraseLine))
    : all
  return {
    results: folder.cells.flatMap((cell) => {
      const result = results.get(cell.name)
      return result === undefined ? [] : [{ cell, result }]
    }),
    failures
  } satisfies SweepOutcome
}, Effect.scoped)

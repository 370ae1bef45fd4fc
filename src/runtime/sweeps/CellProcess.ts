/**
 * One run of a sweep, in a process of its own: what it says as JSON events is read from its standard output. A run that was
 * begun before goes on from its last checkpoint.
 */
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { spawn } from "node:child_process"
import { fromJson } from "../../text/json.ts"
import { plainLine } from "../../text/plainLine.ts"
import { explain } from "../files/reason.ts"
import * as wholeFile from "../files/wholeFile.ts"
import { type Finished, RunEventFromJsonLine } from "../monitoring/RunEvent.ts"
import * as RunFolder from "../reporting/RunFolder.ts"
import { type Cell, SweepFault, type SweepFolder } from "./SweepFolder.ts"

/** A run that did not come to its end. */
export class CellFailed extends Schema.TaggedError<CellFailed>()("CellFailed", {
  name: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.name}: ${this.reason}`
  }
}

/** Milliseconds that a run may take to put away what it has, when the sweep is interrupted. */
const goingMillis = 5000

/** The folder of a run that was begun before, if there is one. */
const begun = Effect.fnUntraced(function*(folder: string) {
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const names = yield* Effect.orElseSucceed(fs.readDirectory(folder), (): Array<string> => [])
  for (const name of names.toSorted().toReversed()) {
    const path = paths.join(folder, name)
    if (Option.isSome(yield* RunFolder.read(path))) return path
  }
  return undefined
})

/** Runs a cell to its end; `progress` hears how far it is, from 0 to 1. Answers its last event and its folder. */
export const run = Effect.fnUntraced(function*(
  { path }: SweepFolder,
  cell: Cell,
  progress: (fraction: number) => void
) {
  const paths = yield* Path.Path
  const fs = yield* FileSystem.FileSystem
  const logDir = paths.join(path, cell.name)
  const settings = paths.join(logDir, "settings.json")
  const before = yield* begun(logDir)
  const envId = String(cell.config["envId"])
  if (before === undefined) {
    yield* Effect.andThen(
      fs.makeDirectory(logDir, { recursive: true }),
      wholeFile.write(settings, `${JSON.stringify(cell.config)}\n`)
    ).pipe(Effect.mapError((error) => new SweepFault({ message: `${logDir} cannot be written: ${explain(error)}.` })))
  }
  // The person has named the environment to the sweep.
  const args = before === undefined
    ? ["train", "--config", settings, "--env-id", envId, "--log-dir", logDir, "--run-folder", "--json"]
    : ["train", "--resume", before, "--env-id", envId, "--json"]
  const finished = yield* trained(cell.name, args, progress)
  const folder = yield* begun(logDir)
  return { finished, folder: folder === undefined ? null : paths.relative(path, folder) }
})

const EvaluationLine = fromJson(Schema.Struct({
  event: Schema.Literal("evaluation"),
  episodes: Schema.Int,
  mean: Schema.Finite,
  std: Schema.Finite
}))

/** Plays fresh episodes with the last policy of a cell's run, in the folder that `run` answered. */
export const evaluate = Effect.fnUntraced(function*(
  { path }: SweepFolder,
  cell: Cell,
  folder: string,
  episodes: number
) {
  const paths = yield* Path.Path
  const { config, name } = cell
  const args = [
    "eval",
    paths.join(path, folder),
    "--env-id",
    String(config["envId"]),
    "--episodes",
    `${episodes}`,
    "--json"
  ]
  let said: typeof EvaluationLine.Type | undefined
  yield* program(name, args, (line) => {
    said = Option.getOrUndefined(Schema.decodeOption(EvaluationLine)(line)) ?? said
  })
  if (said === undefined) return yield* new CellFailed({ name, reason: "its evaluation says nothing" })
  return { episodes: said.episodes, mean: said.mean, std: said.std }
})

/** A run, with these arguments: its last event. */
const trained = Effect.fnUntraced(function*(
  name: string,
  args: ReadonlyArray<string>,
  progress: (fraction: number) => void
) {
  let total = 0
  let finished: Finished | undefined
  yield* program(name, args, (line) => {
    // Episodes are many, and nobody here asks for them.
    if (line.startsWith(`{"event":"episode"`)) return
    const event = Option.getOrUndefined(Schema.decodeOption(RunEventFromJsonLine)(line))
    if (event?.event === "started") total = event.total_timesteps
    if (event?.event === "progress" && total > 0) progress(Math.min(1, event.env_steps / total))
    if (event?.event === "finished") finished = event
  })
  if (finished === undefined) return yield* new CellFailed({ name, reason: "it ended without a last word" })
  return finished
})

/** This program once more, with these arguments; `read` hears every line that it prints. Fails with its last words. */
const program = (name: string, args: ReadonlyArray<string>, read: (line: string) => void) =>
  Effect.callback<void, CellFailed>((resume) => {
    const child = spawn(process.execPath, [...process.execArgv, process.argv[1] ?? "", ...args], {
      stdio: ["ignore", "pipe", "pipe"]
    })
    let rest = ""
    let said = ""
    const fail = (reason: string) => resume(Effect.fail(new CellFailed({ name, reason: plainLine(reason, 400) })))
    child.stdout.setEncoding("utf8").on("data", (chunk: string) => {
      const lines = (rest + chunk).split("\n")
      rest = lines.pop() ?? ""
      for (const line of lines) read(line)
    })
    child.stderr.setEncoding("utf8").on("data", (chunk: string) => said = (said + chunk).slice(-4000))
    child.once("error", (error) => fail(`it cannot be started: ${error.message}`))
    child.once("close", (code, signal) => {
      read(rest)
      if (code === 0) return resume(Effect.void)
      const last = said.trim().split("\n").at(-1) ?? ""
      fail(last === "" ? (signal === null ? `it ended with exit code ${code}` : `it was ended by ${signal}`) : last)
    })
    return Effect.callback<void>((gone) => {
      if (child.exitCode !== null || child.signalCode !== null) return gone(Effect.void)
      const timer = setTimeout(() => child.kill("SIGKILL"), goingMillis)
      child.once("close", () => {
        clearTimeout(timer)
        gone(Effect.void)
      })
      child.kill("SIGINT")
    })
  })

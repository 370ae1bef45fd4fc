/** The verb `sweep`: runs every combination of the values that flags of `train` name, and says what each setting comes to. */
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { availableParallelism } from "node:os"
import { plainJson, plainLine } from "../../text/plainLine.ts"
import * as configSources from "../config/configSources.ts"
import { confirmEnvironment, shellWord } from "../config/confirmEnvironment.ts"
import { plural } from "../reporting/formatting.ts"
import * as RunFolder from "../reporting/RunFolder.ts"
import { cellsOf } from "../sweeps/plan.ts"
import { bySetting, table } from "../sweeps/summary.ts"
import * as Sweep from "../sweeps/Sweep.ts"
import * as SweepFolder from "../sweeps/SweepFolder.ts"
import { environmentOptions } from "./environmentOptions.ts"
import { given, runFlags, settingsFile } from "./flags.ts"
import { programName } from "./programName.ts"

/** Runs of the sweep that did not come to their end. */
export class RunsFailed extends Schema.TaggedError<RunsFailed>()("RunsFailed", { message: Schema.String }) {}

/** How many runs at a time. */
export const jobsFlag = Flag.Int("jobs").pipe(
  Flag.withDescription("runs at a time, each in a process of its own (default: one per core)"),
  Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1024 }))),
  Flag.withDefault(Math.max(1, availableParallelism()))
)

/** A sweep that was begun before: what `sweep.json` names is loaded where it may be, or where it is named again. */
export const reopened = Effect.fnUntraced(function*(path: string, named: string | undefined) {
  const paths = yield* Path.Path
  const folder = yield* SweepFolder.read(path)
  for (const envId of new Set(folder.cells.map(({ config }) => String(config["envId"])))) {
    if (envId === named) continue
    yield* confirmEnvironment({ file: paths.join(path, SweepFolder.sweepFile), reference: envId })
  }
  return folder
})

/** Runs what is missing, and says how to go on with it where it is interrupted. */
export const completed = (folder: SweepFolder.SweepFolder, verb: string, options: Sweep.SweepOptions) =>
  Effect.gen(function*() {
    const paths = yield* Path.Path
    const shown = shellWord(paths.relative(".", folder.path))
    return yield* Effect.onInterrupt(
      Sweep.run(folder, options),
      () => Console.error(plainLine(`Interrupted. Go on with: ${programName()} ${verb} --resume ${shown}`))
    )
  })

/** Fails where runs have. */
export const allWell = ({ failures, results }: Sweep.SweepOutcome, folder: SweepFolder.SweepFolder, verb: string) =>
  Effect.gen(function*() {
    if (failures.length === 0) return
    const paths = yield* Path.Path
    return yield* new RunsFailed({
      message: `${plural(failures.length, "run")} of ${results.length + failures.length} failed, the first by ${
        failures[0]!.message
      } Try them again with: ${programName()} ${verb} --resume ${shellWord(paths.relative(".", folder.path))}`
    })
  })

export const sweepCommand = Command.make(
  "sweep",
  {
    ...runFlags,
    envOptions: environmentOptions,
    config: settingsFile,
    jobs: jobsFlag,
    resume: Flag.String("resume").pipe(
      Flag.withDescription("go on with the sweep in that folder: what has not come to its end"),
      Flag.withMetavar("folder"),
      Flag.optional
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("print a line of JSON for each run that ends, and one for each setting"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function*({ config, envOptions, jobs, json, resume, ...flags }) {
    const texts = given(flags)
    const others = Object.keys(texts).filter((name) => name !== "envId")
    if (Option.isSome(resume) && (others.length > 0 || Option.isSome(config) || envOptions !== undefined)) {
      return yield* new configSources.ConfigError({
        source: "resume",
        message: "A sweep goes on with the settings it was begun with: give --resume, and --env-id and --jobs at most."
      })
    }
    const folder = Option.isSome(resume)
      ? yield* reopened(resume.value, texts["envId"])
      : yield* begun(texts, Option.getOrUndefined(config), envOptions)
    const outcome = yield* completed(folder, "sweep", {
      jobs,
      episodes: 0,
      silent: json,
      onResult: (result) => json ? Console.log(plainJson(JSON.stringify({ event: "run", ...result }))) : Effect.void
    })
    const settings = bySetting(outcome.results)
    if (json) {
      for (const { finished, name } of settings) {
        yield* Console.log(plainJson(JSON.stringify({ event: "setting", setting: name, finished })))
      }
    } else for (const line of table(settings)) yield* Console.log(plainLine(line))
    yield* allWell(outcome, folder, "sweep")
  })
).pipe(
  Command.withDescription(
    "Train with every combination of settings, several runs at a time: --seed 1..10 --lr 1e-3,3e-3"
  )
)

const begun = Effect.fnUntraced(function*(
  texts: Readonly<Record<string, string>>,
  file: string | undefined,
  envOptions: typeof environmentOptions extends Flag.Flag<infer Options> ? Options : never
) {
  const paths = yield* Path.Path
  const cells = yield* cellsOf(texts, { file, envOptions })
  const logDir = String(cells[0]!.config["logDir"])
  const folder = yield* SweepFolder.create(logDir, `sweep__${yield* RunFolder.timeName}`, cells)
  yield* Console.error(plainLine(`${plural(cells.length, "run")} into ${paths.relative(".", folder.path)}`))
  return folder
})

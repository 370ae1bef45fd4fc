/** The verb `zoo`: trains environments with the settings that come with Troupe over several seeds, and writes the page of it. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import { isGymnasium } from "../../envs/gymnasium/reference.ts"
import { splitReference } from "../../envs/options.ts"
import { Registry } from "../../envs/Registry.ts"
import { plainJson, plainLine } from "../../text/plainLine.ts"
import * as readData from "../files/readData.ts"
import { explain } from "../files/reason.ts"
import * as wholeFile from "../files/wholeFile.ts"
import { plural } from "../reporting/formatting.ts"
import * as RunFolder from "../reporting/RunFolder.ts"
import { cellsOf } from "../sweeps/plan.ts"
import { aligned } from "../sweeps/summary.ts"
import * as SweepFolder from "../sweeps/SweepFolder.ts"
import {
  cellsOfRow,
  entriesOf,
  page,
  remarksOf,
  rowsOf,
  titles,
  usualIds,
  verdicts,
  type ZooEntry
} from "../sweeps/zoo.ts"
import { allWell, completed, jobsFlag, reopened } from "./sweep.ts"

/** The page that a zoo comes to cannot be written. */
export class PageFault extends Schema.TaggedError<PageFault>()("PageFault", { message: Schema.String }) {}

export const zooCommand = Command.make(
  "zoo",
  {
    ids: Argument.String("id").pipe(
      Argument.withDescription("environments, such as CartPole-v1 (default: all that settings were found for)"),
      Argument.variadic()
    ),
    seed: Flag.String("seed").pipe(Flag.withDescription("seeds (default 1..10)"), Flag.withDefault("1..10")),
    steps: Flag.Int("total-timesteps").pipe(
      Flag.withDescription("steps of every run, instead of as many as others took"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000_000_000 }))),
      Flag.optional
    ),
    episodes: Flag.Int("episodes").pipe(
      Flag.withDescription("fresh episodes that each last policy plays (default 100)"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100_000 }))),
      Flag.withDefault(100)
    ),
    jobs: jobsFlag,
    logDir: Flag.String("log-dir").pipe(
      Flag.withDescription("folder that receives the zoo's folder (default runs)"),
      Flag.withDefault("runs")
    ),
    out: Flag.String("out").pipe(
      Flag.withDescription("file of the page (default docs/zoo.md, where there is a folder docs, or zoo.md)"),
      Flag.withMetavar("path"),
      Flag.optional
    ),
    resume: Flag.String("resume").pipe(
      Flag.withDescription("go on with the zoo in that folder: what has not come to its end"),
      Flag.withMetavar("folder"),
      Flag.optional
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("print a line of JSON for each run that ends"),
      Flag.withDefault(false)
    )
  },
  Effect.fnUntraced(function*({ episodes, ids, jobs, json, logDir, out, resume, seed, steps }) {
    const paths = yield* Path.Path
    const fs = yield* FileSystem.FileSystem
    const folder = Option.isSome(resume)
      ? yield* reopened(resume.value, ids[0])
      : yield* begun(ids.length === 0 ? usualIds : ids, seed, Option.getOrUndefined(steps), logDir)
    const outcome = yield* completed(folder, "zoo", {
      jobs,
      episodes,
      silent: json,
      onResult: (result) => json ? Console.log(plainJson(JSON.stringify({ event: "run", ...result }))) : Effect.void
    })
    const rows = rowsOf(outcome.results)
    if (rows.length > 0) {
      const docs = yield* Effect.orElseSucceed(fs.exists("docs"), () => false)
      const file = Option.getOrElse(out, () => docs ? paths.join("docs", "zoo.md") : "zoo.md")
      if (!json) {
        for (const line of aligned([titles, ...rows.map(cellsOfRow)])) yield* Console.log(plainLine(line))
        const beside = verdicts(rows)
        if (beside.length > 0) {
          yield* Console.log("")
          for (const line of aligned(beside)) yield* Console.log(plainLine(line))
        }
      }
      const written = Effect.gen(function*() {
        // What was written by hand stays.
        const earlier = (yield* fs.exists(file)) ? yield* readData.readText(file) : ""
        yield* wholeFile.write(file, page(rows, episodes, remarksOf(earlier)))
      })
      yield* Effect.mapError(
        written,
        (error) =>
          new PageFault({ message: `${file} cannot be written: ${explain(error)}. Name another file with --out.` })
      )
      yield* Console.error(plainLine(`wrote ${file}`))
    }
    yield* allWell(outcome, folder, "zoo")
  })
).pipe(
  Command.withDescription(
    "Train environments with the settings that come with Troupe over ten seeds, beside others' figures"
  )
)

/** As many steps as whole iterations make up: a run that is to take no more than others takes no more. */
const wholeIterations = (cell: SweepFolder.Cell): SweepFolder.Cell => {
  const { nEnvs, nSteps, totalTimesteps } = cell.config
  const rows = Number(nEnvs) * Number(nSteps)
  const total = Number(totalTimesteps)
  return total < rows ? cell : { ...cell, config: { ...cell.config, totalTimesteps: total - total % rows } }
}

const begun = Effect.fnUntraced(function*(
  ids: ReadonlyArray<string>,
  seed: string,
  steps: number | undefined,
  logDir: string
) {
  const paths = yield* Path.Path
  for (const id of ids) if (!isGymnasium(splitReference(id).base)) yield* Registry.lookup(splitReference(id).base)
  const entries = [...new Set(ids)].flatMap((envId): ReadonlyArray<ZooEntry> => {
    const all = entriesOf(envId)
    return steps === undefined ? all : [...new Set(all.map(({ algo }) => algo))].map((algo) => ({ envId, algo, steps }))
  })
  const cells = yield* Effect.forEach(
    entries,
    Effect.fnUntraced(function*({ algo, envId, steps }) {
      const setting = { envId, algo, totalTimesteps: String(steps) }
      const runs = yield* cellsOf({ ...setting, keepGoing: "true", seed }, { file: undefined, envOptions: undefined })
      return runs.map((cell) =>
        wholeIterations({
          ...cell,
          name: `${envId.replaceAll(/[^\w.-]+/g, "-")},${algo},${steps},${cell.name}`,
          setting
        })
      )
    })
  )
  const folder = yield* SweepFolder.create(logDir, `zoo__${yield* RunFolder.timeName}`, cells.flat())
  yield* Console.error(plainLine(`${plural(cells.flat().length, "run")} into ${paths.relative(".", folder.path)}`))
  return folder
})

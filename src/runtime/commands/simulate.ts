/** The verb `simulate`: runs a simulation that a module exports, once into a folder, or many times to compare. */
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { hostsPlacements } from "../../simulation/hosts/placements.ts"
import { fromJson } from "../../text/json.ts"
import { plainLine } from "../../text/plainLine.ts"
import { ConfigError } from "../config/configSources.ts"
import { options } from "../config/RunConfig.ts"
import type { Request } from "../simulations/simulating.ts"
import { cluster } from "./clusterFlag.ts"
import { dashboardPort, dashboards, portOf } from "./dashboardFlags.ts"
import { programName } from "./programName.ts"
import { traceFlags, traceRequest } from "./traceFlags.ts"

const positive = Schema.Finite.check(Schema.isGreaterThan(0))

const Scalar = fromJson(Schema.Union([Schema.Finite, Schema.Boolean]))

/** What a person writes for a value: a number or a truth value, else text. */
const valueOf = (text: string): unknown => Option.getOrElse(Schema.decodeOption(Scalar)(text), () => text)

const usage = (source: string, message: string) => new ConfigError({ source, message })

const assignment = (flag: string, text: string) => {
  const at = text.indexOf("=")
  return at < 1
    ? Effect.fail(usage(flag, `--${flag} ${plainLine(text, 80)}: write a name and a value, as in --${flag} clerks=2.`))
    : Effect.succeed([text.slice(0, at), text.slice(at + 1)] as const)
}

/** What runs simulations is loaded by those alone who run one. */
const simulations = Effect.promise(() =>
  Promise.all([
    import("../simulations/simulating.ts"),
    import("../simulations/loadModel.ts"),
    import("../simulations/resumption.ts"),
    import("../simulations/onRunners.ts")
  ])
)

// -------------------------------------------------------------------------------------------------------- command line

const texts = (name: string, metavar: string, description: string) =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description), Flag.atLeast(0))

const ofRunners = (name: string, description: string, metavar: string) =>
  Flag.String(name).pipe(Flag.withMetavar(metavar), Flag.withDescription(description), Flag.optional)

const number = (name: string, schema: Schema.Codec<number, number>, description: string) =>
  Flag.Finite(name).pipe(Flag.withDescription(description), Flag.withSchema(schema), Flag.optional)

export const simulateCommand = Command.make(
  "simulate",
  {
    file: Argument.String("file").pipe(
      Argument.withDescription("a module whose default export is a simulation, such as examples/simulations/mmc.ts")
    ),
    seed: Flag.Int("seed").pipe(
      Flag.withDescription("what is drawn, and with --replications the first of as many seeds (default 0)"),
      Flag.withSchema(Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))),
      Flag.optional
    ),
    until: number("until", positive, "virtual time at which it ends (default: the model's)"),
    set: texts("set", "name=value", "a value of the model's configuration"),
    hosts: Flag.Int("hosts").pipe(
      Flag.withDescription("hosts that share the work: of one run its shares, of many runs whole ones (default 1)"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1024 }))),
      Flag.withDefault(1)
    ),
    placement: Flag.Literals("placement", hostsPlacements).pipe(
      Flag.withDescription(
        "where hosts are (default: one is a fiber, several are threads); runner: on other machines (docs/machines.md)"
      ),
      Flag.optional
    ),
    runners: ofRunners(
      "runners",
      "where runners listen (troupe runner --simulation), separated by commas. For --placement runner",
      "host:port,..."
    ),
    runnerSecretFile: ofRunners("runner-secret-file", options.runnerSecretFile.help, "file"),
    cluster,
    runnerCa: ofRunners("runner-ca", options.runnerCa.help, "file"),
    chaos: Flag.Int("chaos").pipe(
      Flag.withDescription("kill so many hosts during the run, drawn from the seed (default 0)"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 100_000 }))),
      Flag.withDefault(0)
    ),
    replications: Flag.Int("replications").pipe(
      Flag.withDescription("run so often, with seeds that follow each other, and tell means with intervals"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 1_000_000 }))),
      Flag.optional
    ),
    sweep: texts("sweep", "name=a,b,...", "run with each of these values, and with every combination of several"),
    every: number("every", positive, "virtual time between two points of the series (default: a fiftieth of --until)"),
    checkpointEvery: number(
      "checkpoint-every",
      positive,
      "virtual time between two checkpoints (default: a tenth of --until)"
    ),
    agents: Flag.Boolean("agents").pipe(
      Flag.withDescription("a table of all agents at each point of the series"),
      Flag.withDefault(false)
    ),
    events: Flag.Boolean("events").pipe(
      Flag.withDescription("write down every event, in events.jsonl: slower"),
      Flag.withDefault(false)
    ),
    resume: Flag.String("resume").pipe(
      Flag.withDescription("go on with the simulation in that folder, from its newest checkpoint"),
      Flag.withMetavar("folder"),
      Flag.optional
    ),
    rewind: number(
      "rewind",
      Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0)),
      "with --resume: go back to this virtual time first"
    ),
    fork: Flag.Boolean("fork").pipe(
      Flag.withDescription("with --resume: into a folder of its own, from there on with another --seed or --set"),
      Flag.withDefault(false)
    ),
    logDir: Flag.String("log-dir").pipe(
      Flag.withDescription("where the folder is made (default runs)"),
      Flag.withMetavar("folder"),
      Flag.withDefault("runs")
    ),
    runFolder: Flag.Boolean("run-folder").pipe(
      Flag.withDescription("write a folder (default)"),
      Flag.withDefault(true)
    ),
    ...traceFlags,
    dashboard: Flag.Boolean("dashboard").pipe(
      Flag.withDescription("a page on this machine that shows it as it goes, and can hold it up"),
      Flag.withDefault(false)
    ),
    dashboardPort,
    paused: Flag.Boolean("paused").pipe(
      Flag.withDescription("with --dashboard: wait at the beginning until the page says go"),
      Flag.withDefault(false)
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("print one JSON event a line, and nothing else"),
      Flag.withDefault(false)
    ),
    quiet: Flag.Boolean("quiet").pipe(Flag.withDescription("print the last line only"), Flag.withDefault(false))
  },
  Effect.fnUntraced(function*(
    {
      dashboard,
      dashboardPort,
      file,
      fork,
      paused,
      replications,
      resume,
      rewind,
      runnerCa,
      runnerSecretFile,
      runners,
      set,
      sweep,
      trace,
      traceFrom,
      traceSeconds,
      ...flags
    }
  ) {
    const config = Object.fromEntries(
      yield* Effect.forEach(
        set,
        (text) => Effect.map(assignment("set", text), ([name, value]) => [name, valueOf(value)] as const)
      )
    )
    const sweeps = yield* Effect.forEach(
      sweep,
      (text) =>
        Effect.map(assignment("sweep", text), ([name, values]) => [name, values.split(",").map(valueOf)] as const)
    )
    const isMany = Option.isSome(replications) || sweeps.length > 0
    if (Option.isNone(resume) && (Option.isSome(rewind) || fork)) {
      return yield* usage("resume", `--${fork ? "fork" : "rewind"} goes with --resume: name the simulation's folder.`)
    }
    if (flags.events && (isMany || !flags.runFolder)) {
      return yield* usage("events", "--events are written into the folder of one simulation: leave out what has none.")
    }
    if (Option.isSome(resume) && isMany) {
      return yield* usage("resume", "--resume goes on with one simulation: leave out --replications and --sweep.")
    }
    if (Option.isSome(resume) && !fork && (Option.isSome(flags.seed) || set.length > 0)) {
      return yield* usage(
        "resume",
        "A simulation goes on with the seed and the configuration it was begun with: say --fork for others."
      )
    }
    const port = portOf(dashboard, dashboardPort)
    if (port === undefined ? paused : isMany) {
      return yield* usage(
        "dashboard",
        isMany
          ? "--dashboard shows one simulation: leave out --replications and --sweep."
          : "--paused goes with --dashboard."
      )
    }
    const traced = yield* traceRequest({ trace, traceFrom, traceSeconds })
    if (traced !== undefined && isMany) {
      return yield* usage("trace", "--trace is of one simulation: leave out --replications and --sweep.")
    }
    if (!Equal.equals(flags.placement, Option.some("runner"))) {
      const [stray] = Object.entries({
        runners,
        "runner-secret-file": runnerSecretFile,
        "runner-ca": runnerCa,
        cluster: flags.cluster
      })
        .flatMap(([flag, text]) => Option.isSome(text) ? [flag] : [])
      if (stray !== undefined) return yield* usage(stray, `--${stray} goes with --placement runner.`)
    }
    const [{ many, once }, { loadModel }, { resumption }, { onRunners }] = yield* simulations
    const loaded = yield* loadModel(file)
    const request: Request = {
      ...flags,
      loaded,
      file,
      program: programName(),
      config,
      seed: Option.getOrUndefined(flags.seed),
      until: Option.getOrUndefined(flags.until),
      placement: Option.getOrUndefined(flags.placement),
      runners: Equal.equals(flags.placement, Option.some("runner"))
        ? yield* onRunners(loaded, {
          runners: Option.getOrUndefined(runners),
          secretFile: Option.getOrUndefined(runnerSecretFile),
          ca: Option.getOrUndefined(runnerCa),
          cluster: Option.getOrUndefined(flags.cluster)
        })
        : undefined,
      every: Option.getOrUndefined(flags.every),
      checkpointEvery: Option.getOrUndefined(flags.checkpointEvery),
      trace: traced,
      onlooker: port === undefined ? undefined : yield* (yield* dashboards).ofSimulation(port, paused)
    }
    if (isMany) return yield* many(request, sweeps, Option.getOrElse(replications, () => 1))
    yield* once(
      request,
      Option.isNone(resume)
        ? undefined
        : yield* resumption(loaded, resume.value, Option.getOrUndefined(rewind), fork)
    )
  }, Effect.scoped)
).pipe(
  Command.withDescription("Run a simulation of agents in virtual time, once or many times")
)

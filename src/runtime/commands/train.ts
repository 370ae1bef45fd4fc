/** The verb `train`: resolves the configuration, runs it, and lets every consumer read its events. */
import * as Cause from "effect/Cause"
import * as Argument from "effect/cli/Argument"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Console from "effect/Console"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Path from "effect/Path"
import * as Schema from "effect/Schema"
import * as Inspection from "../../actors/inspection/Inspection.ts"
import { plainLine } from "../../text/plainLine.ts"
import { untilDeadline } from "../../time/deadline.ts"
import { runningTime } from "../../time/runningTime.ts"
import { ArrivalLog } from "../arrivals/Arrivals.ts"
import * as recording from "../arrivals/recording.ts"
import * as CheckpointFolder from "../checkpoint/CheckpointFolder.ts"
import { CheckpointKeeper, resumeFrom } from "../checkpoint/Checkpoints.ts"
import * as CheckpointWriter from "../checkpoint/CheckpointWriter.ts"
import { Successors } from "../cluster/Membership.ts"
import * as configSources from "../config/configSources.ts"
import { fingerprintOf, recordOf } from "../config/EnvironmentRecord.ts"
import { CurrentConfig } from "../config/RunConfig.ts"
import { PolicyFileError } from "../evaluation/Policy.ts"
import { CurrentFence } from "../files/Fence.ts"
import * as FolderLock from "../files/FolderLock.ts"
import * as EventQueue from "../monitoring/EventQueue.ts"
import { RunEvents, RunOrigin } from "../monitoring/RunMonitor.ts"
import { folderReporter } from "../reporting/folderReporter.ts"
import * as JsonLines from "../reporting/JsonLines.ts"
import * as Reporter from "../reporting/Reporter.ts"
import { faultAt, ReportFault, standardOutput } from "../reporting/ReportFault.ts"
import * as Table from "../reporting/Table.ts"
import { Run } from "../Run.ts"
import { settle } from "../runDevice.ts"
import { Traced } from "../timeline/Timeline.ts"
import { keep } from "../timeline/writeTimeline.ts"
import { cluster } from "./clusterFlag.ts"
import { numberForEnvironment } from "./commandLine.ts"
import { dashboardPort, dashboards, portOf } from "./dashboardFlags.ts"
import { untilUncaught } from "./ending.ts"
import { environmentOptions } from "./environmentOptions.ts"
import { given, runFlags, settingsFile } from "./flags.ts"
import {
  commandToResume,
  goBack,
  keepRecording,
  openFolder,
  recordingName,
  removeIfNothingCame,
  RunNotKept,
  tellHowToResume
} from "./leftBehind.ts"
import { traceFlags, type TraceRequest, traceRequest } from "./traceFlags.ts"
import { compareEnvironments, settings, type Wanted } from "./trainPlan.ts"

/** When this process started: the date, and by the monotonic clock, which is what everything else is counted from. */
const processStart = {
  date: performance.timeOrigin,
  monotonic: Number(process.hrtime.bigint()) / 1e6 - performance.now()
}

/** How long the consumers of an interrupted run may take to write what they hold, in milliseconds. */
const drainDeadline = 500

interface TrainRequest extends Wanted {
  readonly json: boolean
  readonly quiet: boolean
  /** The file of the timeline, and which part of the run it has. */
  readonly trace: TraceRequest | undefined
  /** The port at which the metrics are to be had. */
  readonly metricsPort: number | undefined
  /** The port of the dashboard. */
  readonly dashboardPort: number | undefined
}

const train = Effect.fn("train")(function*(request: TrainRequest) {
  const fs = yield* FileSystem.FileSystem
  const paths = yield* Path.Path
  const ofVariables = yield* configSources.checkVariables(Object.keys(process.env))
  const plan = yield* settings(request)
  const { config: wanted, notices: noticed, replayed, resumed } = plan
  // Before it is imported: what it is when it is run.
  const module = yield* Effect.sync(() => fingerprintOf(wanted.envId))
  const before = resumed?.checkpoint
  const events = yield* EventQueue.make
  const config = yield* Effect.provideService(settle(wanted), RunEvents, { emit: events.emit })
  const recorder = config.schedule === "async" ? new recording.Recorder(before?.recorded) : undefined
  const { dashboardPort, metricsPort, trace } = request
  if (metricsPort !== undefined) {
    // Few want it, and it takes a while to load.
    const { serveMetrics } = yield* Effect.promise(() => import("../serving/metricsServer.ts"))
    const port = yield* serveMetrics(metricsPort)
    yield* events.emit({ event: "notice", message: `metrics at http://127.0.0.1:${port}/metrics` })
  }
  const dashboard = dashboardPort === undefined
    ? undefined
    : yield* (yield* dashboards).ofRun(dashboardPort, (message) =>
      request.quiet && !request.json
        ? Console.error(plainLine(message))
        : events.emit({ event: "notice", message }))
  const timeline = trace === undefined ? undefined : yield* keep(
    paths.resolve(trace.path),
    trace,
    runningTime.now() - performance.now(),
    (message) => events.emit({ event: "notice", message })
  )
  const writer = config.runFolder && replayed === undefined ? yield* CheckpointWriter.make(config, recorder) : undefined

  // The run is set up before its folder is made: what cannot start leaves nothing behind.
  const run = yield* Layer.build(Run.layerFromConfig()).pipe(
    Effect.map(Context.get(Run)),
    Effect.provide(CurrentConfig.layer(config)),
    Effect.provide(before === undefined ? Layer.empty : resumeFrom(before.state)),
    Effect.provideService(CheckpointKeeper, writer?.keeper),
    Effect.provideService(RunEvents, { emit: events.emit }),
    Effect.provideService(RunOrigin, processStart.monotonic),
    Effect.provideService(Traced, timeline),
    Effect.provideService(ArrivalLog, {
      write: (environment, staleness) => recorder?.write(environment, staleness),
      ...(replayed === undefined ? {} : { replay: replayed })
    })
  )
  const environment = recordOf(run.environment, module)
  const notices = [
    ...ofVariables,
    ...noticed,
    ...(yield* compareEnvironments(plan, request, environment)),
    ...(resumed === undefined ? [] : yield* goBack(resumed, environment))
  ]
  const fence = yield* CurrentFence
  const folder = resumed?.folder ??
    (config.runFolder ? yield* openFolder(config, run.environment, environment, processStart.date) : undefined)
  if (folder !== undefined && resumed === undefined) {
    yield* Effect.catchTag(
      FolderLock.take(folder.path),
      "PlatformError",
      (error) => Effect.fail(faultAt(folder.path)(error))
    )
    // Where others may train it too, it is not for one of them to remove.
    if (fence === null) yield* removeIfNothingCame(folder.path, run.status)
  }
  const { end } = yield* Successors
  if (folder !== undefined && recorder !== undefined) {
    yield* keepRecording(folder.file(recordingName), () => recorder.toBytes(config, environment))
  }
  /** Whether whoever read standard output has gone. */
  let unread = false
  if (folder !== undefined && writer !== undefined) {
    yield* Effect.addFinalizer((exit) =>
      Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause) && !unread && fence?.isPassed !== true
        // Whoever stopped reading us wants no more words.
        ? tellHowToResume(folder, writer.written, config.envId, environment)
        : Effect.void
    )
  }

  yield* Inspection.serve(
    { what: `train ${run.environment.id}`, folder: folder === undefined ? null : paths.resolve(folder.path) },
    run.actors
  )
  const asked = request.given.workers ?? 0
  if (config.placement === "thread" && asked > config.workers) {
    notices.push(`--workers ${asked} is more than there are environments: ${config.workers} workers are used`)
  }
  if (request.quiet && !request.json) yield* Effect.forEach(ofVariables, (message) => Console.error(plainLine(message)))
  for (const message of notices) yield* events.emit({ event: "notice", message })
  const savePolicy = folder === undefined
    ? Effect.void
    : Effect.flatMap(run.policy, (policy) => policy.save(folder.file("policy.safetensors")))
  const training = run.train(folder === undefined ? {} : { folder: folder.path }).pipe(
    // What an interrupted run has learned is kept too.
    Effect.onInterrupt(() => Effect.ignore(savePolicy)),
    Effect.tap(savePolicy),
    Effect.ensuring(events.end)
  )

  /** A fault of the run's folder, and not of whoever reads standard output. */
  const isOfFolder = (error: { readonly _tag: string }): error is ReportFault | PolicyFileError =>
    (error instanceof ReportFault || error instanceof PolicyFileError) && folder !== undefined &&
    error.path.startsWith(folder.path) && fence?.isPassed !== true
  /** Says how to go on, where there is something to go on with. */
  const notKept = Effect.fnUntraced(function*(fault: ReportFault | PolicyFileError) {
    const { episodes, updates } = yield* run.status
    const begun = resumed !== undefined || episodes > 0 || updates >= 2
    if (folder === undefined || writer === undefined || !begun) return yield* fault
    if (!(yield* fs.exists(folder.file("config.json")))) return yield* fault
    const go = yield* commandToResume(folder, config.envId, environment)
    return yield* new RunNotKept({ message: `${fault.message} Once that is mended, go on with: ${go}` })
  })

  const screen = request.json
    ? yield* JsonLines.reporter
    : yield* Table.reporter({
      quiet: request.quiet,
      rewardThreshold: run.environment.rewardThreshold,
      actors: run.actors
    })
  const onCheckpoint = writer?.writeInto(folder?.file(CheckpointFolder.name) ?? "", environment)
  const reporters = [
    ...(folder === undefined ? [] : [yield* folderReporter(folder, onCheckpoint, config.logInterval)]),
    ...(dashboard === undefined ? [] : [dashboard.show(run, folder?.path ?? null)]),
    screen
  ]
  const consumed = yield* Effect.forkScoped(
    Reporter.consume(events.stream, reporters).pipe(
      Effect.andThen(writer?.settled ?? Effect.void),
      Effect.tapError((fault) => Effect.sync(() => unread ||= fault.path === standardOutput))
    )
  )
  // Runs before the scope ends the consumers: what an interrupted run has said still reaches its files.
  yield* Effect.addFinalizer(() => Effect.ignore(Effect.race(Fiber.await(consumed), untilDeadline(drainDeadline))))
  yield* untilUncaught(Effect.all([training, Fiber.join(consumed)], { concurrency: "unbounded" })).pipe(
    // Whoever comes after does nothing more: so all that there is to keep is kept by now.
    Effect.flatMap(([{ weights_sha256 }]) => end(weights_sha256)),
    Effect.catchIf(isOfFolder, notKept)
  )
}, Effect.scoped)

export const trainCommand = Command.make(
  "train",
  {
    environment: Argument.String("environment").pipe(
      Argument.withDescription("the environment, instead of --env-id"),
      Argument.optional
    ),
    ...runFlags,
    envOptions: environmentOptions,
    config: settingsFile,
    serial: Flag.Boolean("serial").pipe(
      Flag.withDescription("everything in this one thread: --placement fiber"),
      Flag.withDefault(false)
    ),
    sync: Flag.Boolean("sync").pipe(Flag.withDescription("all in step: --schedule sync"), Flag.withDefault(false)),
    async: Flag.Literals("async", ["async", "seeded"]).pipe(
      Flag.withDescription("each at its own pace: --schedule async, or with `--async seeded` --schedule seeded"),
      Flag.withOptionalValue("async"),
      Flag.optional
    ),
    replay: Flag.String("replay").pipe(
      Flag.withDescription("repeat an --async run from the recording in its folder"),
      Flag.withMetavar("folder"),
      Flag.optional
    ),
    resume: Flag.String("resume").pipe(
      Flag.withDescription("go on with the run in that folder, from its newest checkpoint or the one that is named"),
      Flag.withMetavar("folder"),
      Flag.optional
    ),
    force: Flag.Boolean("force").pipe(
      Flag.withDescription("with --replay: repeat the run though its environment has changed, and not exactly then"),
      Flag.withDefault(false)
    ),
    ...traceFlags,
    cluster,
    clusterRun: Flag.String("cluster-run").pipe(
      Flag.withDescription(
        "with --cluster: the run's name, the same for all trainers that may take it over (default run)"
      ),
      Flag.withSchema(Schema.String.check(Schema.isPattern(/^[\w.-]{1,80}$/))),
      Flag.optional
    ),
    metricsPort: Flag.Int("metrics-port").pipe(
      Flag.withDescription("port of this machine at which Prometheus finds the run's metrics; 0 for any that is free"),
      Flag.withSchema(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 }))),
      Flag.optional
    ),
    dashboard: Flag.Boolean("dashboard").pipe(
      Flag.withDescription("a page on this machine that shows the run as it goes; its address is told"),
      Flag.withDefault(false)
    ),
    dashboardPort,
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("print one JSON event a line, and nothing else"),
      Flag.withDefault(false)
    ),
    quiet: Flag.Boolean("quiet").pipe(Flag.withDescription("print the last line only"), Flag.withDefault(false))
  },
  Effect.fnUntraced(
    function*(
      {
        async: own,
        cluster,
        clusterRun,
        config,
        dashboard,
        dashboardPort,
        envOptions,
        environment,
        force,
        json,
        metricsPort,
        quiet,
        replay,
        resume,
        serial,
        sync,
        trace,
        traceFrom,
        traceSeconds,
        ...flags
      }
    ) {
      const texts = given(flags)
      if (Option.isSome(environment)) {
        const number = numberForEnvironment(environment.value)
        if (number !== undefined) {
          return yield* new configSources.ConfigError({ source: "environment", message: number })
        }
        if ((texts["envId"] ?? environment.value) !== environment.value) {
          return yield* new configSources.ConfigError({
            source: "environment",
            message: `Give one environment: ${environment.value} or --env-id ${texts["envId"]}, not both.`
          })
        }
        texts["envId"] = environment.value
      }
      if (serial) texts["placement"] = "fiber"
      const schedules = [
        ...(sync ? ["sync"] : []),
        ...Option.toArray(own),
        ...(texts["schedule"] === undefined ? [] : [texts["schedule"]])
      ]
      if (schedules.length > 1) {
        return yield* new configSources.ConfigError({
          source: "schedule",
          message: "Give one of --sync, --async, --async seeded and --schedule, not several."
        })
      }
      for (const schedule of schedules) texts["schedule"] = schedule
      if (Option.isNone(cluster) && Option.isSome(clusterRun)) {
        return yield* new configSources.ConfigError({
          source: "cluster-run",
          message: "--cluster-run goes with --cluster, the database where trainers meet."
        })
      }
      const request: TrainRequest = {
        given: yield* configSources.fromFlags(texts),
        file: Option.getOrUndefined(config),
        envOptions,
        replay: Option.getOrUndefined(replay),
        resume: Option.getOrUndefined(resume),
        force,
        json,
        quiet,
        metricsPort: Option.getOrUndefined(metricsPort),
        dashboardPort: portOf(dashboard, dashboardPort),
        trace: yield* traceRequest({ trace, traceFrom, traceSeconds })
      }
      if (Option.isNone(cluster)) return yield* train(request)
      // Few want it, and it takes a while to load.
      const { inCluster } = yield* Effect.promise(() => import("../cluster/inCluster.ts"))
      yield* inCluster(
        { cluster: cluster.value, run: Option.getOrElse(clusterRun, () => "run"), resume: request.resume },
        (resume) => train({ ...request, resume })
      )
    }
  )
).pipe(
  Command.withDescription(
    "Train a policy until its environment is solved: the verb when none is given"
  )
)

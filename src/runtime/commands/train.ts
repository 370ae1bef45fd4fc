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
import type * as Scope from "effect/Scope"
import * as Inspection from "../../actors/inspection/Inspection.ts"
import type { EnvironmentDefinition, JsonRecord } from "../../envs/EnvironmentDefinition.ts"
import { isModule } from "../../envs/loadEnvironment.ts"
import type { UnknownEnvironment } from "../../envs/Registry.ts"
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
import { confirmEnvironment, type UnconfirmedEnvironment } from "../config/confirmEnvironment.ts"
import { changes, type EnvironmentRecord, fingerprintOf, recordOf } from "../config/EnvironmentRecord.ts"
import { usualWorkers } from "../config/hosts.ts"
import { CurrentConfig, flagName, type RunConfig } from "../config/RunConfig.ts"
import { PolicyFileError } from "../evaluation/Policy.ts"
import { CurrentFence } from "../files/Fence.ts"
import * as FolderLock from "../files/FolderLock.ts"
import * as readData from "../files/readData.ts"
import { explain } from "../files/reason.ts"
import * as wholeFile from "../files/wholeFile.ts"
import * as EventQueue from "../monitoring/EventQueue.ts"
import { RunEvents, RunOrigin, type RunStatus } from "../monitoring/RunMonitor.ts"
import { cutBack, folderReporter } from "../reporting/folderReporter.ts"
import * as JsonLines from "../reporting/JsonLines.ts"
import * as Reporter from "../reporting/Reporter.ts"
import { faultAt, ReportFault, standardOutput } from "../reporting/ReportFault.ts"
import * as RunFolder from "../reporting/RunFolder.ts"
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
import * as resume from "./resume.ts"
import { traceFlags, type TraceRequest, traceRequest } from "./traceFlags.ts"

/** When this process started: the date, and by the monotonic clock, which is what everything else is counted from. */
const processStart = {
  date: performance.timeOrigin,
  monotonic: Number(process.hrtime.bigint()) / 1e6 - performance.now()
}

/** The recording's name in a run's folder. */
const recordingName = "arrivals.bin"

const openFolder = (
  config: RunConfig,
  { id, rewardThreshold }: EnvironmentDefinition,
  environment: EnvironmentRecord
) =>
  RunFolder.create({
    logDir: config.logDir,
    environment,
    envId: id,
    preset: config.preset,
    seed: config.seed,
    rewardThreshold,
    startedMillis: processStart.date,
    config: { ...config }
  })

/** How long the consumers of an interrupted run may take to write what they hold, in milliseconds. */
const drainDeadline = 500

/** The recording in a run's folder. */
const recordingOf = Effect.fnUntraced(function*(folder: string, config: RunConfig) {
  const paths = yield* Path.Path
  const path = paths.join(folder, recordingName)
  const bytes = yield* readData.read(path).pipe(Effect.mapError(() =>
    new recording.RecordingError({
      message: `${path} cannot be read. Name the folder of a run with --async; only these are recorded.`
    })
  ))
  return yield* recording.read(bytes, path, config)
})

/** What is trained: anew from all sources, again from a recording, or on from a checkpoint. */
interface Plan {
  readonly config: RunConfig
  readonly replayed?: recording.Recording
  readonly resumed?: resume.Resumption
  /** What a person should know of the settings. */
  readonly notices: Iterable<string>
}

/** Puts the run's settings together. */
const settings = Effect.fnUntraced(function*(request: TrainRequest): Effect.fn.Return<
  Plan,
  | configSources.ConfigError
  | recording.RecordingError
  | resume.ResumeError
  | UnconfirmedEnvironment
  | UnknownEnvironment
  | FolderLock.FolderInUse,
  FileSystem.FileSystem | Path.Path | Scope.Scope
> {
  const { file, given, replay } = request
  const notices = new Set<string>()
  const sources = {
    given,
    file,
    envOptions: request.envOptions,
    notice: (message: string) => void notices.add(message)
  }
  if (request.force && replay === undefined) {
    return yield* new configSources.ConfigError({ source: "force", message: "--force goes with --replay." })
  }
  if (request.resume !== undefined) {
    if (replay !== undefined) {
      return yield* new configSources.ConfigError({
        source: "resume",
        message: "Give --resume or --replay, not both: a replay can be repeated from its beginning."
      })
    }
    const resumed = yield* resume.resume(request.resume, sources)
    return { config: resumed.config, resumed, notices: [...notices, ...resumed.notices] }
  }
  const resolved = yield* configSources.resolve(sources)
  if (replay === undefined) return { config: resolved, notices }
  const replayed = yield* recordingOf(replay, resolved)
  const chosen = yield* configSources.chosen(sources)
  const { envId } = chosen
  const { config } = replayed
  // A module may lie elsewhere now; that it is the same environment is seen when it is there.
  const elsewhere = envId !== undefined && isModule(envId) && isModule(config.envId)
  const changed = recording.firstDifference(config, {
    ...config,
    ...chosen,
    ...(elsewhere ? { envId: config.envId } : {})
  })
  if (changed !== undefined) {
    return yield* new configSources.ConfigError({
      source: flagName(changed),
      message: `--${flagName(changed)} cannot be changed by a replay; leave it out, or train anew.`
    })
  }
  if (envId === undefined) {
    yield* confirmEnvironment({
      file: replay,
      reference: config.envId,
      fingerprint: replayed.environment?.module ?? undefined,
      folder: replay,
      changed: request.force
    })
  }
  const workers = chosen.workers ?? usualWorkers()
  for (const message of replayed.notices) notices.add(message)
  const again = configSources.withinWork({ ...config, envId: envId ?? config.envId, workers })
  return { config: yield* configSources.feasible(again), replayed, notices }
})

/** Writes the recording when the scope closes, however it closes: all of it or none. */
const keepRecording = Effect.fnUntraced(function*(path: string, bytes: () => Uint8Array) {
  const fs = yield* FileSystem.FileSystem
  yield* Effect.addFinalizer((exit) =>
    Effect.suspend(() => wholeFile.write(path, bytes())).pipe(
      Effect.provideService(FileSystem.FileSystem, fs),
      // Why a run failed is told; that its recording cannot be written either is no news.
      Effect.catch((error) =>
        Exit.isFailure(exit) && !Cause.hasInterruptsOnly(exit.cause)
          ? Effect.void
          : Effect.logError(`The recording ${path} cannot be written: ${explain(error)}.`)
      )
    )
  )
})

/** A run that failed before an episode or an update was over leaves no folder. */
const removeIfNothingCame = Effect.fnUntraced(function*(path: string, status: Effect.Effect<RunStatus>) {
  const fs = yield* FileSystem.FileSystem
  yield* Effect.addFinalizer(Effect.fnUntraced(function*(exit) {
    if (Exit.isSuccess(exit) || Cause.hasInterruptsOnly(exit.cause)) return
    const { episodes, updates } = yield* status
    if (episodes === 0 && updates < 2) yield* Effect.ignore(fs.remove(path, { recursive: true }))
  }))
})

/** A run that has ended because what it has to say could not be written. */
class RunNotKept extends Schema.TaggedError<RunNotKept>()("RunNotKept", { message: Schema.String }) {}

interface TrainRequest {
  readonly given: configSources.PartialConfig
  readonly file: string | undefined
  readonly envOptions: JsonRecord | undefined
  /** Folder of the run to repeat. */
  readonly replay: string | undefined
  /** Folder, or checkpoint, of the run to go on with. */
  readonly resume: string | undefined
  /** Repeat a run though its environment has changed. */
  readonly force: boolean
  readonly json: boolean
  readonly quiet: boolean
  /** The file of the timeline, and which part of the run it has. */
  readonly trace: TraceRequest | undefined
  /** The port at which the metrics are to be had. */
  readonly metricsPort: number | undefined
  /** The port of the dashboard. */
  readonly dashboardPort: number | undefined
}

/** Brings the folder of a run back to where its checkpoint was taken. */
const goBack = Effect.fnUntraced(function*(
  { checkpoint, config, folder }: resume.Resumption,
  environment: EnvironmentRecord
) {
  const update = checkpoint?.state.monitor.progress.updates ?? 0
  const checkpoints = folder.file(CheckpointFolder.name)
  // In this order: a checkpoint must not speak of more than there is in the files.
  yield* Effect.mapError(CheckpointFolder.goBackTo(checkpoints, update), faultAt(checkpoints))
  const short = yield* cutBack(folder, checkpoint?.files ?? {})
  yield* Effect.mapError(
    RunFolder.rewriteConfig(folder, { ...config }, environment),
    faultAt(folder.file("config.json"))
  )
  return short.map((name) => `${folder.file(name)} is shorter than when the checkpoint was taken: rows are missing.`)
})

/**
 * Holds the environment to what it was when the run was trained, or recorded. A run that goes on says what has changed; one
 * that is to be repeated exactly is refused, unless it is forced.
 */
const compareEnvironments = Effect.fnUntraced(function*(
  { replayed, resumed }: Plan,
  { force, replay = "" }: TrainRequest,
  now: EnvironmentRecord
) {
  const before = replayed === undefined ? resumed?.environment : replayed.environment
  const id = before?.id ?? resumed?.folder.envId
  if (id !== undefined && id !== now.id) {
    const message = `The run is one of ${id}, and --env-id gives ${now.id}. Give the environment it was trained in.`
    return yield* replayed === undefined
      ? new resume.ResumeError({ message })
      : new recording.RecordingError({ message })
  }
  const changed = before === undefined ? [] : changes(before, now)
  if (changed.length === 0) return []
  const what = `The environment ${now.id} is not what it was: ${changed.join("; ")}`
  if (replayed === undefined) return [`${what}. The weights come to differ from those of a run without a break.`]
  if (force) return [`${what}. This is not an exact repetition.`]
  return yield* new recording.RecordingError({
    message: `${replay} cannot be repeated exactly. ${what}. Say --force to repeat it all the same.`
  })
})

/** The command that goes on with a run; it names the environment where a file alone would not be believed. */
const commandToResume = Effect.fnUntraced(
  function*(folder: RunFolder.RunFolder, reference: string, environment: EnvironmentRecord) {
    const paths = yield* Path.Path
    const confirmed = yield* Effect.isSuccess(confirmEnvironment({
      file: folder.path,
      reference,
      fingerprint: environment.module ?? undefined,
      folder: folder.path
    }))
    return resume.command(paths.relative(".", folder.path), confirmed ? undefined : reference)
  }
)

/** Says how to go on with a run that was interrupted. */
const tellHowToResume = Effect.fnUntraced(
  function*(
    folder: RunFolder.RunFolder,
    written: Effect.Effect<number | undefined>,
    reference: string,
    environment: EnvironmentRecord
  ) {
    const update = yield* written
    const go = (yield* CurrentFence) === null
      ? `go on with: ${yield* commandToResume(folder, reference, environment)}`
      : "the same command goes on"
    const kept = update === undefined ? "No checkpoint was written" : `The last checkpoint is that of update ${update}`
    yield* Console.error(`Interrupted. ${kept}; ${go}`)
  }
)

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
    (config.runFolder ? yield* openFolder(config, run.environment, environment) : undefined)
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
    Effect.tap(({ weights_sha256 }) => end(weights_sha256)),
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
  yield* untilUncaught(Effect.all([training, Fiber.join(consumed)], { concurrency: "unbounded", discard: true })).pipe(
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

/** The verb `train`: resolves the configuration, runs it, and lets every consumer read its events. */
import type * as Cause from "effect/Cause"
import * as Command from "effect/cli/Command"
import * as Flag from "effect/cli/Flag"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import type { EnvironmentDefinition } from "../../envs/EnvironmentDefinition.ts"
import * as configSources from "../configSources.ts"
import { folderReporter } from "../reporting/folderReporter.ts"
import * as JsonLines from "../reporting/JsonLines.ts"
import * as Reporter from "../reporting/Reporter.ts"
import * as RunFolder from "../reporting/RunFolder.ts"
import * as Table from "../reporting/Table.ts"
import { Run } from "../Run.ts"
import { CurrentConfig, type RunConfig } from "../RunConfig.ts"
import type { RunEvent } from "../RunEvent.ts"
import { RunEvents } from "../RunMonitor.ts"
import { runFlags } from "./flags.ts"

/** When this process started, in milliseconds since the epoch. */
const processStart = performance.timeOrigin

const openFolder = (config: RunConfig, { id, rewardThreshold }: EnvironmentDefinition) =>
  RunFolder.create({
    logDir: config.logDir,
    envId: id,
    preset: config.preset,
    seed: config.seed,
    rewardThreshold,
    startedMillis: processStart,
    config: { ...config }
  })

/** How long the consumers of an interrupted run may take to write what they hold. */
const drainDeadline = "500 millis"

const train = Effect.fn("train")(function*(
  given: configSources.PartialConfig,
  file: string | undefined,
  output: { readonly json: boolean; readonly quiet: boolean }
) {
  const wanted = yield* configSources.resolve({ given, file })
  const config = { ...wanted, workers: Math.min(wanted.workers, wanted.nEnvs) }
  const events = yield* Queue.bounded<RunEvent, Cause.Done>(1024)

  // The run is set up before its folder is made: what cannot start leaves nothing behind.
  const run = yield* Layer.build(Run.layerFromConfig({ origin: processStart })).pipe(
    Effect.map(Context.get(Run)),
    Effect.provide(CurrentConfig.layer(config)),
    Effect.provideService(RunEvents, { emit: (event) => Effect.asVoid(Queue.offer(events, event)) })
  )
  const folder = config.runFolder ? yield* openFolder(config, run.environment) : undefined

  if (given.workers !== undefined && wanted.workers > config.workers) {
    yield* Queue.offer(events, {
      event: "notice",
      message: `--workers ${wanted.workers} is more than there are environments: ${config.workers} workers are used`
    })
  }
  const training = Effect.gen(function*() {
    yield* run.train(folder === undefined ? {} : { folder: folder.path })
    if (folder !== undefined) {
      yield* Effect.flatMap(run.policy, (policy) => policy.save(folder.file("policy.safetensors")))
    }
  }).pipe(Effect.ensuring(Queue.end(events)))

  const screen = output.json
    ? yield* JsonLines.reporter
    : yield* Table.reporter({ quiet: output.quiet, rewardThreshold: run.environment.rewardThreshold })
  const reporters = folder === undefined ? [screen] : [screen, yield* folderReporter(folder)]
  const consumed = yield* Effect.forkScoped(Reporter.consume(Stream.fromQueue(events), reporters))
  // Runs before the scope ends the consumers: what an interrupted run has said still reaches its files.
  yield* Effect.addFinalizer(() => Effect.ignore(Effect.timeout(Fiber.await(consumed), drainDeadline)))
  yield* Effect.all([training, Fiber.join(consumed)], { concurrency: "unbounded", discard: true })
}, Effect.scoped)

export const trainCommand = Command.make(
  "train",
  {
    ...runFlags,
    config: Flag.String("config").pipe(
      Flag.withDescription("JSON file of settings, named as in config.json"),
      Flag.withMetavar("path"),
      Flag.optional
    ),
    json: Flag.Boolean("json").pipe(
      Flag.withDescription("print one JSON event a line, and nothing else"),
      Flag.withDefault(false)
    ),
    quiet: Flag.Boolean("quiet").pipe(Flag.withDescription("print the last line only"), Flag.withDefault(false))
  },
  Effect.fnUntraced(function*({ config, json, quiet, ...flags }) {
    const given: Record<string, string> = {}
    for (const [name, value] of Object.entries(flags)) if (Option.isSome(value)) given[name] = value.value
    yield* train(yield* configSources.fromFlags(given), Option.getOrUndefined(config), { json, quiet })
  })
).pipe(Command.withDescription("Train a policy until its environment is solved (the verb when none is given)"))

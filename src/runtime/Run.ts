/**
 * A whole training run as a service: the parts are put together by `layer`, which lays the memory out, starts the
 * threads and spawns the actors; `train` runs the algorithm to its end. `events` does both at once and answers the run
 * as a stream:
 *
 *     Run.events({ nEnvs: 10, seed: 1 }).pipe(Stream.runForEach((event) => Console.log(event)))
 *
 * Everything belongs to the layer's scope: when it closes, however it closes, no thread is left.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as FileSystem from "effect/FileSystem"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Queue from "effect/Queue"
import * as Ref from "effect/Ref"
import * as Schema from "effect/Schema"
import * as Stream from "effect/Stream"
import { createHash } from "node:crypto"
import { type ActorInfo, ActorSystem } from "../actors/ActorSystem.ts"
import type { EnvironmentDefinition } from "../envs/EnvironmentDefinition.ts"
import { environmentName, environmentReference } from "../envs/loadEnvironment.ts"
import { Device, type DeviceFault } from "../model/Device.ts"
import { sourcesHash } from "../sources.ts"
import { plainLine } from "../text/plainLine.ts"
import { algorithms, planLayer } from "./algorithms/index.ts"
import { Arrivals } from "./arrivals/Arrivals.ts"
import * as Chaos from "./chaos/Chaos.ts"
import { CheckpointKeeper, Checkpoints } from "./checkpoint/Checkpoints.ts"
import { Membership, runnersOfCluster } from "./cluster/Membership.ts"
import * as configSources from "./config/configSources.ts"
import { environmentOf } from "./config/environmentOf.ts"
import { fingerprintOf } from "./config/EnvironmentRecord.ts"
import { hostsOf, runnersOf } from "./config/hosts.ts"
import { placements } from "./config/placements.ts"
import { CurrentConfig, type RunConfig } from "./config/RunConfig.ts"
import { Seed } from "./config/Seed.ts"
import { Evaluator } from "./evaluation/Evaluator.ts"
import { Policy } from "./evaluation/Policy.ts"
import { readPem, readSecrets } from "./files/secrets.ts"
import { Learner } from "./learning/Learner.ts"
import { RunningStatistics } from "./learning/RunningStatistics.ts"
import type { ActorEvent, Finished, RunEvent } from "./monitoring/RunEvent.ts"
import { RunMetrics } from "./monitoring/RunMetrics.ts"
import { Restarts, RunEvents, RunMonitor, type RunStatus, SavedMonitor } from "./monitoring/RunMonitor.ts"
import type { UpdatePlan } from "./plan/UpdatePlan.ts"
import { deviceLayer, settle, type SettleError } from "./runDevice.ts"
import * as Replica from "./stretches/Replica.ts"
import { Traced } from "./timeline/Timeline.ts"
import * as traced from "./timeline/traced.ts"
import { DataPlane } from "./workers/DataPlane.ts"
import { EnvWorkerBehavior } from "./workers/EnvWorker.ts"
import { EnvWorkerGroup, supervisionOf } from "./workers/EnvWorkerGroup.ts"
import { type ExperienceBatch, ExperienceListener } from "./workers/Experience.ts"
import { buildId, hostEntry, hostIsThere } from "./workers/hostEntry.ts"
import { encodeNeed } from "./workers/offers.ts"
import type { Travels } from "./workers/shipment.ts"

/** SHA-256 of weights as little-endian float32, in the flat order of `model/policy/ParameterLayout.ts`, statistics at the end. */
export const weightsHash = (weights: Float32Array): string => {
  const bytes = new DataView(new ArrayBuffer(weights.length * 4))
  weights.forEach((weight, i) => bytes.setFloat32(i * 4, weight, true))
  return createHash("sha256").update(bytes).digest("hex")
}

/** What travels, and why, where nobody has chosen it. */
const travelling = (ship: DataPlane["Service"]["ship"], travels: Travels): string => {
  const [experience, gradients] = [Math.round(travels.experience), Math.round(travels.gradients)]
  switch (ship) {
    case "experience":
      return `experience travels, ${experience} bytes a step; gradients would be ${gradients}`
    case "gradients":
      return `gradients travel, ${gradients} bytes a step; experience would be ${experience}`
    default:
      return ship satisfies never
  }
}

/** Milliseconds that a host may take until it is ready, and what each further one adds: they share the cores. */
const startDeadline = 30_000
const startOfEach = 500

/** How this run's runners are spoken to. */
const runnerOptions = Effect.fnUntraced(function*(config: RunConfig) {
  const { definition } = yield* DataPlane
  const { runnerCa, runnerDeadline, runnerLease, runnerSecretFile } = config
  const [secret] = yield* readSecrets(runnerSecretFile)
  const context = yield* Effect.context<never>()
  const membership = yield* Membership
  return {
    ...(config.runners === "cluster" ? yield* runnersOfCluster(membership) : { runners: runnersOf(config) }),
    ...(membership === null ? {} : { system: `run ${membership.run}`, term: membership.term }),
    hosts: hostsOf(config).hosts,
    secret,
    build: sourcesHash(),
    need: encodeNeed(
      definition.module === undefined
        ? { environment: environmentOf(config), fingerprint: null }
        : { environment: environmentName(definition), fingerprint: fingerprintOf(environmentReference(definition)) }
    ),
    lease: Duration.seconds(runnerLease),
    runnerDeadline: Duration.seconds(runnerDeadline),
    heartbeat: Duration.seconds(config.collectDeadline),
    startDeadline,
    // EnvWorkers do nothing but answer: whoever is lost is not waited for.
    fence: false,
    ...(runnerCa === "none" ? {} : { ca: yield* readPem(runnerCa) }),
    notice: (text: string) => void Effect.runForkWith(context)(Effect.logWarning(text))
  }
})

/** The placement the configuration names. */
const actorSystemLayer = Layer.unwrap(
  Effect.gen(function*() {
    const config = yield* CurrentConfig
    const { collectDeadline, placement, workerMemory } = config
    const { otherMachines, ownHosts } = placements[placement]
    if (ownHosts && !otherMachines) yield* hostIsThere()
    const options = {
      ...hostsOf(config),
      entry: hostEntry,
      buildId,
      startDeadline: startDeadline + startOfEach * hostsOf(config).hosts,
      heartbeat: Duration.seconds(collectDeadline)
    }
    const timeline = yield* Traced
    const common = {
      supervision: supervisionOf(config),
      ...(timeline === undefined ? {} : { observer: timeline.observer })
    }
    switch (placement) {
      case "fiber":
        return ActorSystem.layerFiber([EnvWorkerBehavior], common)
      case "auto":
      case "thread":
        return ActorSystem.layer({ thread: options, fiber: [EnvWorkerBehavior], placement: "thread", ...common })
      case "process":
        return ActorSystem.layerProcess({
          ...options,
          ...common,
          ...(workerMemory === 0 ? {} : { memoryLimit: { resident: workerMemory } })
        })
      case "runner":
        return ActorSystem.layerRunner({ ...(yield* runnerOptions(config)), ...common })
      default:
        return placement satisfies never
    }
  })
)

/** What a run says goes to the metrics of Effect too. */
const measuredEvents = Layer.effect(
  RunEvents,
  Effect.gen(function*() {
    const { emit } = yield* RunEvents
    const metrics = new RunMetrics(yield* Effect.context<never>())
    return {
      emit: (event: RunEvent) =>
        Effect.suspend(() => {
          metrics.hear(event)
          return emit(event)
        })
    }
  })
)

/** A service that stands around the run, or else the run's own. */
const around = <I, S, E, R>(service: Context.Key<I, S>, own: Layer.Layer<I, E, R>): Layer.Layer<I, E, R> =>
  Layer.unwrap(
    Effect.map(
      Effect.serviceOption(service),
      Option.match({ onNone: () => own, onSome: (given) => Layer.succeed(service, given) })
    )
  )

/** The services that can be replaced, as a run has them by itself. */
const own = {
  seed: around(Seed, Seed.layer),
  device: around(Device, deviceLayer),
  learner: around(Learner, Learner.layer),
  evaluator: around(Evaluator, Evaluator.layer)
}

/** From the seed up: each line is built before the one above it, so that nothing starts for a run that cannot be. */
const partsOf = <E1, R1, E2, R2, E3, R3, E4, R4>({ device, evaluator, learner, seed }: {
  readonly seed: Layer.Layer<Seed, E1, R1>
  readonly device: Layer.Layer<Device, E2, R2>
  readonly learner: Layer.Layer<Learner, E3, R3>
  readonly evaluator: Layer.Layer<Evaluator, E4, R4>
}) =>
  Checkpoints.layer.pipe(
    Layer.provideMerge(Layer.mergeAll(RunMonitor.layer, Arrivals.layer)),
    Layer.provideMerge(RunningStatistics.layer),
    Layer.provideMerge(
      Layer.mergeAll(
        traced.learner(learner),
        traced.workers(Layer.provide(Chaos.layer, EnvWorkerGroup.layer)),
        traced.evaluator(evaluator)
      )
    ),
    Layer.provideMerge(Layer.mergeAll(Layer.provide(actorSystemLayer, Replica.layer), Restarts.layer)),
    Layer.provideMerge(device),
    Layer.provideMerge(DataPlane.layer),
    Layer.provideMerge(planLayer),
    Layer.provideMerge(seed)
  )

/**
 * Services of a run that a program gives instead of the run's own. Each Layer may ask for whatever the program provides,
 * and for what the run has built by then: a seed for `CurrentConfig`; a device for `Seed` and `DataPlane` too; a learner
 * and an evaluator for `Device` too. What is not said here is taken from the services that stand around the run, where
 * they are there, and is the run's own otherwise.
 */
export interface Replacements {
  readonly seed?: Layer.Layer<Seed, unknown, unknown>
  readonly device?: Layer.Layer<Device, unknown, unknown>
  readonly learner?: Layer.Layer<Learner, unknown, unknown>
  readonly evaluator?: Layer.Layer<Evaluator, unknown, unknown>
}

/** What a run has built before each of them. */
interface Foundations {
  readonly seed: CurrentConfig
  readonly device: CurrentConfig | DataPlane | Seed
  readonly learner: CurrentConfig | DataPlane | Device | Seed | UpdatePlan
  readonly evaluator: CurrentConfig | DataPlane | Device | Seed
}

/**
 * The replacements as if they could fail and need no more than the run's own. What they add to that is said by the types
 * of the functions that take them, and by nothing within.
 */
const known = (replaced: Replacements | undefined): Partial<typeof own> => ({ ...replaced }) as Partial<typeof own>

/** How the replacements can fail to be built. */
type ReplacementError<R extends Replacements> = {
  [Name in keyof R]-?: R[Name] extends Layer.Layer<never, infer E, unknown> ? E : never
}[keyof R]

/** What the replacements still need of the program. */
type ReplacementNeeds<R extends Replacements> = {
  [Name in keyof R & keyof Foundations]-?: R[Name] extends Layer.Layer<never, unknown, infer Needs>
    ? Exclude<Needs, Foundations[Name]>
    : never
}[keyof R & keyof Foundations]

/** Every way in which a run cannot be set up. */
export type RunSetupError =
  | Layer.Error<
    ReturnType<
      typeof partsOf<
        Layer.Error<typeof own.seed>,
        Layer.Services<typeof own.seed>,
        Layer.Error<typeof own.device>,
        Layer.Services<typeof own.device>,
        Layer.Error<typeof own.learner>,
        Layer.Services<typeof own.learner>,
        Layer.Error<typeof own.evaluator>,
        Layer.Services<typeof own.evaluator>
      >
    >
  >
  | SettleError
type Loop = typeof algorithms[keyof typeof algorithms]["loop"]

/** Every way in which a run that was set up can fail. */
export type RunError = Effect.Error<Loop> | DeviceFault | RunSpent

/** `train` was called before: its environments and weights are where that left them, and not at a beginning. */
export class RunSpent extends Schema.TaggedError<RunSpent>()("RunSpent", {}) {
  override get message(): string {
    return "This run was trained before. A run is trained once; set up another."
  }
}

/** A training run that is set up. */
export class Run extends Context.Service<Run, {
  readonly config: RunConfig
  readonly environment: EnvironmentDefinition
  /**
   * Trains to the end, once. Interrupting it stops the run for good; the policy as it then was stays readable.
   * `folder` is told to whoever reads the events.
   */
  readonly train: (options?: { readonly folder?: string }) => Effect.Effect<Finished, RunError>
  /** The current policy: what the next fragments are collected with. */
  readonly policy: Effect.Effect<Policy, DeviceFault>
  readonly status: Effect.Effect<RunStatus>
  /** The run's living actors. */
  readonly actors: Effect.Effect<ReadonlyArray<ActorInfo>>
}>()("troupe/runtime/Run") {
  /**
   * Sets up the run of the current configuration. Its events go to `RunEvents`, its clock starts at `RunOrigin`. Each call
   * makes the layer of another run; one layer, wherever it is provided, is one run.
   */
  static readonly layerFromConfig = <R extends Replacements = Record<never, never>>(
    replaced?: R
  ): Layer.Layer<
    Run,
    RunSetupError | ReplacementError<R>,
    CurrentConfig | FileSystem.FileSystem | ReplacementNeeds<R>
  > =>
    Layer.unwrap(Effect.map(
      Effect.flatMap(CurrentConfig, settle),
      // Layers are memoized by identity, and what is built here is of this configuration alone.
      (config) =>
        Layer.fresh(Layer.provide(layerOfParts, partsOf({ ...own, ...known(replaced) }))).pipe(
          Layer.provide(CurrentConfig.layer(config)),
          Layer.provide(Layer.fresh(measuredEvents))
        )
    ))

  /** Sets up the run of some settings, one for each call; everything else is as in `configSources.resolve`. */
  static readonly layer = <R extends Replacements = Record<never, never>>(
    given: configSources.PartialConfig,
    replaced?: R
  ): Layer.Layer<
    Run,
    RunSetupError | configSources.ConfigError | ReplacementError<R>,
    FileSystem.FileSystem | ReplacementNeeds<R>
  > =>
    Layer.unwrap(Effect.gen(function*() {
      const foreign = replaced?.learner !== undefined || Option.isSome(yield* Effect.serviceOption(Learner))
      // Another learner gets experience, unless the settings say that it takes gradients.
      const notices: Array<string> = []
      const config = yield* configSources.resolve({
        given: foreign ? { ship: "experience", ...given } : given,
        notice: (message) => void notices.push(message)
      })
      const { emit } = yield* RunEvents
      yield* Effect.forEach(notices, (message) => emit({ event: "notice", message }))
      return Layer.provide(Run.layerFromConfig(known(replaced)), CurrentConfig.layer(config))
    }))

  /** A whole run as a stream of its events; a slow reader holds it up, and ending the stream stops it. */
  static readonly events = <R extends Replacements = Record<never, never>>(
    given: configSources.PartialConfig,
    replaced?: R
  ) => streamOf<RunEvent, R>(given, replaced, 1024, (offer) => Layer.succeed(RunEvents, { emit: offer }))

  /**
   * A whole run as a stream of the experience that it learns from, a batch an iteration, each before it is learned from; a
   * slow reader holds it up, and ending the stream stops it.
   */
  static readonly experience = <R extends Replacements = Record<never, never>>(
    given: configSources.PartialConfig,
    replaced?: R
  ) => streamOf<ExperienceBatch, R>(given, replaced, 4, (offer) => Layer.succeed(ExperienceListener, offer))
}

/** A run as a stream of what a listener is told. */
const streamOf = <A, R extends Replacements>(
  given: configSources.PartialConfig,
  replaced: R | undefined,
  bufferSize: number,
  listening: (offer: (told: A) => Effect.Effect<void>) => Layer.Layer<never>
) =>
  Stream.callback<
    A,
    RunError | RunSetupError | configSources.ConfigError | ReplacementError<R>,
    FileSystem.FileSystem | ReplacementNeeds<R>
  >(
    (queue) =>
      Run.use((run) => run.train()).pipe(
        Effect.provide(Run.layer(given, known(replaced))),
        Effect.provide(listening((told) => Effect.asVoid(Queue.offer(queue, told)))),
        Effect.matchCauseEffect({
          onFailure: (cause) => Queue.failCause(queue, cause),
          onSuccess: () => Queue.end(queue)
        })
      ),
    { bufferSize, strategy: "suspend" }
  )

const layerOfParts = Layer.effect(
  Run,
  Effect.gen(function*() {
    const config = yield* CurrentConfig
    const plane = yield* DataPlane
    const device = yield* Device
    const learner = yield* Learner
    const statistics = yield* RunningStatistics
    const monitor = yield* RunMonitor
    const system = yield* ActorSystem
    const workers = yield* EnvWorkerGroup
    const restarts = yield* Restarts
    const seed = yield* Seed
    const { emit } = yield* RunEvents
    const checkpoints = yield* Checkpoints
    const keeper = yield* CheckpointKeeper
    const saved = yield* SavedMonitor
    const { loop }: { readonly loop: Effect.Effect<void, Effect.Error<Loop>, Effect.Services<Loop>> } =
      algorithms[config.algo]
    const algorithm = Effect.provideContext(loop, yield* Effect.context<Effect.Services<Loop>>())
    // Where checkpoints are kept, an iteration under way is brought to its end, or not begun; the waits in it can be
    // interrupted.
    const toItsEnd = keeper === undefined ? algorithm : Effect.andThen(
      Effect.onInterrupt(algorithm, () => Effect.ignore(checkpoints.last)),
      checkpoints.last
    ).pipe(Effect.uninterruptible)

    const weights = Effect.map(learner.weights, statistics.behind)
    const policy = Effect.map(
      weights,
      (weights) =>
        new Policy(plane.definition.id, environmentOf(config), plane.policy, weights, {
          actionSpace: plane.definition.actionSpace,
          episodeLimit: config.episodeLimit,
          actionMasks: plane.layout.spec.masks > 0
        })
    )

    const watchActors = system.events.pipe(Stream.runForEach(Effect.fnUntraced(function*(event) {
      if (event._tag !== "Restarted" && event._tag !== "Failed") return
      if (event._tag === "Restarted") {
        yield* Ref.update(restarts, ({ count }) => ({ count: count + 1, lastMillis: event.recoveryMillis }))
      }
      const happened: ActorEvent = {
        event: "actor",
        kind: event._tag === "Restarted" ? "restarted" : "failed",
        actor: event.actor,
        cause: plainLine(event.death.message),
        recovery_ms: event._tag === "Restarted" ? event.recoveryMillis : null,
        wall_seconds: yield* monitor.elapsed
      }
      yield* emit(happened)
    })))
    yield* Effect.forkScoped(watchActors)
    const watchLayouts = workers.chosen.pipe(Stream.runForEach(Effect.fnUntraced(function*(chosen) {
      yield* emit({ event: "placement", ...chosen, wall_seconds: yield* monitor.elapsed })
    })))
    yield* Effect.forkScoped(watchLayouts)

    let spent = false
    const train = Effect.fnUntraced(function*(told?: { readonly folder?: string }) {
      if (spent) return yield* new RunSpent()
      spent = true
      yield* emit({
        event: "started",
        env_id: plane.definition.id,
        preset: config.preset,
        algo: config.algo,
        schedule: config.schedule,
        seed: seed.root,
        device: device.name,
        placement: config.placement,
        workers: config.workers,
        n_envs: config.nEnvs,
        env_workers: plane.layout.spec.workers,
        n_steps: config.nSteps,
        parameters: plane.parameters.size,
        folder: told?.folder ?? null,
        resumed: saved?.progress.updates ?? null,
        total_timesteps: config.totalTimesteps
      })
      if (plane.travels !== undefined) yield* emit({ event: "notice", message: travelling(plane.ship, plane.travels) })
      yield* monitor.begin
      yield* toItsEnd
      yield* monitor.finish
      const wall = yield* monitor.elapsed
      const status = yield* monitor.status
      const { envSteps, episodes, evalMean, lostSteps, restarts: restarted, solved, train20, updates } = status
      const training = wall - status.startupSeconds - status.evaluationSeconds
      const finished: Finished = {
        event: "finished",
        env_steps: envSteps,
        updates,
        episodes,
        solved,
        train20,
        eval_mean: evalMean,
        weights_sha256: weightsHash(yield* weights),
        restarts: restarted,
        lost_steps: lostSteps,
        wall_seconds: wall,
        startup_seconds: status.startupSeconds,
        steps_per_second: training > 0 ? envSteps / training : null,
        seed: seed.root,
        device: device.name
      }
      yield* emit(finished)
      return finished
    })

    return { config, environment: plane.definition, train, policy, status: monitor.status, actors: system.actors }
  })
)

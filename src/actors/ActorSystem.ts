/**
 * The service through which a program has actors. Which layer provides it decides where they live; the calling code does
 * not change.
 *
 * ```ts
 * const program = Effect.gen(function*() {
 *   const counter = yield* ActorSystem.spawn(Counter, { name: "counter/0", config: { start: 0 } })
 *   return yield* counter.Add({ n: 1 })
 * })
 * program.pipe(Effect.scoped, Effect.provide(ActorSystem.layerFiber([CounterBehavior])))
 * program.pipe(Effect.scoped, Effect.provide(ActorSystem.layerThread({ entry, hosts: 2 })))
 * program.pipe(Effect.scoped, Effect.provide(ActorSystem.layerProcess({ entry, hosts: 2 })))
 * program.pipe(Effect.scoped, Effect.provide(ActorSystem.layerRunner({ runners: ["10.0.0.5:4100"], secret, build, ca })))
 * ```
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Redacted from "effect/Redacted"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Any, Behavior, Services } from "./Actor.ts"
import * as ActorRef from "./ActorRef.ts"
import { ActorNotFound, type InvalidOption, type SpawnFailure, StartFailed, type SystemFailure } from "./errors.ts"
import type { EventLoop } from "./EventLoop.ts"
import * as Fault from "./Fault.ts"
import { ambiguous, behaviorsByName } from "./hosts/behaviors.ts"
import { FiberHost } from "./hosts/FiberHost.ts"
import { RemoteHost, type RemoteOptions } from "./hosts/RemoteHost.ts"
import * as Talk from "./hosts/Talk.ts"
import type { LifecycleEvent } from "./LifecycleEvent.ts"
import { mostOthers } from "./links/Doorbell.ts"
import * as Handshake from "./links/Handshake.ts"
import type { OpenLink } from "./links/HostLink.ts"
import * as ProcessLink from "./links/ProcessLink.ts"
import * as RunnerDirectory from "./links/RunnerDirectory.ts"
import * as RunnerLink from "./links/RunnerLink.ts"
import { Spares } from "./links/Spares.ts"
import * as ThreadLink from "./links/ThreadLink.ts"
import { Unknown } from "./messages/requests.ts"
import * as Options from "./Options.ts"
import type { Asking } from "./owner/Calls.ts"
import type { Ended } from "./owner/Ended.ts"
import { Guardian, type MessageInHand } from "./owner/Guardian.ts"
import { type ActorInfo, type EndedActor, remoteHostsOf, System, type SystemOptions } from "./owner/System.ts"
import type { Placement, RemotePlacement } from "./Placement.ts"
import { noDefinition, placement, type SpawnOptions, spawnRules } from "./SpawnOptions.ts"
import * as Supervision from "./Supervision.ts"
import { systemKey } from "./systemKey.ts"
import * as telemetry from "./telemetry.ts"

export type { SpawnOptions }

export type { ActorInfo, Asking, Ended, EndedActor, MessageInHand, SystemOptions }

/** An actor by its reference, or the living one by its name. */
export type Named = string | ActorRef.AnyRef

/** What threads and processes have in common. */
export interface RemoteSystemOptions {
  /** How many threads (up to 511), or processes. Default 1. */
  readonly hosts?: number
  /** What the entry must have been built from; see `ActorHost.launch`. */
  readonly buildId?: string
  /** How long a host may take until it is ready. Default 30 s. */
  readonly startDeadline?: Duration.Input
  /**
   * Hosts kept ready to take the place of one that dies: a restart then takes milliseconds instead of the start of a
   * thread or process. Up to 64. Default 0: a spare costs the memory and the start of one.
   */
  readonly spares?: number
  /**
   * How long a host may give no sign of life before it is taken for wedged, ended and replaced. A handler that
   * computes longer than this in one go needs more. Default 30 s; `"Infinity"` to wait for ever.
   */
  readonly heartbeat?: Duration.Input
  /**
   * For tests of faults: wraps what opens the link to a host, and so sees, and may hold back, change or forge, all that
   * is said between the two sides (`HostLink.ts`). Default: nothing in between.
   */
  readonly wrapLink?: (open: OpenLink) => OpenLink
}

/** Options of worker threads. */
export interface ThreadHostOptions extends RemoteSystemOptions, ThreadLink.ThreadOptions {}

/** Options of child processes. */
export interface ProcessHostOptions extends RemoteSystemOptions, ProcessLink.ProcessOptions {}

/** Options of hosts on other machines. */
export interface RunnerHostOptions
  extends Pick<RemoteSystemOptions, "hosts" | "startDeadline" | "heartbeat" | "wrapLink">
{
  /**
   * Where runners (`Runner.make`) listen, each as `host:port`; or a directory, which its owner may change. Hosts go to those
   * that have the fewest.
   */
  readonly runners: ReadonlyArray<string> | RunnerDirectory.RunnerDirectory
  /** What all of them and we know and nobody else does: 16 characters at least. */
  readonly secret: Redacted.Redacted
  /** What the sources of this program were: runners of another build refuse us. */
  readonly build: string
  /** Who has these hosts, to the runners. Default: nobody else's name. */
  readonly system?: string
  /** Grows with every owner that the system has had: runners end what those before had, and hear them no more. Default 1. */
  readonly term?: number
  /** What runners must have (`RunnerOptions.lacks`). Default: nothing. */
  readonly need?: string
  /** How long a runner may give no sign of life before it is given up. Default 2 s. */
  readonly lease?: Duration.Input
  /**
   * Whether a host that cannot be reached any more is waited for until its runner has ended it (two leases), before its
   * actors begin anew elsewhere. Where they do nothing but answer, that is not needed. Default: true.
   */
  readonly fence?: boolean
  /** How long it may take until there is a runner. Default 60 s. */
  readonly runnerDeadline?: Duration.Input
  /** Certificates in PEM format that those of the runners must come from. Needed beyond this machine. */
  readonly ca?: string
  /** Told what a person should know, such as that there is no runner yet. Default: nobody. */
  readonly notice?: (text: string) => void
}

export interface RunnerSystemOptions extends SystemOptions, RunnerHostOptions {}

export interface ThreadSystemOptions extends SystemOptions, ThreadHostOptions {}

export interface ProcessSystemOptions extends SystemOptions, ProcessHostOptions {}

export interface Shape {
  /**
   * Starts an actor and waits until its first incarnation serves. It stops when the scope closes: the message in hand
   * is finished (within the grace), what was not yet handled fails with `ActorStopped`.
   */
  readonly spawn: <D extends Any>(
    definition: D,
    options: SpawnOptions<D>
  ) => Effect.Effect<ActorRef.ActorRef<D>, SpawnFailure, Scope.Scope>
  /** The living actor of this name and definition, or else one that is spawned so. */
  readonly spawnOrGet: <D extends Any>(
    definition: D,
    options: SpawnOptions<D> & { readonly name: string }
  ) => Effect.Effect<ActorRef.ActorRef<D>, SpawnFailure | ActorNotFound, Scope.Scope>
  /** A reference to the living actor of this name and definition. */
  readonly lookup: <D extends Any>(
    definition: D,
    name: string
  ) => Effect.Effect<ActorRef.ActorRef<D>, ActorNotFound>
  /** The living actors. */
  readonly actors: Effect.Effect<ReadonlyArray<ActorInfo>>
  /** The last hundred ends, the latest last: what ended, and how. */
  readonly ended: Effect.Effect<ReadonlyArray<EndedActor>>
  /** Waits for the end of the actor; completes at once when a reference's actor has ended already. */
  readonly watch: (actor: Named) => Effect.Effect<Ended, ActorNotFound>
  /** Stops the actor before its scope does. */
  readonly stop: (actor: Named) => Effect.Effect<void, ActorNotFound>
  /**
   * Kills what is under the actor: its host thread or process, with all that live there, or its fiber. By default now,
   * from outside, in the middle of whatever it does; otherwise in one of the ways of `Fault`. Completes when that is gone;
   * supervision takes it from there. For tests and fault injection.
   */
  readonly kill: (actor: Named, how?: Fault.Fault) => Effect.Effect<void, ActorNotFound | InvalidOption>
  /** What happens from now on. */
  readonly events: Stream.Stream<LifecycleEvent>
}

export class ActorSystem extends Context.Service<ActorSystem, Shape>()(systemKey) {
  /** `spawn` of the system in context. */
  static readonly spawn = <D extends Any>(
    definition: D,
    options: SpawnOptions<D>
  ): Effect.Effect<ActorRef.ActorRef<D>, SpawnFailure, Scope.Scope | ActorSystem> =>
    Effect.flatMap(ActorSystem, (system) => system.spawn(definition, options))

  /** Actors as fibers of this thread. Their behaviors may use this very system, to ask or spawn others. */
  static readonly layerFiber = <const B extends ReadonlyArray<Behavior<unknown>>>(
    behaviors: B,
    options: SystemOptions = {}
  ): Layer.Layer<ActorSystem, SystemFailure, Exclude<Services<B>, ActorSystem>> =>
    Layer.effect(ActorSystem, make("layerFiber", options, { fiber: behaviors }, "fiber"))

  /** Actors in worker threads. Fails when one of them does not come up. */
  static readonly layerThread = (options: ThreadSystemOptions): Layer.Layer<ActorSystem, SystemFailure> =>
    Layer.effect(ActorSystem, make("layerThread", options, { fiber: [], thread: options }, "thread"))

  /**
   * Actors in child processes: for what may crash natively or eat memory, since nothing of it reaches the others. A
   * child shares no memory; what crosses is copied. Fails when one of the processes does not come up.
   */
  static readonly layerProcess = (options: ProcessSystemOptions): Layer.Layer<ActorSystem, SystemFailure> =>
    Layer.effect(ActorSystem, make("layerProcess", options, { fiber: [], process: options }, "process"))

  /**
   * Actors on other machines, in children of the runners there. What crosses is copied, and must be plain data or typed
   * arrays. A runner that is gone, or cannot be reached, is to them as a process that exited: they begin anew on another.
   * Fails when no runner is there in time, or all refuse us.
   */
  static readonly layerRunner = (options: RunnerSystemOptions): Layer.Layer<ActorSystem, SystemFailure> =>
    Layer.effect(ActorSystem, make("layerRunner", options, { fiber: [], runner: options }, "runner"))

  /**
   * Several placements, chosen per `spawn`; `placement` is for those that do not choose (default: the first given of
   * `thread`, `process`, `runner`, `fiber`).
   */
  static readonly layer = <const B extends ReadonlyArray<Behavior<unknown>> = readonly []>(
    options: SystemOptions & {
      readonly fiber?: B
      readonly thread?: ThreadHostOptions
      readonly process?: ProcessHostOptions
      readonly runner?: RunnerHostOptions
      readonly placement?: Placement
    }
  ): Layer.Layer<ActorSystem, SystemFailure, Exclude<Services<B>, ActorSystem>> => {
    const standard = (["thread", "process", "runner"] as const).find((one) => options[one] !== undefined) ?? "fiber"
    // Without `fiber`, `B` is the empty list.
    const fiber = (options.fiber ?? []) as B
    return Layer.effect(
      ActorSystem,
      make("layer", options, { ...options, fiber }, options.placement ?? standard)
    )
  }
}

const systemRules = {
  askDeadline: Options.wait,
  mailbox: Options.whole(1),
  grace: Options.delay,
  supervision: Supervision.check,
  checks: Options.boolean,
  observer: { answered: Options.callable, happened: Options.callable }
} satisfies Record<keyof SystemOptions, unknown>

const remoteRules = {
  hosts: Options.whole(1),
  buildId: Options.text,
  startDeadline: Options.delay,
  spares: Options.wholeBetween(0, 64),
  heartbeat: Options.span,
  wrapLink: Options.callable,
  entry: Options.required(Options.such((value) => value instanceof URL, "a URL")),
  execArgv: Options.texts
} satisfies Record<keyof RemoteSystemOptions | "entry" | "execArgv", unknown>

const threadRules = {
  ...remoteRules,
  hosts: Options.inTurn(Options.whole(1), Options.wholeBetween(1, mostOthers)),
  resourceLimits: {
    maxYoungGenerationSizeMb: Options.positive,
    maxOldGenerationSizeMb: Options.positive,
    codeRangeSizeMb: Options.positive,
    stackSizeMb: Options.positive
  } satisfies Record<keyof Required<ThreadHostOptions>["resourceLimits"], unknown>,
  spin: Options.wait,
  handOvers: Options.such((value) => value instanceof BigInt64Array, "what HandOvers.make gives")
} satisfies Record<keyof ThreadHostOptions, unknown>

const processRules = {
  ...remoteRules,
  mute: Options.boolean,
  told: Options.text,
  memoryLimit: { heap: Options.positive, resident: Options.positive } satisfies Record<
    keyof ProcessLink.MemoryLimit,
    unknown
  >
} satisfies Record<keyof ProcessHostOptions, unknown>

const addresses = Options.such(
  (value) =>
    value instanceof RunnerDirectory.RunnerDirectory ||
    (Array.isArray(value) && value.length > 0 &&
      value.every((one) => typeof one === "string" && RunnerDirectory.parse(one) !== undefined)),
  "a list of addresses such as \"10.0.0.5:4100\""
)

const secret = Options.such(
  (value) => {
    if (!Redacted.isRedacted(value)) return false
    const text = Redacted.value(value)
    return typeof text === "string" && text.length >= Handshake.shortestSecret
  },
  `a redacted text of ${Handshake.shortestSecret} characters at least`
)

const runnerRules = {
  hosts: Options.whole(1),
  startDeadline: Options.delay,
  heartbeat: Options.span,
  wrapLink: Options.callable,
  runners: Options.required(addresses),
  secret: Options.required(secret),
  build: Options.required(Options.text),
  system: Options.name,
  term: Options.whole(0),
  need: Options.text,
  lease: Options.delayFrom(100),
  fence: Options.boolean,
  runnerDeadline: Options.delay,
  ca: Options.text,
  notice: Options.callable
} satisfies Record<keyof RunnerHostOptions, unknown>

/** What the layer of each kind takes. */
const layerRules = {
  layerFiber: systemRules,
  layerThread: { ...systemRules, ...threadRules },
  layerProcess: { ...systemRules, ...processRules },
  layerRunner: { ...systemRules, ...runnerRules },
  layer: {
    ...systemRules,
    fiber: Options.such(Array.isArray, "a list of behaviors"),
    thread: threadRules,
    process: processRules,
    runner: runnerRules,
    placement
  }
} satisfies Record<string, Options.Rules>

/** What a system is made of, by placement. */
interface Parts<B> {
  readonly fiber: B
  readonly thread?: ThreadHostOptions
  readonly process?: ProcessHostOptions
  readonly runner?: RunnerHostOptions
}

/** How hosts of each placement are made. */
const opening = {
  thread: (options: ThreadHostOptions) => ({ ...options, opener: ThreadLink.open(options), entry: options.entry.href }),
  process: (options: ProcessHostOptions) => ({
    ...options,
    opener: ProcessLink.open(options),
    entry: options.entry.href
  }),
  runner: (options: RunnerHostOptions, traffic: RunnerLink.RunnerLinkOptions["traffic"]) => {
    const found = Duration.toMillis(options.runnerDeadline ?? "60 seconds")
    const opener = RunnerLink.open({
      directory: options.runners instanceof RunnerDirectory.RunnerDirectory
        ? options.runners
        // Checked by the rules.
        : new RunnerDirectory.RunnerDirectory(options.runners.flatMap((one) => RunnerDirectory.parse(one) ?? [])),
      secret: Redacted.value(options.secret),
      facts: Handshake.factsOf(options.build),
      system: options.system ?? Handshake.nonce(),
      term: options.term ?? 1,
      need: options.need ?? "",
      leaseMillis: Duration.toMillis(options.lease ?? "2 seconds"),
      fence: options.fence ?? true,
      waitMillis: found,
      ca: options.ca,
      notice: options.notice ?? (() => {}),
      traffic
    })
    // To wait for a runner is none of a host's own start.
    const startDeadline = found + Duration.toMillis(options.startDeadline ?? usualStart)
    return { ...options, opener, startDeadline, entry: "on a runner" }
  }
} satisfies Record<RemotePlacement, (options: never, traffic: never) => Opening>

/** What all of them come to. */
interface Opening extends RemoteSystemOptions {
  readonly opener: OpenLink
  /** What is started, for people. */
  readonly entry: string
}

const usualStart = "30 seconds"

const remoteHosts = (
  placement: RemotePlacement,
  options: Opening,
  publish: (event: LifecycleEvent) => void,
  loop: EventLoop,
  called: RemoteOptions["called"]
) => {
  const open = options.wrapLink?.(options.opener) ?? options.opener
  const spares = (options.spares ?? 0) > 0 ? new Spares(open, options.spares ?? 0, loop) : undefined
  const hosts = Array.from({ length: options.hosts ?? 1 }, (_, index) =>
    new RemoteHost({
      index,
      placement,
      entry: options.entry,
      open: spares?.open ?? open,
      buildId: options.buildId,
      startMillis: Duration.toMillis(options.startDeadline ?? usualStart),
      heartbeatMillis: Duration.toMillis(options.heartbeat ?? "30 seconds"),
      publish,
      called,
      loop
    }))
  return { hosts, spares }
}

/** Builds the system; its hosts are up when this succeeds, and gone when the scope is, whatever ends it. */
const make = <B extends ReadonlyArray<Behavior<unknown>>>(
  kind: keyof typeof layerRules,
  options: SystemOptions,
  { fiber, process, runner, thread }: Parts<B>,
  standard: Placement
): Effect.Effect<Shape, SystemFailure, Scope.Scope | Exclude<Services<B>, ActorSystem>> =>
  Effect.gen(function*() {
    const function_ = `ActorSystem.${kind}`
    const invalid = Options.check(function_, options, layerRules[kind]) ??
      ambiguous(function_, kind === "layer" ? "fiber" : "behaviors", fiber)
    if (invalid !== undefined) return yield* invalid
    const context = yield* Effect.context<Exclude<Services<B>, ActorSystem>>()
    // What the context lacks of the behaviors' needs is the system itself; it is added before the first of them starts.
    const complete = () => Context.add(context, ActorSystem, shape) as Context.Context<Services<B>>
    const traffic = (way: "sent" | "received", bytes: number): void =>
      telemetry.metrics[way === "sent" ? "sentBytes" : "receivedBytes"].updateUnsafe(bytes, context)
    const system = new System(context, options, (publish, loop, called) => {
      const threads = thread && remoteHosts("thread", opening.thread(thread), publish, loop, called)
      const processes = process && remoteHosts("process", opening.process(process), publish, loop, called)
      const runners = runner && remoteHosts("runner", opening.runner(runner, traffic), publish, loop, called)
      return {
        fiber: fiber.length > 0
          ? [new FiberHost(0, behaviorsByName(fiber), loop, complete, options.checks ?? true)]
          : [],
        thread: threads?.hosts ?? [],
        process: processes?.hosts ?? [],
        runner: runners?.hosts ?? [],
        spares: [threads?.spares, processes?.spares, runners?.spares].filter((spares) => spares !== undefined)
      }
    })
    const shape = Talk.make(
      { home: system.home, address: (at) => system.addresses.address(at) },
      serve(system, standard)
    )
    systems.set(shape, system)
    yield* Effect.addFinalizer(() => system.close)
    yield* Effect.forEach(remoteHostsOf(system.hosts), (host) => host.start(system.supervision), {
      concurrency: "unbounded"
    })
    for (const spares of system.hosts.spares) spares.fill()
    return shape
  })

const systems = new WeakMap<Shape, System>()

/** What a service serves, for who looks on while it runs (`troupe/testing`). */
export const systemOf = (shape: Shape): System | undefined => systems.get(shape)

/** The system for who is none of its actors. */
const serve = (system: System, standard: Placement): Shape => {
  const reference = <D extends Any>(guardian: Guardian, definition: D) =>
    ActorRef.make(guardian, definition, system.askMillis)

  const find = (actor: Named): Effect.Effect<Guardian, ActorNotFound> =>
    Effect.suspend(() => {
      const to = typeof actor === "string" ? system.get(actor) : ActorRef.addressOf(actor)
      const guardian = to instanceof Guardian ? to : undefined
      const name = typeof actor === "string" ? actor : actor.name
      if (guardian !== undefined && guardian.home !== system.home) return Effect.fail(Talk.elsewhere(name))
      return guardian === undefined ? Effect.fail(new ActorNotFound({ actor: name })) : Effect.succeed(guardian)
    })

  const alive = (actor: Named): Effect.Effect<Guardian, ActorNotFound> =>
    Effect.filterOrFail(
      find(actor),
      (guardian) => guardian.status !== "ended",
      (guardian) => new ActorNotFound({ actor: guardian.name })
    )

  const lookup: Shape["lookup"] = (definition, name) =>
    Effect.flatMap(find(name), (guardian) =>
      isOf(guardian, definition)
        ? Effect.succeed(reference(guardian, definition))
        : Effect.fail(new ActorNotFound({ actor: `${name} (${definition.actorName})` })))

  const spawn: Shape["spawn"] = (definition, options) =>
    Effect.gen(function*() {
      const invalid = noDefinition("ActorSystem.spawn", definition) ??
        Options.check("ActorSystem.spawn", options, spawnRules) ??
        unattached(options.onFailure)
      if (invalid !== undefined) return yield* invalid
      const scope = yield* Effect.scope
      const guardian = yield* Effect.uninterruptible(Effect.gen(function*() {
        const guardian = yield* system.spawn(definition, { ...options, placement: options.placement ?? standard })
        yield* Scope.addFinalizerExit(scope, ending(system, guardian, graceOf(system, options.grace)))
        return guardian
      }))
      yield* guardian.firstStart.pipe(
        Effect.mapError((death) => new StartFailed({ actor: guardian.name, death })),
        // Nobody will ever have its reference: it leaves now, and not with the scope, and its name is free.
        Effect.onInterrupt(() => system.stop(guardian, 0))
      )
      return reference(guardian, definition)
    })

  return {
    spawn,
    spawnOrGet: (definition, options) =>
      Effect.suspend(() =>
        system.get(options.name) === undefined
          ? Effect.mapError(spawn(definition, options), (failure): ActorNotFound | SpawnFailure => failure)
          : lookup(definition, options.name)
      ),
    lookup,
    actors: Effect.sync(() => system.actors),
    ended: Effect.sync(() => [...system.ended]),
    watch: (actor) => Effect.flatMap(find(actor), (guardian) => guardian.end),
    stop: (actor) => Effect.flatMap(alive(actor), (guardian) => system.stop(guardian, system.graceMillis)),
    kill: (actor, how = "terminate") =>
      Effect.flatMap(alive(actor), (guardian): Effect.Effect<void, InvalidOption> => {
        const rules = { how: Options.oneOf(...Fault.possible[guardian.host.placement]) }
        const invalid = Options.check(`ActorSystem.kill of a ${guardian.host.placement}`, { how }, rules)
        return invalid === undefined ? guardian.host.kill(guardian, how) : Effect.fail(invalid)
      }),
    events: Stream.fromPubSub(system.events)
  }
}

/** There is no parent here who could fail with its child. */
const unattached = (onFailure: "ignore" | "fail me" | undefined): InvalidOption | undefined =>
  onFailure === "fail me"
    ? Options.invalid("ActorSystem.spawn", "onFailure", "left out, where no actor spawns", onFailure)
    : undefined

/** Where only the hosts know a kind, its name must do. */
const isOf = ({ definition: its }: Guardian, definition: Any): boolean =>
  its.methods === definition.methods || (its instanceof Unknown && its.actorName === definition.actorName)

/**
 * Only an orderly ending is given time: who is interrupted or failing has none to wait for each actor in turn. It stands
 * here so that it holds no more than it needs, for as long as the actor lives.
 */
const ending = (system: System, guardian: Guardian, grace: number) => (exit: Exit.Exit<unknown, unknown>) =>
  system.stop(guardian, Exit.isSuccess(exit) ? grace : 0)

const graceOf = (system: System, grace: Duration.Input | undefined): number =>
  grace === undefined ? system.graceMillis : Duration.toMillis(grace)

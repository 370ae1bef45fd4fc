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
 * ```
 */
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Any, Behavior, Services } from "./Actor.ts"
import * as ActorRef from "./ActorRef.ts"
import { ActorNotFound, type HostStartFailed, type SpawnFailure, StartFailed } from "./errors.ts"
import { behaviorsByName, FiberHost } from "./FiberHost.ts"
import type { Ended, Guardian } from "./Guardian.ts"
import type { LifecycleEvent } from "./LifecycleEvent.ts"
import { RemoteHost } from "./RemoteHost.ts"
import { Spare } from "./Spare.ts"
import type { Supervision } from "./Supervision.ts"
import { type ActorInfo, type Hosts, System, type SystemOptions } from "./System.ts"
import * as ThreadLink from "./ThreadLink.ts"

export type { ActorInfo, Ended, SystemOptions }

/** An actor by its reference, or the living one by its name. */
export type Named = string | ActorRef.AnyRef

export type SpawnOptions<D extends Any> =
  & {
    /** Unique among the living actors of the system. Default: the definition's name and a number. */
    readonly name?: string
    readonly supervision?: Supervision
    /** Unanswered messages it takes before senders wait. */
    readonly mailbox?: number
    /** Which host of its placement, from 0. Default: the one with the fewest actors. */
    readonly host?: number
    /** In a system with both placements: where. Default: the system's own. */
    readonly placement?: "fiber" | "thread"
    /** How long it may take to end when its scope closes. */
    readonly grace?: Duration.Input
  }
  & ([D["config"]["Type"]] extends [void] ? { readonly config?: undefined } : { readonly config: D["config"]["Type"] })

export interface ThreadSystemOptions extends SystemOptions, ThreadLink.ThreadOptions {
  /** How many threads. Default 1. */
  readonly hosts?: number
  /** What the entry must have been built from; see `ActorHost.launch`. */
  readonly buildId?: string
  /** How long a thread may take until it is ready. Default 30 s. */
  readonly startDeadline?: Duration.Input
  /**
   * Threads kept ready to take the place of one that dies: a restart then takes milliseconds instead of the start of a
   * thread. 0 or 1. Default 0: a spare costs the memory and the start of a thread.
   */
  readonly spares?: 0 | 1
  /**
   * How long a thread may give no sign of life before it is taken for wedged, terminated and replaced. A handler that
   * computes longer than this in one go needs more. Default 30 s; `"Infinity"` to wait for ever.
   */
  readonly heartbeat?: Duration.Input
}

export interface Shape {
  /**
   * Starts an actor and waits until its first incarnation serves. It stops when the scope closes: the message in hand
   * is finished (within the grace), what was not yet handled fails with `ActorStopped`.
   */
  readonly spawn: <D extends Any>(
    definition: D,
    options: SpawnOptions<D>
  ) => Effect.Effect<ActorRef.ActorRef<D>, SpawnFailure, Scope.Scope>
  /** A reference to the living actor of this name and definition. */
  readonly lookup: <D extends Any>(
    definition: D,
    name: string
  ) => Effect.Effect<ActorRef.ActorRef<D>, ActorNotFound>
  /** The living actors. */
  readonly actors: Effect.Effect<ReadonlyArray<ActorInfo>>
  /** Waits for the end of the actor; completes at once when a reference's actor has ended already. */
  readonly watch: (actor: Named) => Effect.Effect<Ended, ActorNotFound>
  /** Stops the actor before its scope does. */
  readonly stop: (actor: Named) => Effect.Effect<void, ActorNotFound>
  /**
   * Kills what is under the actor now, in the middle of whatever it does: its host thread, with all that live there, or
   * its fiber. Completes when that is gone; supervision takes it from there. For tests and fault injection.
   */
  readonly kill: (actor: Named) => Effect.Effect<void, ActorNotFound>
  /** What happens from now on. */
  readonly events: Stream.Stream<LifecycleEvent>
}

export class ActorSystem extends Context.Service<ActorSystem, Shape>()("troupe/actors/ActorSystem") {
  /** `spawn` of the system in context. */
  static readonly spawn = <D extends Any>(
    definition: D,
    options: SpawnOptions<D>
  ): Effect.Effect<ActorRef.ActorRef<D>, SpawnFailure, Scope.Scope | ActorSystem> =>
    Effect.flatMap(ActorSystem, (system) => system.spawn(definition, options))

  /** Actors as fibers of this thread. Their behaviours may use this very system, to ask or spawn others. */
  static readonly layerFiber = <const B extends ReadonlyArray<Behavior<unknown>>>(
    behaviors: B,
    options: SystemOptions = {}
  ): Layer.Layer<ActorSystem, never, Exclude<Services<B>, ActorSystem>> =>
    Layer.effect(
      ActorSystem,
      // No thread, so none that might not come up.
      Effect.orDie(make(options, behaviors, () => ({ local: [], remote: [] }), "fiber"))
    )

  /** Actors in worker threads. Fails when one of them does not come up. */
  static readonly layerThread = (options: ThreadSystemOptions): Layer.Layer<ActorSystem, HostStartFailed> =>
    Layer.effect(ActorSystem, make(options, [], (publish) => threadHosts(options, publish), "thread"))

  /** Both, chosen per `spawn`; `placement` is for those that do not choose (default `thread`). */
  static readonly layer = <const B extends ReadonlyArray<Behavior<unknown>>>(
    options: SystemOptions & {
      readonly fiber: B
      readonly thread: Omit<ThreadSystemOptions, keyof SystemOptions>
      readonly placement?: "fiber" | "thread"
    }
  ): Layer.Layer<ActorSystem, HostStartFailed, Exclude<Services<B>, ActorSystem>> =>
    Layer.effect(
      ActorSystem,
      make(options, options.fiber, (publish) => threadHosts(options.thread, publish), options.placement ?? "thread")
    )
}

const threadHosts = (
  options: Omit<ThreadSystemOptions, keyof SystemOptions>,
  publish: (event: LifecycleEvent) => void
): Hosts => {
  const open = ThreadLink.open(options)
  const spare = options.spares === 1 ? new Spare(open) : undefined
  const remote = Array.from({ length: options.hosts ?? 1 }, (_, index) =>
    new RemoteHost({
      index,
      entry: options.entry.href,
      open: spare?.open ?? open,
      buildId: options.buildId,
      startMillis: Duration.toMillis(options.startDeadline ?? "30 seconds"),
      heartbeatMillis: Duration.toMillis(options.heartbeat ?? "30 seconds"),
      publish
    }))
  return { local: [], remote, spare }
}

/** Builds the system; its hosts are up when this succeeds, and gone when the scope is, whatever ends it. */
const make = <B extends ReadonlyArray<Behavior<unknown>>>(
  options: SystemOptions,
  behaviors: B,
  remote: (publish: (event: LifecycleEvent) => void) => Hosts,
  standard: "fiber" | "thread"
): Effect.Effect<Shape, HostStartFailed, Scope.Scope | Exclude<Services<B>, ActorSystem>> =>
  Effect.gen(function*() {
    const context = yield* Effect.context<Exclude<Services<B>, ActorSystem>>()
    // What the context lacks of the behaviours' needs is the system itself; it is added before the first of them starts.
    const complete = () => Context.add(context, ActorSystem, shape) as Context.Context<Services<B>>
    const system = new System(context, options, (publish) => ({
      ...remote(publish),
      local: behaviors.length > 0 ? [new FiberHost(0, behaviorsByName(behaviors), complete)] : []
    }))
    const shape = serve(system, standard)
    yield* Effect.addFinalizer(() => system.close)
    yield* Effect.forEach(system.hosts.remote, (host) => host.start, { concurrency: "unbounded" })
    system.hosts.spare?.fill()
    return shape
  })

const serve = (system: System, standard: "fiber" | "thread"): Shape => {
  const reference = <D extends Any>(guardian: Guardian, definition: D) =>
    ActorRef.make(guardian, definition, system.askMillis)

  const find = (actor: Named): Effect.Effect<Guardian, ActorNotFound> =>
    Effect.suspend(() => {
      const guardian = typeof actor === "string" ? system.get(actor) : ActorRef.guardianOf(actor)
      const name = typeof actor === "string" ? actor : actor.name
      return guardian === undefined ? Effect.fail(new ActorNotFound({ actor: name })) : Effect.succeed(guardian)
    })

  const alive = (actor: Named): Effect.Effect<Guardian, ActorNotFound> =>
    Effect.filterOrFail(
      find(actor),
      (guardian) => guardian.status !== "ended",
      (guardian) => new ActorNotFound({ actor: guardian.name })
    )

  return {
    spawn: (definition, options) =>
      Effect.gen(function*() {
        const guardian = yield* Effect.acquireRelease(
          Effect.suspend(() => system.spawn(definition, { placement: standard, ...options })),
          // Only an orderly ending is given time: who is interrupted or failing has none to wait for each actor in turn.
          (guardian, exit) => system.stop(guardian, Exit.isSuccess(exit) ? graceOf(system, options.grace) : 0)
        )
        yield* Effect.mapError(
          Deferred.await(guardian.firstStart),
          (death) => new StartFailed({ actor: guardian.name, death })
        )
        return reference(guardian, definition)
      }),
    lookup: (definition, name) =>
      Effect.flatMap(find(name), (guardian) =>
        guardian.definition.methods === definition.methods
          ? Effect.succeed(reference(guardian, definition))
          : Effect.fail(new ActorNotFound({ actor: `${name} (${definition.actorName})` }))),
    actors: Effect.sync(() => system.actors),
    watch: (actor) => Effect.flatMap(find(actor), (guardian) => Deferred.await(guardian.end)),
    stop: (actor) => Effect.flatMap(alive(actor), (guardian) => system.stop(guardian, system.graceMillis)),
    kill: (actor) => Effect.flatMap(alive(actor), (guardian) => guardian.host.kill(guardian)),
    events: Stream.fromPubSub(system.events)
  }
}

const graceOf = (system: System, grace: Duration.Input | undefined): number =>
  grace === undefined ? system.graceMillis : Duration.toMillis(grace)

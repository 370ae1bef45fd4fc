/**
 * The owner of actors on some hosts: names, guardians, deadlines, events and the end of it all. `ActorSystem` is the
 * service that gives it to programs.
 */
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as PubSub from "effect/PubSub"
import { deadline } from "../../time/deadline.ts"
import { Death } from "../Death.ts"
import { NameTaken, type SpawnFailure, StartFailed } from "../errors.ts"
import * as EventLoop from "../EventLoop.ts"
import type { Host } from "../hosts/Host.ts"
import type { RemoteHost, RemoteOptions } from "../hosts/RemoteHost.ts"
import { homes } from "../InHand.ts"
import type { LifecycleEvent } from "../LifecycleEvent.ts"
import { nonce } from "../links/Handshake.ts"
import type { Spares } from "../links/Spares.ts"
import * as Codec from "../messages/Codec.ts"
import type { Known } from "../messages/requests.ts"
import type { Observer } from "../Observer.ts"
import type { Placement, RemotePlacement } from "../Placement.ts"
import * as Supervision from "../Supervision.ts"
import * as telemetry from "../telemetry.ts"
import { Addresses } from "./Addresses.ts"
import { Alarms } from "./Alarms.ts"
import type { Asking } from "./Calls.ts"
import type { Ended } from "./Ended.ts"
import { Guardian, type MessageInHand, type Status } from "./Guardian.ts"
import { Office } from "./Office.ts"
import { Siblings } from "./Siblings.ts"
import type { Surroundings } from "./Surroundings.ts"
import { Sweeper } from "./Sweeper.ts"

export interface SystemOptions {
  /** How long an ask waits unless it says otherwise. Default 60 s. */
  readonly askDeadline?: Duration.Input
  /** Unanswered messages an actor takes before senders wait. Default 1024. */
  readonly mailbox?: number
  /** How long an actor may take to end when it is asked to, before it is ended. Default 100 ms. */
  readonly grace?: Duration.Input
  /**
   * Supervision of actors that are spawned without, and of hosts that die before they are ready. Default: one-for-one, five
   * restarts a minute.
   */
  readonly supervision?: Supervision.Supervision
  /**
   * Whether what is said between fibers is checked against its schemas too, as it always is where it crosses a border: so
   * that who sends or answers what does not fit is told so, wherever the other one lives. Default: true.
   */
  readonly checks?: boolean
  /** Watches every message and every event, for timelines and the like. Default: nobody. */
  readonly observer?: Observer
}

export interface Place {
  readonly name?: string
  readonly config?: unknown
  readonly supervision?: Supervision.Supervision
  readonly mailbox?: number
  readonly host?: number
  readonly placement: Placement
  /** Is told of it before it is begun. */
  readonly adopt?: (guardian: Guardian) => void
}

/** The hosts of each placement, in the order of their numbers. */
export interface Hosts extends Readonly<Record<RemotePlacement, ReadonlyArray<RemoteHost>>> {
  readonly fiber: ReadonlyArray<Host & { definition(name: string): Known | undefined }>
  readonly spares: ReadonlyArray<Spares>
}

/** Those behind a link. */
export const remoteHostsOf = ({ process, runner, thread }: Hosts): ReadonlyArray<RemoteHost> => [
  ...thread,
  ...process,
  ...runner
]

/** One line about a living actor. */
export interface ActorInfo {
  readonly name: string
  readonly definition: string
  readonly status: Status
  readonly incarnation: number
  readonly restarts: number
  /** Messages taken and not yet answered. */
  readonly unanswered: number
  /** What it is at work on, as far as its owner knows; `undefined` when it is idle, or has no incarnation at the time. */
  readonly message: MessageInHand | undefined
  /** Whom that waits for: who asks whom. */
  readonly asks: ReadonlyArray<Asking>
  /** How many messages it has taken that it will answer later. */
  readonly later: number
  /** The name of the actor that has spawned it; `undefined` where the program did. */
  readonly parent: string | undefined
  /** How many timers it has set that are still to come. */
  readonly timers: number
  /**
   * Bytes that wait to go to its host, where that is on another machine: more than a few, and the way there is slower than
   * what is sent.
   */
  readonly queuedBytes: number
  readonly host: number
  readonly placement: Placement
}

/** How an actor ended, and what it was. */
export type EndedActor = Ended & {
  readonly name: string
  readonly definition: string
  readonly incarnation: number
  readonly host: number
  readonly placement: Placement
}

/** So many ends are remembered. */
const mostEnded = 100

/** Of this thread, and of no other that there was: in a container each program may have the same process number. */
const program = nonce().slice(0, 12)

let systems = 0

export class System {
  readonly events = Effect.runSync(PubSub.unbounded<LifecycleEvent>())
  readonly askMillis: number
  readonly graceMillis: number
  private readonly mailbox: number
  readonly supervision: Supervision.Supervision
  readonly hosts: Hosts
  /** The last ends, the latest last. */
  readonly ended: Array<EndedActor> = []
  readonly addresses = new Addresses((name) => this.guardians.get(name))
  private readonly office: Office
  /** What it is called where its references come to. */
  private readonly tag = `${program}/${++systems}`
  private readonly guardians = new Map<string, Guardian>()
  private readonly fibers = new Set<Fiber.Fiber<void>>()
  private readonly surroundings: Surroundings
  private readonly sweeper: Sweeper
  private readonly alarms: Alarms
  private readonly groups = new WeakMap<Supervision.Supervision, Siblings>()
  private readonly fork: (effect: Effect.Effect<void>) => void
  private readonly run: (effect: Effect.Effect<unknown>) => Fiber.Fiber<unknown>
  private readonly loop: EventLoop.EventLoop
  private closed = false
  private lastId = 0
  /** When an actor of a host last overstayed its grace: the next ones of that host are not waited for again. */
  private readonly overstayed = new Map<Host, number>()

  constructor(
    context: Context.Context<never>,
    options: SystemOptions,
    hosts: (
      publish: (event: LifecycleEvent) => void,
      loop: EventLoop.EventLoop,
      called: RemoteOptions["called"]
    ) => Hosts
  ) {
    const run = Effect.runForkWith(context)
    const observer = telemetry.observerOf(context, options.observer)
    const publish = (event: LifecycleEvent): void => {
      telemetry.count(event, context)
      observer?.happened(event, this.surroundings.now())
      PubSub.publishUnsafe(this.events, event)
    }
    this.askMillis = Duration.toMillis(options.askDeadline ?? "60 seconds")
    this.graceMillis = Duration.toMillis(options.grace ?? "100 millis")
    this.mailbox = options.mailbox ?? 1024
    this.supervision = options.supervision ?? Supervision.oneForOne()
    this.run = run
    this.loop = Context.get(context, EventLoop.EventLoop)
    this.hosts = hosts(publish, this.loop, (...call) => this.addresses.called(...call))
    const time = EventLoop.timeOf(context)
    this.alarms = new Alarms(time)
    this.sweeper = new Sweeper(time, (now, paused) => {
      let next = Number.POSITIVE_INFINITY
      for (const guardian of this.guardians.values()) next = Math.min(next, guardian.expire(now, paused))
      return next
    })
    this.fork = (effect) => {
      if (this.closed) return
      const fiber = run(effect)
      this.fibers.add(fiber)
      fiber.addObserver(() => this.fibers.delete(fiber))
    }
    this.office = new Office(this, this.addresses, this.fork)
    homes.set(this.tag, (at) => this.addresses.address(at))
    this.surroundings = {
      now: time.now,
      alarms: this.alarms,
      checks: options.checks ?? true,
      observer,
      publish,
      expect: (expires) => this.sweeper.expect(expires),
      askMillis: this.askMillis,
      serve: (...request) => this.office.serve(...request),
      system: this.tag,
      referred: (guardian) => this.addresses.note(guardian),
      ended: (guardian, ended) => {
        this.addresses.ended(guardian)
        if (this.guardians.get(guardian.name) === guardian) this.guardians.delete(guardian.name)
        const { definition, host: { index, placement }, incarnation, name } = guardian
        this.ended.push({ ...ended, name, definition: definition.actorName, incarnation, host: index, placement })
        if (this.ended.length > mostEnded) this.ended.shift()
      }
    }
  }

  /** What its actors call their system. */
  get home(): object {
    return this.surroundings
  }

  /** The definition that a fiber beside us serves under this name. */
  definitionOf(name: string, placement: Placement): Known | undefined {
    return placement === "fiber" ? this.hosts.fiber[0]?.definition(name) : undefined
  }

  get(name: string): Guardian | undefined {
    return this.guardians.get(name)
  }

  /** Takes the name and places the first incarnation. */
  spawn(definition: Known, place: Place): Exit.Exit<Guardian, SpawnFailure> {
    const id = ++this.lastId
    const name = place.name ?? `${definition.actorName}/${id}`
    if (this.guardians.has(name)) return Exit.fail(new NameTaken({ actor: name }))
    const cannot = (message: string) =>
      Exit.fail(new StartFailed({ actor: name, death: new Death({ kind: "StartFailed", message }) }))
    if (this.closed) return cannot("the system is closed")
    const host = this.choose(place)
    if (typeof host === "string") return cannot(host)
    let config = place.config
    if (host.border) {
      const encoded = definition.configCodec.encode(config)
      if (Exit.isFailure(encoded)) return cannot(misfitting(Codec.reason(encoded)))
      config = encoded.value
    } else if (this.surroundings.checks) {
      const misfit = definition.configCodec.misfit(config)
      if (misfit !== undefined) return cannot(misfitting(misfit))
    }
    const guardian = new Guardian({
      id,
      name,
      definition,
      config,
      host,
      siblings: this.siblingsOf(place.supervision ?? this.supervision),
      capacity: place.mailbox ?? this.mailbox,
      surroundings: this.surroundings
    })
    this.guardians.set(name, guardian)
    place.adopt?.(guardian)
    guardian.place()
    return Exit.succeed(guardian)
  }

  /** One-for-one stands alone; the others are one group per value. */
  private siblingsOf(supervision: Supervision.Supervision): Siblings {
    const known = this.groups.get(supervision)
    if (known !== undefined) return known
    const siblings = new Siblings(supervision, this.surroundings.now, this.fork)
    if (supervision.strategy !== "one-for-one") this.groups.set(supervision, siblings)
    return siblings
  }

  private choose({ host, placement }: Place): Host | string {
    const eligible: ReadonlyArray<Host> = this.hosts[placement]
    if (host !== undefined) {
      return eligible[host] ?? `there is no ${placement} host ${host}; there are ${eligible.length}`
    }
    let best = eligible[0]
    for (const candidate of eligible) if (best === undefined || candidate.population < best.population) best = candidate
    return best ?? `the system has no ${placement} placement`
  }

  /** Asks the actor to end; ends it after its grace. */
  stop(guardian: Guardian, graceMillis: number): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      const { host } = guardian
      guardian.stop()
      if (guardian.status === "ended") return
      const recently = this.loop.now() - (this.overstayed.get(host) ?? Number.NEGATIVE_INFINITY) < 1000
      if (graceMillis > 0 && !(host.border && recently)) {
        if (yield* this.within(guardian.end, graceMillis)) return
        this.overstayed.set(host, this.loop.now())
      }
      // What lives beside us can be seen off; what lives behind a border is told, and not heard any more.
      const gone = host.border ? undefined : this.within(host.kill(guardian, "terminate"), this.graceMillis)
      guardian.abort()
      if (gone !== undefined) yield* gone
    })
  }

  get actors(): ReadonlyArray<ActorInfo> {
    return [...this.guardians.values()].map((guardian) => ({
      name: guardian.name,
      definition: guardian.definition.actorName,
      status: guardian.status,
      incarnation: guardian.incarnation,
      restarts: guardian.restarts,
      unanswered: guardian.unanswered,
      message: guardian.messageInHand,
      asks: guardian.asks,
      later: guardian.later.length,
      parent: guardian.parent?.name,
      timers: guardian.timerCount,
      queuedBytes: guardian.host.queued,
      host: guardian.host.index,
      placement: guardian.host.placement
    }))
  }

  /** Ends all actors, then the hosts, within about the grace; nothing is left behind. */
  get close(): Effect.Effect<void> {
    return Effect.gen({ self: this }, function*() {
      this.closed = true
      homes.delete(this.tag)
      this.sweeper.close()
      this.alarms.close()
      for (const fiber of this.fibers) fiber.interruptUnsafe()
      const all = [...this.guardians.values()]
      for (const guardian of all) guardian.stop()
      const each = { concurrency: "unbounded", discard: true } as const
      yield* Effect.all([
        Effect.forEach(
          all,
          (guardian) => guardian.host.border ? Effect.void : this.stop(guardian, this.graceMillis),
          each
        ),
        Effect.forEach(remoteHostsOf(this.hosts), (host) => host.close(this.graceMillis), each),
        Effect.forEach(this.hosts.spares, (kept) => kept.close, each)
      ], each)
      for (const guardian of all) guardian.abort()
      yield* PubSub.shutdown(this.events)
    })
  }

  /**
   * Whether `effect` completes in time. The loop's time, whatever clock the program runs by: this bounds how long an
   * ending takes.
   */
  private within(effect: Effect.Effect<unknown>, millis: number): Effect.Effect<boolean> {
    return Effect.callback((resume) => {
      const fiber = this.run(effect)
      const callOff = deadline(this.loop, millis, () => {
        resume(Effect.succeed(false))
        fiber.interruptUnsafe()
      })
      fiber.addObserver(() => {
        callOff()
        resume(Effect.succeed(true))
      })
    })
  }
}

const misfitting = (reason: string): string => `its config does not fit its schema: ${reason}`

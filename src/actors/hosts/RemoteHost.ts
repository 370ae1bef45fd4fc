/**
 * A host on the other side of a link, as its owner sees it: a slot that outlives its threads.
 *
 * It decodes replies, gathers a tick's messages into one batch, starts a new link when the old one
 * has exited and somebody lives here, and watches that the other side gives signs of life. The fence is here: actors are
 * placed on a new link only after the old one's `exited`.
 *
 * The other side is told nothing before it has said that it is of the right build, and not heard before that, nor after
 * its end was decided: so no stranger's work is ever committed.
 */
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { deadline } from "../../time/deadline.ts"
import { Death, fromUnknown } from "../Death.ts"
import { HostStartFailed } from "../errors.ts"
import type { EventLoop } from "../EventLoop.ts"
import type { Fault } from "../Fault.ts"
import type { LifecycleEvent } from "../LifecycleEvent.ts"
import type { Command, HostLink, JournalWord, OpenLink, Report, ToldThere, Working } from "../links/HostLink.ts"
import * as Codec from "../messages/Codec.ts"
import { decode } from "../messages/Outcome.ts"
import type { RemotePlacement } from "../Placement.ts"
import * as Supervision from "../Supervision.ts"
import type { Called, Envelope, Host, Tenant, Told } from "./Host.ts"
import { Outbox } from "./Outbox.ts"

export interface RemoteOptions {
  readonly placement: RemotePlacement
  readonly index: number
  /** What is started, for people. */
  readonly entry: string
  readonly open: OpenLink
  readonly buildId: string | undefined
  /** Milliseconds in which the other side must be ready. */
  readonly startMillis: number
  /** Milliseconds without a sign of life after which it counts as wedged; `Infinity` to wait for ever. */
  readonly heartbeatMillis: number
  readonly publish: (event: LifecycleEvent) => void
  /** Whom an actor on the other side calls, by number and name, and with what. */
  readonly called: (id: number, name: string, method: string, payload: unknown) => Called
  readonly loop: EventLoop
}

/** Pings in the time without a sign of life that is allowed. */
const beats = 3

/** Bytes that may wait to be sent: what comes after them waits here, where it can still be called back. */
const mostQueued = 8 * 1024 * 1024

/** Who is to end now may keep the other side from hearing of it: it is given this long (milliseconds) to say something. */
const overdue = 1000

const deathCodec = Codec.make(Death)

export class RemoteHost implements Host {
  readonly index: number
  readonly placement: RemotePlacement
  readonly border = true
  private readonly options: RemoteOptions
  private readonly tenants = new Map<number, Tenant>()
  private link: HostLink | undefined
  private generation = 0
  private ready = false
  private openedAt = 0
  private readonly outbox = new Outbox<Command>(
    (batch) => this.link?.post(batch),
    (command, error) => this.unsendable(command, error instanceof Error ? error.message : String(error))
  )
  /** Whose start lies in the outbox, and of which incarnation; and who of them is to be told nothing any more. */
  private readonly unsaid = new Map<number, number>()
  private readonly forgotten = new Map<number, number>()
  /** Those that are forgotten and may still be at work, with what is to be done when they are not. */
  private readonly leaving = new Map<number, () => void>()
  private ending: Death | undefined
  /** Who was at work when the other side ended, by its own word. */
  private working: ReadonlyMap<number, Working> | undefined
  /** What ended it, by its own word. */
  private lastWord: Death | undefined
  /** Whether the other side is one that cannot be spoken to, such as of another build: its successor would be one too. */
  private stranger = false
  private closing = false
  /** What calls off the start deadline, and the next beat. */
  private startTimer: (() => void) | undefined
  private pulse: (() => void) | undefined
  /** When the last sign of life came. */
  private heardAt = 0
  /** The number of the last ping that was answered. */
  private acknowledged = 0
  private probing = false
  /** Reports heard over the present link. */
  private heard = 0
  private readonly onReady = new Set<(outcome: Exit.Exit<void, Death>) => void>()
  private readonly onExit = new Set<() => void>()

  constructor(options: RemoteOptions) {
    this.options = options
    this.index = options.index
    this.placement = options.placement
  }

  get population(): number {
    return this.tenants.size
  }

  get queued(): number {
    return this.link?.queued ?? 0
  }

  /**
   * Starts the other side and waits until it is ready. One that is killed before is started again, within the limits of
   * `supervision`; one that throws, is of another build or takes too long, is not.
   */
  start(supervision: Supervision.Supervision): Effect.Effect<void, HostStartFailed> {
    const log = new Supervision.RestartLog(supervision)
    const attempt = (deaths: number): Effect.Effect<void, HostStartFailed> =>
      Effect.catch(this.attempt, (death) => {
        const { entry, loop } = this.options
        const failed = ({ message }: Death) =>
          Effect.fail(new HostStartFailed({ host: this.index, entry, reason: message }))
        if (death.kind !== "HostExited" || deaths >= supervision.maxConsecutive) return failed(death)
        const directive = Supervision.directive(supervision, death)
        if (typeof directive !== "string") return failed(directive)
        const restart = directive === "restart" ? log.next(loop.now()) : 0
        return restart === 0 ? failed(death) : log.pause(restart, death).pipe(
          Effect.catchCause((cause) => failed(Supervision.pauseFailed(death, cause))),
          Effect.andThen(attempt(deaths + 1))
        )
      })
    return attempt(1)
  }

  private get attempt(): Effect.Effect<void, Death> {
    return Effect.callback<void, Death>((resume) => {
      if (this.ready) return resume(Effect.void)
      this.onReady.add(resume)
      this.ensureOpen()
      return Effect.sync(() => void this.onReady.delete(resume))
    })
  }

  place(tenant: Tenant): void {
    this.tenants.set(tenant.id, tenant)
    this.ensureOpen()
    this.unsaid.set(tenant.id, tenant.incarnation)
    this.send(["start", {
      actor: tenant.id,
      incarnation: tenant.incarnation,
      definition: tenant.definition.actorName,
      name: tenant.name,
      parent: tenant.parentName,
      system: tenant.system,
      config: tenant.config,
      hasState: tenant.hasState,
      state: tenant.state,
      later: tenant.later,
      taken: tenant.taken
    }])
  }

  deliver({ id, incarnation }: Tenant, { method, payload, seq }: Envelope, journal: JournalWord | undefined): void {
    if (journal === undefined) return this.send(["message", id, incarnation, seq, method.name, payload])
    const { began, calls, lines } = journal
    // As it is now, and not when it is posted: what comes later is told.
    this.send(["message", id, incarnation, seq, method.name, payload, { began, calls, lines: lines.slice() }])
  }

  answered({ id, incarnation }: Tenant, seq: number, call: number, told: Told | undefined): void {
    if (told !== undefined) {
      this.send(["answered", id, incarnation, seq, call, told.kind, told.value, told.at, told.nth])
    }
  }

  withdraw(tenant: Tenant, { method, seq }: Envelope): void {
    this.send(["withdraw", tenant.id, tenant.incarnation, seq])
    if (method.cancellable && tenant.working) this.probe()
  }

  forsake({ id, incarnation }: Tenant, seq: number): void {
    this.send(["forsaken", id, incarnation, seq])
  }

  stop(tenant: Tenant): void {
    if (this.link === undefined) tenant.stopped(tenant.incarnation)
    else this.send(["stop", tenant.id, tenant.incarnation])
  }

  halt(tenant: Tenant): void {
    this.send(["halt", tenant.id, tenant.incarnation])
    if (tenant.working) this.probe()
  }

  kill(_tenant: Tenant, how: Fault): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      if (this.link === undefined) return resume(Effect.void)
      const gone = () => resume(Effect.void)
      this.onExit.add(gone)
      if (how === "terminate") this.end(new Death({ kind: "Killed", message: "killed" }))
      else this.send(["fault", how])
      return Effect.sync(() => void this.onExit.delete(gone))
    })
  }

  evict(tenant: Tenant, gone?: () => void): void {
    this.tenants.delete(tenant.id)
    // Where its start has not been said yet (the other side is still coming up), it never is.
    const incarnation = this.unsaid.get(tenant.id)
    if (incarnation !== undefined) this.forgotten.set(tenant.id, incarnation)
    if (gone === undefined) return
    if (this.link === undefined || incarnation !== undefined) gone()
    else this.leaving.set(tenant.id, gone)
  }

  /** Nothing runs any more of an actor that was forgotten. */
  private left(actor: number): void {
    const gone = this.leaving.get(actor)
    this.leaving.delete(actor)
    gone?.()
  }

  /** Asks the other side to end, terminates it after `grace` milliseconds, and completes when it is gone. */
  close(grace: number): Effect.Effect<void> {
    return Effect.callback<void>((resume) => {
      this.closing = true
      if (this.link === undefined) return resume(Effect.void)
      const callOff = deadline(this.options.loop, grace, () => this.link?.terminate())
      this.onExit.add(() => {
        callOff()
        resume(Effect.void)
      })
      this.send(["close"])
    })
  }

  // --- the link

  private ensureOpen(): void {
    if (this.link !== undefined || this.closing) return
    this.ready = false
    this.ending = undefined
    this.stranger = false
    this.working = undefined
    this.lastWord = undefined
    this.outbox.clear()
    this.unsaid.clear()
    this.forgotten.clear()
    this.outbox.posted = 0
    this.heard = 0
    const { loop, startMillis } = this.options
    this.openedAt = loop.now()
    this.startTimer = deadline(loop, startMillis, () => {
      this.end(new Death({ kind: "StartFailed", message: `not ready within ${startMillis} ms` }))
    })
    // What an earlier link still says is not heard.
    const generation = ++this.generation
    const present = () => generation === this.generation && this.link !== undefined
    this.link = this.options.open({
      received: (batch) => {
        if (present()) this.received(batch)
      },
      drained: () => {
        if (present()) this.flush()
      },
      exited: (reason, error, how) => {
        if (present()) this.exited(reason, error, how)
      }
    })
  }

  /** Ends the other side for a reason of ours. */
  private end(death: Death): void {
    this.ending ??= death
    this.link?.terminate()
  }

  private send(command: Command): void {
    if (this.link === undefined) return
    if (this.outbox.push(command) === 1 && this.ready) this.options.loop.turn.afterwards(this.flush)
  }

  private readonly flush = (): void => {
    if (this.outbox.empty || this.link === undefined || !this.ready || this.ending !== undefined) return
    if (this.queued > mostQueued) return
    this.outbox.flush(this.forgotten.size === 0 ? undefined : (command) => this.isForgotten(command))
    this.unsaid.clear()
    this.forgotten.clear()
  }

  private isForgotten(command: Command): boolean {
    switch (command[0]) {
      case "start":
        return this.forgotten.get(command[1].actor) === command[1].incarnation
      case "message":
      case "withdraw":
      case "answered":
      case "forsaken":
      case "stop":
      case "halt":
        return this.forgotten.get(command[1]) === command[2]
      case "ping":
      case "fault":
      case "close":
        return false
    }
  }

  private unsendable(command: Command, reason: string): void {
    if (command[0] === "message") this.tenants.get(command[1])?.refused(command[2], command[3], reason)
    if (command[0] === "start") {
      const { actor, incarnation } = command[1]
      this.tenants.get(actor)?.died(incarnation, new Death({ kind: "StartFailed", message: reason }), 0)
    }
  }

  private received(batch: ReadonlyArray<Report>): void {
    this.heardAt = this.options.loop.now()
    for (const report of batch) {
      // A report may lead to a decision to end this side: the rest of its batch is then not heard either.
      if (this.ending !== undefined) return
      this.heard++
      if (this.ready || report[0] === "ready" || report[0] === "exiting") this.hear(report)
    }
  }

  private hear(report: Report): void {
    switch (report[0]) {
      case "ready":
        return this.isReady(report[1])
      case "started":
        return this.tenants.get(report[1])?.started(report[2], report[3])
      case "timed":
        return this.tenants.get(report[1])?.timed(report[2], report[3])
      case "stopped":
        this.tenants.get(report[1])?.stopped(report[2])
        return this.left(report[1])
      case "withdrawn":
        return this.tenants.get(report[1])?.withdrawn(report[2], report[3])
      case "refused":
        return this.tenants.get(report[1])?.refused(report[2], report[3], report[4])
      case "died": {
        const [, actor, incarnation, encoded, seq] = report
        this.tenants.get(actor)?.died(incarnation, decodeDeath(encoded), seq)
        return this.left(actor)
      }
      case "replied":
        return this.replied(report)
      case "answers":
        return this.tenants.get(report[1])?.answered(report[2], report[3])
      case "asking":
        return this.asking(report)
      case "abandoned":
        return this.tenants.get(report[1])?.abandoned(report[2], report[3], report[4])
      case "slept":
        return this.slept(report)
      case "alive": {
        const [, posted, heard, reports] = report
        this.acknowledged = posted
        if (heard !== posted) return this.broken(`it heard ${heard} of ${posted} messages`)
        if (reports !== this.heard) return this.broken(`${this.heard} of its ${reports} messages came`)
        return
      }
      case "exiting":
        if (this.ready) this.working = new Map(report[1].map((working) => [working[0], working]))
        if (report[2] !== undefined) this.lastWord = decodeDeath(report[2])
        return
      default:
        return this.broken(`"${String(report[0])}" is no report`)
    }
  }

  private replied(report: Extract<Report, readonly ["replied", ...ReadonlyArray<unknown>]>): void {
    const [, actor, incarnation, seq, kind, value, state, timers, answers, told, heard = 0] = report
    const tenant = this.tenants.get(actor)
    if (tenant === undefined || incarnation !== tenant.incarnation || tenant.deaf) return this.mistold(told)
    const method = tenant.pending(seq)
    // Replies come in order, each once.
    if (method === undefined) {
      return this.broken(`a reply to message ${seq} of ${tenant.name}, which is not its turn`)
    }
    if (heard !== tenant.heardThere(seq)) {
      return this.broken(
        `message ${seq} of ${tenant.name} was told ${heard} outcomes, of which ${tenant.heardThere(seq)} came`
      )
    }
    const reply = kind === "later" ? kind : decode(tenant.name, method, kind, value)
    const asker = told === undefined ? undefined : this.tenants.get(told[0])
    if (told === undefined || asker === undefined || kind === "later") {
      return void tenant.replied(incarnation, seq, reply, state, timers, answers)
    }
    const [, its, message, call, at, within] = told
    const counts = tenant.replied(
      incarnation,
      seq,
      reply,
      state,
      timers,
      answers,
      () => asker.toldThere(its, message, call, { kind, value, at, within })
    )
    if (!counts) asker.mistaken(its)
  }

  /** Somebody was told something that does not count. */
  private mistold(told: ToldThere | undefined): void {
    if (told !== undefined) this.tenants.get(told[0])?.mistaken(told[1])
  }

  private slept(report: Extract<Report, readonly ["slept", ...ReadonlyArray<unknown>]>): void {
    const [, actor, incarnation, seq, nth, heard, slept, began] = report
    const tenant = this.tenants.get(actor)
    if (tenant === undefined || incarnation !== tenant.incarnation || tenant.deaf) return
    if (!tenant.hasMade(seq, Number.NaN, slept, heard)) {
      return this.broken(`a wait of message ${seq} of ${tenant.name}, which is not its turn`)
    }
    tenant.slept(incarnation, seq, nth, heard, began)
  }

  private asking(report: Extract<Report, readonly ["asking", ...ReadonlyArray<unknown>]>): void {
    const [
      ,
      actor,
      incarnation,
      seq,
      call,
      mode,
      target,
      name,
      method,
      payload,
      millis,
      failWhenFull,
      heard,
      slept,
      began,
      answered,
      taken
    ] = report
    const tenant = this.tenants.get(actor)
    if (tenant === undefined || incarnation !== tenant.incarnation || tenant.deaf) {
      // What a neighbor was given in its name does not count.
      if (taken !== undefined) this.tenants.get(target)?.mistaken(taken[0])
      return
    }
    // Calls come in order, each once.
    if (!tenant.hasMade(seq, call - 1, slept, heard)) {
      return this.broken(`call ${call} of message ${seq} of ${tenant.name}, which is not its turn`)
    }
    const called = this.options.called(target, name, method, payload)
    tenant.asking(incarnation, {
      seq,
      call,
      mode,
      to: called.to,
      method: called.method,
      value: called.value,
      payload,
      millis,
      failWhenFull,
      heard,
      slept,
      began,
      answered,
      taken
    })
  }

  /** Something was lost or spoilt on the way. Nobody can tell what else: a new link begins from what was committed. */
  private broken(message: string): void {
    this.end(new Death({ kind: "LinkBroken", message: `the link to its host is broken: ${message}` }))
  }

  private isReady(buildId: string | undefined): void {
    const expected = this.options.buildId
    if (expected !== undefined && buildId !== expected) {
      const message = `its build is ${buildId ?? "unnamed"}, the system's is ${expected}: rebuild the entry`
      this.stranger = true
      return this.end(new Death({ kind: "StartFailed", message }))
    }
    if (this.ready) return
    this.ready = true
    this.startTimer?.()
    const { heartbeatMillis, index, loop } = this.options
    this.heardAt = loop.now()
    this.awaitBeat(heartbeatMillis / beats)
    this.options.publish({ _tag: "HostStarted", host: index, millis: Math.max(0, loop.now() - this.openedAt) })
    for (const resume of this.onReady) resume(Exit.void)
    this.onReady.clear()
    this.flush()
  }

  private awaitBeat(millis: number): void {
    this.pulse = this.options.loop.after(millis, (paused) => this.beat(paused))
  }

  private beat(paused: boolean): void {
    const { heartbeatMillis, loop } = this.options
    // Who could not be heard has not been silent.
    if (paused) this.heardAt = loop.now()
    const left = this.heardAt + heartbeatMillis - loop.now()
    const interval = heartbeatMillis / beats
    this.awaitBeat(left > 0 ? Math.min(left, interval) : interval)
    if (left > 0) return this.ping()
    this.unresponsive(heartbeatMillis)
  }

  private unresponsive(millis: number): void {
    this.end(new Death({ kind: "Unresponsive", message: `no sign of life for ${millis} ms` }))
  }

  /**
   * Somebody is to end now who may be in an endless loop: asks for a sign of life at once. The heartbeat would find it, too,
   * but its neighbors have done nothing to wait for that.
   */
  private probe(): void {
    const { heartbeatMillis, loop } = this.options
    if (!this.ready || this.ending !== undefined || this.probing || heartbeatMillis === Number.POSITIVE_INFINITY) return
    this.probing = true
    const { generation } = this
    const present = () => this.link !== undefined && generation === this.generation && this.ending === undefined
    // After what is still to be said in this turn.
    loop.turn.afterwards(() => {
      if (!present()) return
      this.ping()
      this.awaitAnswer(this.outbox.posted, Math.min(overdue, heartbeatMillis), present)
    })
  }

  private awaitAnswer(ping: number, millis: number, present: () => boolean): void {
    const { heard } = this
    deadline(this.options.loop, millis, () => {
      if (!present()) return
      // What it says meanwhile is a sign of life, if not the answer.
      if (this.acknowledged < ping && this.heard > heard) return this.awaitAnswer(ping, millis, present)
      this.probing = false
      if (this.acknowledged < ping) this.unresponsive(millis)
    })
  }

  private ping(): void {
    this.flush()
    this.outbox.say(["ping", this.outbox.posted + 1])
  }

  private exited(reason: string, error: unknown, how: "final" | "moved" | undefined): void {
    const moved = how === "moved" && this.ending === undefined
    if (how === "final") {
      this.stranger = true
      this.ending ??= new Death({ kind: "StartFailed", message: reason })
    } else if (moved) this.ending = new Death({ kind: "Moved", message: reason })
    this.startTimer?.()
    this.pulse?.()
    this.link = undefined
    this.outbox.clear()
    this.ready = false
    const death = this.ending ?? this.lastWord ??
      (error === undefined ? new Death({ kind: "HostExited", message: reason }) : fromUnknown("HostExited", error))
    this.options.publish({ _tag: "HostExited", host: this.index, expected: this.closing, reason: death.message })
    // What it threw itself, it would throw again.
    const own = error !== undefined || this.lastWord !== undefined
    const unstarted = Exit.fail(own ? new Death({ ...death, kind: "StartFailed" }) : death)
    const starting = Array.from(this.onReady)
    this.onReady.clear()
    // Those who lived there: who hears of a death may spawn anew, and that one is well.
    const residents = Array.from(this.tenants.values())
    for (const tenant of residents) {
      if (this.stranger) {
        tenant.unfit(death)
        continue
      }
      if (moved) {
        tenant.died(tenant.incarnation, death, 0)
        continue
      }
      // A host that did not come up says nothing against the actor: it counts as one more death, by its own policy.
      const told = death.kind === "StartFailed" ? new Death({ ...death, kind: "HostExited" }) : death
      const { working } = this
      if (working === undefined) tenant.died(tenant.incarnation, told, undefined)
      else {
        const [, incarnation, seq] = working.get(tenant.id) ?? []
        const idle = incarnation !== tenant.incarnation
        // Where nobody was at work, nobody is to blame, and it counts for all of them: an end must come somewhere.
        tenant.died(tenant.incarnation, told, idle ? 0 : seq ?? 0, idle && working.size > 0)
      }
    }
    for (const actor of Array.from(this.leaving.keys())) this.left(actor)
    const waiting = Array.from(this.onExit)
    this.onExit.clear()
    for (const gone of waiting) gone()
    // Whoever is about to restart finds the new thread under way.
    if (this.tenants.size > 0) this.ensureOpen()
    for (const resume of starting) resume(unstarted)
  }
}

const decodeDeath = (encoded: unknown): Death => {
  const death = deathCodec.decode(encoded)
  return Exit.isSuccess(death) && death.value instanceof Death ? death.value : unreadable
}

const unreadable = new Death({ kind: "Defect", message: "unknown (the report could not be read)" })

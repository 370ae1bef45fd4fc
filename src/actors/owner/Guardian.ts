/**
 * The owner's side of one actor: everything of it that must survive a death.
 *
 * It numbers the messages, keeps them until they are answered, commits each reply together with the state that came with
 * it, and after a death decides by the actor's supervision, places the next incarnation with the last committed state and
 * delivers again, in order, what was not answered. A reply of an earlier incarnation is not heard. So a message counts once,
 * however often it had to run.
 *
 * Everything here runs on the owner's thread and is synchronous; only waiting (a back-off) takes a fiber.
 */
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type { Method } from "../Actor.ts"
import { Death } from "../Death.ts"
import { ActorDied, AskTimeout, MailboxFull, MessageRefused } from "../errors.ts"
import type { Call, CallEndThere, Envelope, Host, Reply, Tenant } from "../hosts/Host.ts"
import { type Address, type At, systemMillis, type Waiting } from "../InHand.ts"
import type { AnswerWord, LaterWord, TakenIn, TimerChange } from "../links/HostLink.ts"
import * as Codec from "../messages/Codec.ts"
import { decode } from "../messages/Outcome.ts"
import type { Belongs, Known } from "../messages/requests.ts"
import { type Asking, Calls, type Served } from "./Calls.ts"
import { type Child, Children } from "./Children.ts"
import { type Ended, notStarted, stopped, type TooLate, tooLate } from "./Ended.ts"
import { Later } from "./Later.ts"
import { Ledger } from "./Ledger.ts"
import { Poison } from "./Poison.ts"
import type { Sibling, Siblings } from "./Siblings.ts"
import type { Surroundings } from "./Surroundings.ts"
import { type Timed, Timers } from "./Timers.ts"

/** A message that an incarnation is at work on, and for how long, in milliseconds. */
export interface MessageInHand {
  readonly method: string
  /** 1, 2, ... per actor. */
  readonly seq: number
  readonly sinceMillis: number
}

const none: ReadonlyArray<never> = []

export type Status = "starting" | "running" | "restarting" | "stopping" | "ended"

export interface GuardianOptions {
  readonly id: number
  readonly name: string
  readonly definition: Known
  readonly config: unknown
  readonly host: Host
  readonly siblings: Siblings
  readonly capacity: number
  readonly surroundings: Surroundings
}

type Outcome = Exit.Exit<unknown, unknown>

export class Guardian implements Tenant, Sibling, Timed, Address {
  readonly id: number
  readonly name: string
  readonly definition: Known
  config: unknown
  readonly host: Host
  state: unknown = undefined
  hasState = false
  incarnation = 1
  restarts = 0
  status: Status = "starting"

  private readonly ledger: Ledger
  /** Made when the first is set. */
  private timers: Timers | undefined
  private readonly siblings: Siblings
  private readonly around: Surroundings
  private served = false
  /** Whether the present incarnation serves. */
  private up = false
  /** The last death, when it was seen, and how many messages are to run again. */
  private last: { readonly death: Death; readonly at: number; replayed: number } | undefined
  /** Made at a death; gone with the next reply. */
  private poison: Poison | undefined
  taken = 0
  /** The message in hand at the last death. */
  private heldAtDeath: Envelope | undefined
  /** Since when the present incarnation is free for the next message. */
  private freeSince = 0
  /** Made at the first call. */
  private made: Calls | undefined
  /** What is to be answered later. Made where something is. */
  private owedLater: Later | undefined
  parent: Guardian | undefined
  /** Made at the first. */
  private children: Children | undefined
  /** It is being ended for good: that its incarnation dies of it is no death. A fiber says so at once. */
  private going = false
  /** What its incarnation is being ended for by its owner, who does not hear it any more. */
  private sentence: Death | undefined

  constructor(options: GuardianOptions) {
    this.id = options.id
    this.name = options.name
    this.definition = options.definition
    this.config = options.config
    this.host = options.host
    this.around = options.surroundings
    this.ledger = new Ledger(options.capacity)
    this.siblings = options.siblings
    this.siblings.join(this)
  }

  /** Completes when the first incarnation serves, or could not start. */
  get firstStart(): Effect.Effect<void, Death> {
    if (this.served) return Effect.void
    if (this.outcome !== undefined) return notStarted(this.outcome)
    return Deferred.await(this.startAwaited ??= Deferred.makeUnsafe())
  }

  /** Completes at the end of the actor's life. */
  get end(): Effect.Effect<Ended> {
    if (this.outcome !== undefined) return Effect.succeed(this.outcome)
    return Deferred.await(this.endAwaited ??= Deferred.makeUnsafe())
  }

  /** Calls `task` at the end of the actor's life, unless what this returns is called before. */
  whenEnded(task: (ended: Ended) => void): () => void {
    if (this.outcome !== undefined) {
      task(this.outcome)
      return () => {}
    }
    const watchers = this.watchers ??= new Set()
    // Who watches twice is told twice.
    const watcher = (ended: Ended) => task(ended)
    watchers.add(watcher)
    return () => void watchers.delete(watcher)
  }

  // --- from the asking side

  place(): void {
    this.around.publish({ _tag: "Spawned", actor: this.name, host: this.host.index, placement: this.host.placement })
    this.host.place(this)
  }

  /**
   * Takes a message for the actor. `resume` gets the outcome (of the ask, or for a `tell` of having been taken in), maybe
   * before this returns. The envelope is what to `abandon` when nobody waits any more.
   */
  send(
    method: Method,
    payload: unknown,
    millis: number,
    tell: boolean,
    failWhenFull: boolean,
    resume: (outcome: Outcome) => void
  ): Envelope | undefined {
    const closed = this.closedTo(failWhenFull)
    if (closed !== undefined) return void resume(closed)
    let carried = payload
    if (this.host.border) {
      const encoded = method.payload.encode(payload)
      if (Exit.isFailure(encoded)) {
        return void resume(Exit.fail(this.refusal(method.name, Codec.reason(encoded))))
      }
      carried = encoded.value
    } else if (this.around.checks) {
      const misfit = method.payload.misfit(payload)
      if (misfit !== undefined) return void resume(Exit.fail(this.refusal(method.name, misfit)))
    }
    return this.accept(method, carried, millis, tell, resume, this.around.now())
  }

  /**
   * Whether a message that its host has given it is the next one of its kind, given to one who was free and whose answers
   * have all come.
   */
  couldTakeIn(host: Host, [incarnation, seq, last]: TakenIn): boolean {
    const { oldest } = this.ledger
    return this.host === host && this.up && this.hears(incarnation) && seq === -1 - this.taken &&
      (oldest === undefined || oldest.seq > last)
  }

  /** Takes in what its host has given it already: before all that its host does not have, or has not begun. */
  takeIn({ method, millis, payload }: Call, sent: number, resume: (outcome: Outcome) => void): Envelope {
    const wait = millis === systemMillis ? this.around.askMillis : millis
    const envelope: Envelope = {
      seq: -(++this.taken),
      method,
      sent,
      payload,
      millis: wait,
      expires: sent + wait,
      tell: false,
      resume
    }
    this.ledger.takeIn(envelope)
    this.around.expect(envelope.expires)
    return envelope
  }

  mistaken(incarnation: number): void {
    if (this.hears(incarnation)) this.annul("what its host did in the owner's stead does not count")
  }

  /** As `send`, for a call that has been checked where it was made. */
  sendCall(
    { failWhenFull, method, millis, mode, payload, value }: Call,
    sent: number,
    resume: (outcome: Outcome) => void
  ): Envelope | undefined {
    const closed = this.closedTo(failWhenFull)
    if (closed !== undefined) return void resume(closed)
    return this.accept(method, this.host.border ? payload : value, millis, mode === "tell", resume, sent)
  }

  /** Why a message is not taken, where it is not. */
  private closedTo(failWhenFull: boolean): TooLate | Exit.Exit<never, MailboxFull> | undefined {
    const ending = this.ending()
    if (ending !== undefined || !failWhenFull || !this.ledger.full) return ending
    return Exit.fail(new MailboxFull({ actor: this.name, capacity: this.ledger.capacity }))
  }

  private accept(
    method: Method,
    carried: unknown,
    millis: number,
    tell: boolean,
    resume: (outcome: Outcome) => void,
    sent: number
  ): Envelope {
    // Who has its reference from elsewhere does not know how long the system waits.
    const wait = millis === systemMillis ? this.around.askMillis : millis
    const envelope = this.enter(method, carried, wait, tell, resume, sent)
    if (envelope.resume !== undefined) this.around.expect(envelope.expires)
    return envelope
  }

  /** `payload` as the host takes it. */
  private enter(
    method: Method,
    payload: unknown,
    millis: number,
    tell: boolean,
    resume: Envelope["resume"],
    sent: number
  ): Envelope {
    const seq = this.ledger.nextSeq()
    const envelope: Envelope = { seq, method, sent, payload, millis, expires: sent + millis, tell, resume }
    if (this.ledger.enter(envelope)) this.letIn(envelope)
    return envelope
  }

  // --- its timers

  timed(incarnation: number, changes: ReadonlyArray<TimerChange>): void {
    if (this.hears(incarnation)) this.setTimers(changes, false)
  }

  due(name: string, payload: unknown): number {
    if (this.ending() !== undefined) return 0
    const method = this.definition.methods.get(name)
    if (method !== undefined) {
      return this.enter(method, payload, Number.POSITIVE_INFINITY, true, undefined, this.around.now()).seq
    }
    const failure = this.refusal(name, "the actor has no such method")
    this.around.publish({ _tag: "Unheard", actor: this.name, method: name, failure })
    return 0
  }

  private setTimers(changes: ReadonlyArray<TimerChange>, kept: boolean): void {
    if (this.status === "stopping") return
    this.timers ??= new Timers(this, this.around.alarms, this.around.now)
    this.timers.apply(changes, kept)
  }

  /** Nobody waits for the outcome any more. What is in hand is finished all the same; what was not begun never is. */
  abandon(waiting: Waiting): void {
    waiting.resume = undefined
    // What is waited for here is one of its envelopes.
    const envelope = waiting as Envelope
    if (this.owedLater?.has(envelope) === true) {
      if (this.owedLater.forsake(envelope)) this.tellForsaken(envelope.seq)
    } else if (this.ledger.isDelivered(envelope)) this.host.withdraw(this, envelope)
    else if (this.ledger.take(envelope.seq) !== undefined) this.admit()
  }

  /** Takes back a message, where its host does not have it yet: whether that was so. */
  takeBack(waiting: Waiting): boolean {
    const envelope = waiting as Envelope
    if (this.ledger.isDelivered(envelope) || this.ledger.take(envelope.seq) === undefined) return false
    this.admit()
    return true
  }

  /** Nobody waits any more for the answer to a message that was to be answered later. */
  private tellForsaken(seq: number): void {
    if (this.placed || this.status === "stopping") this.host.forsake(this, seq)
  }

  get at(): At {
    this.around.referred(this)
    return { id: this.id, name: this.name, system: this.system }
  }

  get home(): object {
    return this.around
  }

  get system(): string {
    return this.around.system
  }

  get address(): Address {
    return this
  }

  get parentName(): string | undefined {
    return this.parent?.name
  }

  /** Fails what has expired, or after a pause gives it its time anew; returns when the next message expires. */
  expire(now: number, paused: boolean): number {
    let next = Number.POSITIVE_INFINITY
    const late: Array<Envelope> = []
    for (const envelope of [...this.ledger.all(), ...this.owedLater?.envelopes ?? []]) {
      if (envelope.resume === undefined) continue
      if (paused && envelope.expires <= now) envelope.expires = now + envelope.millis
      if (envelope.expires <= now) late.push(envelope)
      else if (envelope.expires < next) next = envelope.expires
    }
    for (const envelope of late) this.timeOut(envelope)
    return next
  }

  stop(): void {
    if (this.status === "ended" || this.status === "stopping") return
    const { placed } = this
    this.status = "stopping"
    this.timers?.clear()
    if (placed) this.host.stop(this)
    else this.finish(stopped)
  }

  /**
   * Ends the actor at the owner's side, whatever its incarnation does. `gone` is called once nothing of it runs any more, nor
   * of its children.
   */
  abort(gone?: () => void): void {
    if (this.status === "ended") return gone?.()
    this.going = true
    this.host.halt(this)
    this.finish(stopped, gone)
  }

  get deaf(): boolean {
    return this.sentence !== undefined
  }

  private get isOver(): boolean {
    return this.status === "ended"
  }

  get placed(): boolean {
    return this.status === "starting" || this.status === "running"
  }

  get unanswered(): number {
    return this.ledger.size
  }

  /** Whom the message in hand waits for, as its owner knows it. */
  get asks(): ReadonlyArray<Asking> {
    return this.made?.asks(this.ledger.oldest?.seq) ?? none
  }

  get later(): ReadonlyArray<LaterWord> {
    return this.owedLater === undefined ? none : this.owedLater.words
  }

  /** How many timers are set. */
  get timerCount(): number {
    return this.timers?.size ?? 0
  }

  /** Whether the message of this number is still to be answered. */
  owes(seq: number): boolean {
    return this.ledger.owes(seq)
  }

  /** What the present incarnation is at work on, as far as its owner knows. */
  get messageInHand(): MessageInHand | undefined {
    const envelope = this.up ? this.ledger.inHand(undefined) : undefined
    if (envelope === undefined) return undefined
    const { method: { name: method }, sent, seq } = envelope
    return { method, seq, sinceMillis: Math.max(0, this.around.now() - Math.max(sent, this.freeSince)) }
  }

  // --- from its siblings

  halt(): void {
    this.host.halt(this)
  }

  resurrect(counted: boolean): void {
    if (this.status !== "restarting") return
    // The names of its children are free, but one of them may still be at work.
    if (this.children?.awaits(() => this.resurrect(counted)) === true) return
    if (counted) this.restarts++
    this.status = "starting"
    this.host.place(this)
    this.pump()
  }

  fail(death: Death, escalated = false): void {
    if (this.isOver || this.going) return
    this.going = true
    if (this.placed) this.host.halt(this)
    const { parent } = this
    const pact = escalated || parent?.children?.hasPact(this) === true
    parent?.children?.delete(this)
    // Before it is told what it may have asked this one: its message is to run again. A spawn that fails says so itself.
    if (pact && this.served) parent?.bereaved(this, death)
    if (this.isOver) return
    const message = this.poison?.message
    const poison = message === undefined ? {} : { poison: message }
    this.finish({ _tag: "Failed", death, restarts: this.restarts, ...poison })
  }

  // --- from the host

  started(incarnation: number, timers?: ReadonlyArray<TimerChange>): void {
    if (incarnation !== this.incarnation || this.status === "ended") return
    if (timers !== undefined) this.setTimers(timers, true)
    this.up = true
    this.freeSince = this.around.now()
    if (this.status !== "stopping") this.status = "running"
    if (!this.served) {
      this.served = true
      this.around.publish({ _tag: "Started", actor: this.name, incarnation })
      if (this.startAwaited !== undefined) Deferred.doneUnsafe(this.startAwaited, Exit.void)
      this.startAwaited = undefined
    } else if (this.last !== undefined) {
      const { at, death, replayed } = this.last
      this.around.publish({
        _tag: "Restarted",
        actor: this.name,
        incarnation,
        death,
        recoveryMillis: Math.max(0, this.around.now() - at),
        replayed
      })
    }
  }

  replied(
    incarnation: number,
    seq: number,
    reply: Reply,
    state: unknown,
    timers?: ReadonlyArray<TimerChange>,
    answers?: ReadonlyArray<AnswerWord>,
    told?: () => void
  ): boolean {
    if (!this.hears(incarnation)) return false
    if (answers !== undefined && this.isLate(answers.map(([its]) => its), seq)) return false
    const { oldest } = this.ledger
    const unwanted = oldest?.seq === seq && oldest.method.cancellable && reply !== "later" && isGivenUp(oldest)
    // Who was told the reply did not give up in time.
    if (unwanted && told === undefined) {
      this.annul(`nobody waits for the answer of ${oldest.method.name} any more`)
      return false
    }
    const envelope = this.ledger.settle(seq)
    if (envelope === undefined) return false
    told?.()
    if (this.definition.stateCodec !== undefined) {
      this.state = state
      this.hasState = true
    }
    if (timers !== undefined) this.setTimers(timers, false)
    this.poison = undefined
    this.made?.commit()
    this.children?.end(ofMessage)
    this.around.observer?.answered({
      actor: this.name,
      placement: this.host.placement,
      host: this.host.index,
      method: envelope.method.name,
      seq,
      sent: envelope.sent,
      began: Math.max(envelope.sent, this.freeSince),
      ended: this.around.now()
    })
    // Where no other waits, the next one in hand is so from when it is sent.
    if (this.ledger.size > 0) this.freeSince = this.around.now()
    this.admit()
    if (reply !== "later") {
      if (told === undefined || envelope.resume !== undefined) this.answer(envelope, reply)
    } else if (envelope.resume === undefined) this.tellForsaken(seq)
    else {
      ;(this.owedLater ??= new Later()).add(envelope)
      envelope.whenLater?.()
    }
    if (answers !== undefined) this.answerLater(answers)
    this.settleLater()
    return true
  }

  answered(incarnation: number, answers: ReadonlyArray<AnswerWord>): void {
    if (this.hears(incarnation)) this.answerLater(answers)
  }

  /** Gives answers to messages of before, where somebody waits for them still. */
  private answerLater(answers: ReadonlyArray<AnswerWord>): void {
    for (const [seq, kind, value] of answers) {
      const envelope = this.owedLater?.take(seq)
      if (envelope?.resume !== undefined) this.answer(envelope, decode(this.name, envelope.method, kind, value))
    }
  }

  /** The message that may have answered others is over, whatever came of it. */
  private settleLater(): void {
    if (this.owedLater !== undefined) { for (const seq of this.owedLater.settle()) this.tellForsaken(seq) }
  }

  /**
   * Whether message `seq` answers one of before whose asker had given up while the word of it was on its way. What was done
   * since then was done in error: the message runs again, and knows.
   */
  private isLate(answered: ReadonlyArray<number>, seq: number): boolean {
    const others = answered.filter((its) => its !== seq)
    const late = this.owedLater === undefined ? others[0] : this.owedLater.late(others)
    // What may not run twice has done what it has done.
    if (late === undefined || this.ledger.oldest?.method.replayable !== true) return false
    this.annul(`nobody waits for the answer to message ${late} any more`)
    return true
  }

  /** What the message in hand has done does not count, and the incarnation is not heard any more. */
  private annul(message: string): void {
    this.sentence = new Death({ kind: "Cancelled", message })
    this.host.halt(this)
  }

  /** Whether what an incarnation says counts. */
  private hears(incarnation: number): boolean {
    return incarnation === this.incarnation && this.status !== "ended" && !this.deaf
  }

  withdrawn(incarnation: number, seq: number): void {
    if (!this.hears(incarnation)) return
    if (this.ledger.take(seq) !== undefined) this.admit()
  }

  get working(): boolean {
    return !this.up || this.ledger.inHand(undefined) !== undefined
  }

  pending(seq: number): Method | undefined {
    const oldest = this.ledger.oldest
    return oldest?.seq === seq ? oldest.method : undefined
  }

  refused(incarnation: number, seq: number, reason: string): void {
    if (!this.hears(incarnation)) return
    const envelope = this.ledger.take(seq)
    this.admit()
    if (envelope !== undefined) this.answer(envelope, Exit.fail(this.refusal(envelope.method.name, reason)))
  }

  died(incarnation: number, reported: Death, seq: number | undefined, bystander = false): void {
    if (incarnation !== this.incarnation || this.status === "ended" || this.going) return
    if (this.status === "stopping") return this.finish(stopped)
    // Between two incarnations: its host has died, and nothing of it lived there.
    if (!this.placed) return
    const { sentence } = this
    const death = this.siblings.reason(this) ?? sentence ?? (bystander ? reported : this.held(reported, seq))
    this.sentence = undefined
    this.incarnation++
    this.up = false
    this.status = "restarting"
    const last = this.last = { death, at: this.around.now(), replayed: 0 }
    // Their names are free for the next incarnation.
    const kept = this.siblings.stopsChildren ? this.ledger.oldest?.seq : undefined
    this.children?.endFirst(({ belongs, call }) =>
      belongs === "incarnation" || (belongs === "life" && this.siblings.stopsChildren && call?.seq !== kept)
    )
    this.around.publish({ _tag: "Died", actor: this.name, incarnation, death })
    // What cannot even start once is a fault of the call, not of the world: the spawn fails, and nothing is retried.
    if (!this.served && death.kind === "StartFailed") return this.fail(death)
    const inHand = this.heldAtDeath = this.ledger.inHand(seq)
    // Nobody waits for these. One that was in hand may have had its effects, and so is finished, unless it may be given up.
    this.ledger.extract((envelope) => isGivenUp(envelope) && (envelope !== inHand || envelope.method.cancellable))
    const lost = this.ledger.extract(({ method, seq: its }) =>
      !method.replayable && (seq === undefined || its <= seq && seq !== 0)
    )
    const { oldest } = this.ledger
    if (this.made?.lost(oldest?.method.atLeastOnce === true ? undefined : oldest?.seq) === true) this.settleLater()
    last.replayed = this.ledger.rewind()
    if (death.kind === "Cancelled" || death.kind === "Moved") this.siblings.cancelled(this, death)
    else this.siblings.lost(this, death, this.poison?.deaths ?? 0, bystander && sentence === undefined)
    this.heldAtDeath = undefined
    // What is not there any more has made room.
    this.admit()
    for (const envelope of lost) this.failWithDeath(envelope, death)
    // Who keeps no state has lost its tokens with it.
    if (this.definition.stateCodec === undefined) {
      for (const envelope of this.takeLater()) this.failWithDeath(envelope, death)
    }
  }

  private takeLater(): ReadonlyArray<Envelope> {
    const envelopes = [...this.owedLater?.envelopes ?? []]
    this.owedLater = undefined
    return envelopes
  }

  dropInHand(death: Death): boolean {
    const envelope = this.heldAtDeath
    if (envelope === undefined) return false
    this.poison = undefined
    this.made?.drop(envelope.seq)
    this.settleLater()
    // What must not run twice has left already.
    if (this.ledger.take(envelope.seq) === undefined) return true
    if (this.last !== undefined) this.last.replayed--
    this.admit()
    this.failWithDeath(envelope, death)
    return true
  }

  stopped(incarnation: number): void {
    if (incarnation !== this.incarnation || this.status === "ended") return
    this.finish(stopped)
  }

  unfit(death: Death): void {
    if (this.status === "stopping") return this.finish(stopped)
    if (this.status !== "ended") this.siblings.giveUp(this, death)
  }

  // --- what its handlers call

  /** An actor that this one has spawned. */
  adopt(child: Guardian, belongs: Belongs, pact: boolean): void {
    child.parent = this
    const call = this.made?.spawning(child)
    ;(this.children ??= new Children()).add(child, { belongs, call, pact })
  }

  /** A child has failed for good, and this one is not to live on as if nothing had happened. */
  private bereaved(child: Guardian, death: Death): void {
    // Who is between two incarnations begins anew as it is.
    if (!this.placed) return
    const message = `its child ${child.name} has failed: ${death.message}`
    this.sentence ??= new Death({ ...death, kind: "ChildFailed", message })
    this.host.halt(this)
  }

  hasMade(seq: number, calls: number, slept: number, heard: number): boolean {
    if (seq !== 0 && this.ledger.inHand(seq)?.seq !== seq) return false
    if (this.made !== undefined) return this.made.hasMade(seq, calls, slept, heard)
    return (Number.isNaN(calls) || calls === 0) && slept === 0 && heard === 0
  }

  asking(incarnation: number, call: Call): void {
    const { seq, taken, to } = call
    const target = to instanceof Guardian ? to : undefined
    const counts = this.hears(incarnation) && (call.answered === undefined || !this.isLate(call.answered, seq))
    if (taken !== undefined && !(counts && target?.couldTakeIn(this.host, taken) === true)) {
      // One of the two was not what its host took it for: neither has done so, and the asker asks anew.
      target?.mistaken(taken[0])
      return this.mistaken(incarnation)
    }
    if (!counts) return
    if (call.answered !== undefined) this.owedLater?.stand(call.answered)
    this.calls.make(incarnation, call, target)
  }

  toldThere(incarnation: number, seq: number, call: number, end: CallEndThere): void {
    if (this.hears(incarnation)) this.made?.toldThere(seq, call, end)
  }

  heardThere(seq: number): number {
    return this.made?.heardThere(seq) ?? 0
  }

  abandoned(incarnation: number, seq: number, call: number): void {
    if (!this.hears(incarnation) || this.made?.abandoned(seq, call) !== true) return
    // Nobody will ever have the reference of a child: its name is free.
    this.children?.end(({ call: its }) => its?.call === call && its.seq === seq)
  }

  slept(incarnation: number, seq: number, nth: number, heard: number, began: number | undefined): void {
    if (this.hears(incarnation)) this.calls.slept(seq, nth, heard, began)
  }

  // --- for its calls, and those of others

  private get calls(): Calls {
    return this.made ??= new Calls(this)
  }

  get now(): number {
    return this.around.now()
  }

  /** The system is asked for something. */
  serve(request: string, value: unknown, resume: (outcome: Outcome) => void): Served | undefined {
    return this.around.serve(this, request, value, resume)
  }

  /** Whether its present incarnation has started. */
  get serves(): boolean {
    return this.up
  }

  get isFull(): boolean {
    return this.ledger.full
  }

  /** What its incarnation does is to count for nothing, and no supervision is asked. */
  get annulled(): boolean {
    return this.sentence?.kind === "Cancelled"
  }

  /** Whether its incarnation is still told something: who is stopping finishes what it has in hand. */
  get listens(): boolean {
    return !this.deaf && (this.placed || this.status === "stopping")
  }

  get seqInHand(): number | undefined {
    return this.ledger.oldest?.seq
  }

  /** Whether it will answer a message of before later. */
  answersLater(envelope: Envelope): boolean {
    return this.owedLater?.has(envelope) === true
  }

  /** Whether it waits for nobody: then it is part of no circle. */
  get awaitsNobody(): boolean {
    return this.made === undefined || this.made.none
  }

  /** Whom the message in hand waits for; before the incarnation serves, whom its start does, and whom the message will again. */
  get awaited(): ReadonlyArray<Guardian> {
    if (this.made === undefined) return none
    const inHand = this.made.awaited(this.ledger.oldest?.seq)
    return this.up ? inHand : [...this.made.awaited(0), ...inHand]
  }

  get inHandName(): string {
    const starts = !this.up && (this.made === undefined || this.made.awaited(0).length > 0)
    return starts ? `the start of ${this.name}` : `${this.name}.${this.ledger.oldest?.method.name ?? ""}`
  }

  // --- within

  private pump(): void {
    // A delivery may be answered, and lead to further messages, before it returns: so the ledger says what comes next.
    while (this.placed) {
      const envelope = this.ledger.deliver()
      if (envelope === undefined) return
      this.host.deliver(this, envelope, this.made?.journalFor(envelope.seq))
    }
  }

  private admit(): void {
    for (let envelope = this.ledger.admit(); envelope !== undefined; envelope = this.ledger.admit()) {
      this.letIn(envelope)
    }
  }

  /** A death of the actor's own is held against it, and the message in hand. */
  private held(death: Death, seq: number | undefined): Death {
    this.poison ??= new Poison()
    return this.poison.note(death, this.ledger.inHand(seq), this.status === "starting")
  }

  /** A message has found room; the sender of a `tell` has waited for no more than this. */
  private letIn(envelope: Envelope): void {
    const resume = envelope.resume
    if (envelope.tell) envelope.resume = undefined
    this.pump()
    if (envelope.tell) resume?.(Exit.void)
  }

  /** Gives the outcome to who waits for it; a failure that nobody waits for (of a tell, of an ask given up) is an event. */
  private answer(envelope: Envelope, outcome: Outcome): void {
    const resume = envelope.resume
    envelope.resume = undefined
    if (resume !== undefined) return resume(outcome)
    if (Exit.isSuccess(outcome)) return
    const failure = Cause.squash(outcome.cause)
    this.around.publish({ _tag: "Unheard", actor: this.name, method: envelope.method.name, failure })
  }

  private failWithDeath(envelope: Envelope, death: Death): void {
    const method = envelope.method.name
    this.answer(
      envelope,
      Exit.fail(new ActorDied({ actor: this.name, method, incarnation: this.incarnation - 1, death }))
    )
  }

  private timeOut(envelope: Envelope): void {
    const resume = envelope.resume
    this.abandon(envelope)
    resume?.(Exit.fail(new AskTimeout({ actor: this.name, method: envelope.method.name, millis: envelope.millis })))
  }

  private finish(ended: Ended, gone?: () => void): void {
    const there = this.placed || this.status === "stopping"
    this.status = "ended"
    let left = 1
    const one = gone === undefined ? undefined : () => {
      if (--left === 0) gone()
    }
    this.children?.end(() => (left++, true), one)
    this.parent?.children?.delete(this)
    if (one !== undefined && this.children?.awaits(one) === true) left++
    if (there) left++
    this.host.evict(this, there ? one : undefined)
    one?.()
    // Who is remembered, or referred to, holds nothing of it any more.
    this.config = undefined
    this.state = undefined
    this.siblings.leave(this)
    this.timers?.clear()
    this.around.ended(this, ended)
    this.around.publish(
      ended._tag === "Stopped"
        ? { _tag: "Stopped", actor: this.name }
        : { ...ended, actor: this.name }
    )
    this.outcome = ended
    this.made?.end()
    if (this.endAwaited !== undefined) Deferred.doneUnsafe(this.endAwaited, Exit.succeed(ended))
    for (const watcher of this.watchers ?? none) watcher(ended)
    if (this.startAwaited !== undefined) Deferred.doneUnsafe(this.startAwaited, notStarted(ended))
    const failure = this.ending()
    if (failure === undefined) return
    for (const envelope of [...this.takeLater(), ...this.ledger.drain()]) this.answer(envelope, failure)
  }

  private outcome: Ended | undefined
  /** Made where somebody waits, since most are not waited for. */
  private startAwaited: Deferred.Deferred<void, Death> | undefined
  private endAwaited: Deferred.Deferred<Ended> | undefined
  private watchers: Set<(ended: Ended) => void> | undefined

  /** What a message gets that comes too late. */
  private ending(): TooLate | undefined {
    if (this.status === "stopping") return tooLate(this.name, stopped)
    return this.outcome === undefined ? undefined : tooLate(this.name, this.outcome)
  }

  private refusal(method: string, reason: string): MessageRefused {
    return new MessageRefused({ actor: this.name, method, part: "payload", reason })
  }
}

/** Whether somebody had waited for the outcome, and does no more. */
const isGivenUp = ({ resume, tell }: Envelope): boolean => !tell && resume === undefined

const ofMessage = ({ belongs }: Child): boolean => belongs === "message"

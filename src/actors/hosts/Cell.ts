/**
 * One incarnation of an actor, as it runs in its host: a fiber that starts the behavior, then handles messages one at a
 * time from its mailbox, and reports.
 *
 * The fiber sleeps in one callback between messages, so that an ask within a thread is a plain call: the sender's push
 * wakes the cell, the handler runs, and the reply resumes the sender, with no queue, timer or fiber per message.
 */
import type * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type { Scope } from "effect/Scope"
import type { Behavior, Method, Rpc, ServingAny } from "../Actor.ts"
import { Death, fromCause, fromUnknown } from "../Death.ts"
import type { EventLoop } from "../EventLoop.ts"
import { type Address, current, InHand } from "../InHand.ts"
import type { AnswerWord, JournalWord, LaterWord, Line, TimerChange } from "../links/HostLink.ts"
import { Mailbox } from "../Mailbox.ts"
import * as Codec from "../messages/Codec.ts"
import { encodeAnswer } from "../messages/Outcome.ts"
import { type Incarnation, Own, type Self } from "../Self.ts"
import { type Answer, mark, type Token } from "../Token.ts"
import { Answers } from "./Answers.ts"
import { unservable } from "./behaviors.ts"
import { type Caller, give, Hand, type Made } from "./Hand.ts"
import type { Answers as Given, Call, Identity, Reply, Timers, Told } from "./Host.ts"

export interface CellMessage {
  readonly seq: number
  readonly method: Method
  readonly payload: unknown
}

/** A message that runs again, with what it did before. */
export class Replayed implements CellMessage {
  readonly seq: number
  readonly method: Method
  readonly payload: unknown
  readonly journal: JournalWord
  private readonly lines: Array<Line>

  constructor({ method, payload, seq }: CellMessage, { began, calls, lines }: JournalWord) {
    this.seq = seq
    this.method = method
    this.payload = payload
    // As it is now: what comes later is told.
    this.lines = lines.slice()
    this.journal = { began, calls, lines: this.lines }
  }

  /** What came after the message was given. */
  told(call: number, told: Told | undefined): void {
    if (told === undefined) return
    // As a hand does: what comes after one that was lost waits.
    const received = this.lines.filter((line) => line[0] === "told").length
    if (told.nth === received + 1) this.lines.push(["told", call, told.kind, told.value, told.at, false])
  }
}

/** Where a cell reports. Each ending is reported once, after the incarnation's scope has closed. */
export interface CellReport {
  started(timers: Timers): void
  /** `state` is encoded. */
  replied(
    seq: number,
    method: Method,
    reply: Reply,
    state: unknown,
    timers: Timers,
    answers: Given
  ): void
  answered(answers: ReadonlyArray<AnswerWord>): void
  timed(timers: ReadonlyArray<TimerChange>): void
  asking(call: Call): void
  abandoned(seq: number, call: number): void
  slept(seq: number, nth: number, heard: number, slept: number, began: number | undefined): void
  /** `seq` is the message in hand, 0 for none. */
  died(death: Death, seq: number): void
  stopped(): void
}

export interface CellOptions<R> {
  readonly behavior: Behavior<R>
  readonly actor: Identity
  readonly incarnation: number
  readonly loop: EventLoop
  /** The time that its timers are kept by, in milliseconds. */
  readonly now: () => number
  readonly config: unknown
  /** The encoded state, where there is one. */
  readonly restored: Option.Option<unknown>
  /** A payload of a timer as it is to be kept, or why it does not fit. */
  readonly carry: (method: Method, payload: unknown) => Exit.Exit<unknown, string>
  readonly report: CellReport
}

/** What follows a handler. */
interface Settled {
  readonly onFailure: (cause: Cause.Cause<unknown>) => Effect.Effect<void, Death>
  readonly onSuccess: (value: unknown) => Effect.Effect<void, Death>
}

/**
 * Asking and answering are nested calls. Beyond this depth a cell goes on from a microtask instead, so that a chain of
 * ten thousand actors does not fill the stack.
 */
const deepest = 64
let depth = 0

/** So many messages that nobody waits for wait for each other. */
const mostPut = 64

const cancelled = (method: string): Death =>
  new Death({ kind: "Cancelled", message: "nobody waits for its answer any more", method })

export class Cell<R> implements Incarnation, Caller {
  private readonly options: CellOptions<R>
  private mailbox: Mailbox<CellMessage> | undefined
  private wake: ((effect: Effect.Effect<void, Death>) => void) | undefined
  private fiber: Fiber.Fiber<void, Death> | undefined
  private message: CellMessage | undefined
  private serving: ServingAny | undefined
  private served = false
  private stopping = false
  private halted: Death | undefined
  private over = false
  /** It will be woken soon. */
  private stirring = false
  /** What the message in hand, or the start, has set so far, and when. */
  private timers: Array<readonly [at: number, change: TimerChange]> | undefined
  private hand: Hand | undefined
  private calls: LooseCalls | undefined
  /** Made where something is to be answered later. */
  private answers: Answers | undefined

  /** `later`: messages that are to be answered later, and for whose answer somebody waits. */
  constructor(options: CellOptions<R>, later: ReadonlyArray<LaterWord>) {
    this.options = options
    if (later.length > 0) this.answers = new Answers(later)
  }

  /** Starts the incarnation on `run`, which provides what its behavior needs. */
  start(run: <E>(effect: Effect.Effect<void, E, R>) => Fiber.Fiber<void, E>): void {
    this.fiber = run(Effect.scoped<void, Death, R | Scope>(Effect.suspend(() => this.live())))
    if (this.halted !== undefined) this.fiber.interruptUnsafe()
    this.fiber.addObserver((exit) => this.end(exit))
  }

  push(message: CellMessage): void {
    if (this.over) return
    this.mailbox ??= new Mailbox()
    this.mailbox.push(message)
    this.rouse()
  }

  /** As `push`, for a message that nobody waits for: it is begun with others that come soon, since waking takes longest. */
  put(message: CellMessage): void {
    if (this.over) return
    this.mailbox ??= new Mailbox()
    this.mailbox.push(message)
    if (this.wake === undefined) return
    if (this.mailbox.size >= mostPut) return this.rouse()
    if (this.stirring) return
    this.stirring = true
    const { loop } = this.options
    loop.soon(() => {
      this.stirring = false
      // What was put off until now goes out before we begin to work.
      loop.turn.settle()
      this.rouse()
    })
  }

  /** Finish the message in hand, then end. */
  stop(): void {
    this.stopping = true
    this.rouse()
  }

  /** End now, with `death` as the cause. */
  halt(death = new Death({ kind: "Killed", message: "killed" })): void {
    this.halted ??= death
    this.fiber?.interruptUnsafe()
  }

  /** Nobody waits for the answer to a message any more. Whether it had not been begun, and now never is. */
  withdraw(seq: number): boolean {
    const { mailbox, message } = this
    if (message?.seq === seq && message.method.cancellable) {
      this.halt(cancelled(message.method.name))
      return false
    }
    const index = mailbox?.leading((other) => other.seq < seq) ?? 0
    if (mailbox?.at(index)?.seq !== seq) return false
    mailbox.remove(index)
    return true
  }

  /** Nobody waits any more for the answer to a message that was to be answered later. */
  forsake(seq: number): void {
    this.answers?.forsake(seq)
  }

  /** How a call of this incarnation ended; `outcome` where it comes from this side. */
  answered(seq: number, call: number, told: Told | undefined, outcome: Exit.Exit<unknown, unknown> | undefined): void {
    if (this.over) return
    if (seq === 0) return this.calls?.answered(call, told, outcome)
    if (this.hand?.seq === seq) return this.hand.told(call, told, outcome)
    const next = this.mailbox?.at(0)
    // The message that runs again was not begun yet.
    if (next?.seq === seq && next instanceof Replayed) return next.told(call, told)
    const hand = this.calls?.outliving.get(seq)
    hand?.told(call, told, outcome)
    if (hand?.awaits === false) this.calls?.outliving.delete(seq)
  }

  // --- what its handlers call

  get home(): object {
    return this.options.actor.home
  }

  get system(): string {
    return this.options.actor.system
  }

  get dying(): boolean {
    return this.over || this.halted !== undefined
  }

  asking(call: Call): void {
    const answered = call.seq === 0 ? undefined : this.answers?.answered
    // What follows from an answer must not be done twice, so that is to stand.
    this.options.report.asking(answered === undefined ? call : { ...call, answered })
  }

  abandoned(seq: number, call: number): void {
    this.calls?.abandoned(seq, call)
    this.options.report.abandoned(seq, call)
  }

  slept(seq: number, nth: number, heard: number, slept: number, began: number | undefined): void {
    this.options.report.slept(seq, nth, heard, slept, began)
  }

  loose(made: Made): number {
    return (this.calls ??= new LooseCalls()).add(made)
  }

  later(task: () => void): void {
    this.fiber?.currentDispatcher.scheduleTask(() => {
      if (!this.over) task()
    }, 0)
  }

  after(millis: number, task: () => void): () => void {
    return this.options.loop.after(millis, task)
  }

  fail(death: Death): void {
    this.halt(death)
  }

  // --- what its behavior does with itself

  get name(): string {
    return this.options.actor.name
  }

  get address(): Address {
    return this.options.actor.address
  }

  /** Answers that belong to no message. */
  private reportAnswers(): void {
    const answers = this.answers?.take()
    if (answers !== undefined) this.options.report.answered(answers)
  }

  get leave(): Effect.Effect<void> {
    return Effect.suspend(() => {
      const hand = current()
      // What does not belong to this incarnation's messages has nothing in hand.
      return (hand instanceof Hand && hand.isOf(this) ? hand : new Hand(this, Context.empty())).leave
    })
  }

  /** Answers a message that was to be answered later. */
  private answerLater(token: Token, outcome: Exit.Exit<unknown, unknown>): boolean {
    const { actor: { id }, behavior: { definition } } = this.options
    const method = definition.methods.get(token.method)
    if (token.actor !== id || method === undefined) return false
    const { seq } = token
    this.answers ??= new Answers([])
    if (this.dying || !this.answers.waitsFor(token, this.message)) return false
    const answer: AnswerWord = [seq, ...encodeAnswer(method, outcome)]
    this.answers.give(answer)
    if (this.served && this.message === undefined) this.reportAnswers()
    return true
  }

  carry(method: Method, payload: unknown): Exit.Exit<unknown, string> {
    return this.options.carry(method, payload)
  }

  set(change: TimerChange): void {
    if (this.over) return
    if (this.served && this.message === undefined) return this.options.report.timed([change])
    this.timers ??= []
    this.timers.push([this.options.now(), change])
  }

  /** What was set meanwhile, and is now committed. */
  private takeTimers(): Timers {
    const { timers } = this
    if (timers === undefined) return undefined
    this.timers = undefined
    const now = this.options.now()
    return timers.map(([at, change]) =>
      change[0] === "cancel" ? change : [change[0], change[1], change[2], change[3], change[4], now - at]
    )
  }

  // --- its life

  /** Whether it would begin with whatever came now. */
  get free(): boolean {
    return this.served && this.message === undefined && !this.stopping && !this.dying && (this.mailbox?.size ?? 0) === 0
  }

  /** See `Hand.lacksOnly`; for a call of message `seq`. */
  lacksOnly(seq: number, call: number): number | undefined {
    return this.dying || this.hand?.seq !== seq ? undefined : this.hand.lacksOnly(call)
  }

  /** Whether the behavior is still being set up. */
  get starting(): boolean {
    return !this.served
  }

  /** Whether it is being set up, or has a message in hand. */
  get working(): boolean {
    return this.starting || this.message !== undefined
  }

  /** Whether the message in hand may run again. */
  get replayable(): boolean {
    return this.message?.method.replayable !== false
  }

  /** The message in hand, 0 for none. */
  get seq(): number {
    return this.message?.seq ?? 0
  }

  /** Completes when nothing of the incarnation runs any more. */
  get gone(): Effect.Effect<void> {
    return this.fiber === undefined ? Effect.void : Effect.asVoid(Fiber.await(this.fiber))
  }

  whenGone(task: () => void): void {
    if (this.fiber === undefined) task()
    else this.fiber.addObserver(task)
  }

  private rouse(): void {
    const wake = this.wake
    if (wake === undefined) return
    this.wake = undefined
    if (depth >= deepest) return this.options.loop.soon(() => wake(this.next))
    depth++
    wake(this.next)
    depth--
  }

  private end(exit: Exit.Exit<void, Death>): void {
    this.over = true
    this.hand?.leaveOff()
    const { report } = this.options
    if (this.halted !== undefined) return report.died(this.halted, this.seq)
    if (Exit.isSuccess(exit)) return report.stopped()
    const failure = exit.cause.reasons.find((reason) => reason._tag === "Fail")
    report.died(failure === undefined ? fromCause("Defect", exit.cause) : failure.error, this.seq)
  }

  private live(): Effect.Effect<void, Death, R | Scope> {
    const { actor: { name, parentName: parent }, behavior, config, incarnation, report } = this.options
    const codec = behavior.definition.stateCodec
    let restored: Option.Option<unknown> = Option.none()
    if (codec !== undefined && Option.isSome(this.options.restored)) {
      const decoded = codec.decode(this.options.restored.value)
      if (Exit.isFailure(decoded)) {
        return Effect.fail(
          new Death({ kind: "StartFailed", message: `the state does not fit its schema: ${Codec.reason(decoded)}` })
        )
      }
      restored = Option.some(decoded.value)
    }
    const self = (): Self<Rpc.Any> => new Own(this, behavior.definition)
    const answer = (): Answer => (token, outcome) => this.answerLater(token, outcome)
    const context = {
      config,
      restored,
      name,
      incarnation,
      parent,
      // Most have no use for these.
      get self() {
        return self()
      },
      get answer() {
        return answer()
      }
    }
    return Effect.matchCauseEffect(
      Effect.suspend(() => {
        // What a start calls belongs to no message, but to this incarnation.
        this.newHand()
        return behavior.start(context)
      }),
      {
        onFailure: (cause) => Effect.fail(fromCause("StartFailed", cause)),
        onSuccess: (serving) => {
          const message = unservable(behavior.definition, serving)
          if (message !== undefined) return Effect.fail(new Death({ kind: "StartFailed", message }))
          this.served = true
          this.serving = serving
          this.dropHand()
          report.started(this.takeTimers())
          this.reportAnswers()
          return this.next
        }
      }
    )
  }

  // One of each for the whole of its life: a cell that waits should be small, and a message cheap.

  private readonly next: Effect.Effect<void, Death> = Effect.suspend(() => this.take())

  private readonly sleep: Effect.Effect<void, Death> = Effect.callback((resume) => {
    // The fiber may have yielded on its way here; what has come meanwhile has found nobody to wake.
    if (this.stopping || (this.mailbox?.size ?? 0) > 0) resume(this.next)
    else this.wake = resume
  })

  /** Made at the first message. */
  private settled: Settled | undefined

  /** Goes on with an empty stack. */
  private get unwound(): Effect.Effect<void> {
    const { loop } = this.options
    return Effect.callback((resume) => loop.soon(() => resume(Effect.void)))
  }

  private take(): Effect.Effect<void, Death> {
    // Who was halted while it could not be interrupted begins nothing more.
    if (this.stopping || this.halted !== undefined) return Effect.void
    const message = this.mailbox?.shift()
    if (message === undefined) return this.sleep
    const { method, seq } = message
    this.message = message
    const handler = this.serving?.handlers[method.name]
    if (handler === undefined) return Effect.fail(fromUnknown("Defect", `no handler for ${method.name}`))
    const hand = this.hand ?? this.newHand()
    hand.take(seq, method.name, message instanceof Replayed ? message.journal : undefined)
    let handling: Effect.Effect<unknown, unknown>
    try {
      handling = handler(message.payload, { actor: this.options.actor.id, seq, method: method.name })
    } catch (error) {
      handling = Effect.die(error)
    }
    this.settled ??= {
      onFailure: (cause) => this.settle(Exit.failCause(cause)),
      onSuccess: (value) => this.settle(Exit.succeed(value))
    }
    return Effect.matchCauseEffect(handling, this.settled)
  }

  private newHand(): Hand {
    const fiber = Fiber.getCurrent()!
    this.fiber ??= fiber
    const hand = this.hand = new Hand(this, fiber.context)
    fiber.setContext(Context.add(fiber.context, InHand, hand))
    return hand
  }

  private dropHand(): void {
    if (this.hand !== undefined) Fiber.getCurrent()?.setContext(this.hand.outer)
    this.hand = undefined
  }

  private settle(outcome: Exit.Exit<unknown, unknown>): Effect.Effect<void, Death> {
    const method = this.message?.method.name
    if (Exit.isFailure(outcome) && outcome.cause.reasons.some((reason) => reason._tag !== "Fail")) {
      return Effect.fail(fromCause("Defect", outcome.cause, method))
    }
    const missing = this.hand?.missing
    if (missing !== undefined) return Effect.fail(missing)
    let state: unknown
    try {
      state = this.commit()
    } catch (error) {
      return Effect.fail(fromUnknown("Defect", error, method))
    }
    if (depth >= deepest) return Effect.flatMap(this.unwound, () => this.answer(outcome, state))
    return this.answer(outcome, state)
  }

  /** The encoded state. */
  private commit(): unknown {
    const codec = this.options.behavior.definition.stateCodec
    const snapshot = this.serving?.snapshot
    if (codec === undefined || snapshot === undefined) return undefined
    const state = codec.encode(snapshot())
    if (Exit.isFailure(state)) throw new TypeError(`the snapshot does not fit its schema: ${Codec.reason(state)}`)
    return state.value
  }

  private answer(outcome: Exit.Exit<unknown, unknown>, state: unknown): Effect.Effect<void, Death> {
    const { hand, message } = this
    this.message = undefined
    if (hand?.free() === false) {
      this.dropHand()
      if (hand.awaits) (this.calls ??= new LooseCalls()).outliving.set(hand.seq, hand)
    }
    if (message !== undefined) {
      depth++
      const answers = this.answers?.take()
      const { method, seq } = message
      const later = Exit.isSuccess(outcome) && outcome.value === mark
      if (later) (this.answers ??= new Answers([])).expect(seq, method, answers)
      this.options.report.replied(seq, method, later ? "later" : outcome, state, this.takeTimers(), answers)
      depth--
    }
    return this.next
  }
}

/** Calls that belong to no message: of a start, and of what outlives its message. */
class LooseCalls {
  /** Messages that were answered while some of their calls were under way, for which somebody waits. */
  readonly outliving = new Map<number, Hand>()
  private readonly made = new Map<number, Made>()
  private last = 0

  add(made: Made): number {
    this.made.set(++this.last, made)
    return this.last
  }

  /** Nobody waits for the outcome any more. */
  abandoned(seq: number, call: number): void {
    if (seq === 0) this.made.delete(call)
    else if (this.outliving.get(seq)?.awaits === false) this.outliving.delete(seq)
  }

  answered(call: number, told: Told | undefined, outcome: Exit.Exit<unknown, unknown> | undefined): void {
    const made = this.made.get(call)
    this.made.delete(call)
    give(made, told, outcome)
  }
}

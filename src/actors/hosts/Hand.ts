/**
 * The message that an incarnation has in hand, with what its handler calls and is told.
 *
 * A message that runs again has a journal of what it did before. Its handler makes the same calls; each is found there by
 * what it is (whom, which method, which payload), is not sent again, and is told its old outcome, or waits for the one that is
 * still under way. Which answer came first is an input too: an outcome is handed out when all that stands before it in
 * the journal has happened again, one in a turn of the event loop, so that what it leads to comes before the next.
 *
 * The date is an input as well: a handler sees the one at which its message began, moved on by what it waited for.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { Scope } from "effect/Scope"
import type { Method } from "../Actor.ts"
import { Death, fromUnknown } from "../Death.ts"
import { ActorStopped, JournalTooLong, MessageRefused } from "../errors.ts"
import type { Address, Hand as Calls, Waiting } from "../InHand.ts"
import type { CallMode, JournalWord, Line } from "../links/HostLink.ts"
import * as Codec from "../messages/Codec.ts"
import * as Outcome from "../messages/Outcome.ts"
import { requests, systemAddress } from "../messages/requests.ts"
import { sameValue } from "../messages/sameValue.ts"
import { shown } from "../Options.ts"
import type { Call, Told } from "./Host.ts"
import { dateOf } from "./inputs.ts"
import { Random } from "./Random.ts"

/** Calls that one message may make. */
export const mostCalls = 10_000

/** For so many milliseconds what is there waits for what is to happen again before it; then the message does otherwise. */
const patience = 1000

/** The incarnation whose hand it is. */
export interface Caller {
  readonly home: object
  readonly system: string
  readonly name: string
  /** It is being ended from outside: what it does now is not what its message does, and has no effect on others. */
  readonly dying: boolean
  asking(call: Call): void
  abandoned(seq: number, call: number): void
  slept(seq: number, nth: number, heard: number, slept: number, began: number | undefined): void
  /** Numbers a call that belongs to no message. */
  loose(made: Made): number
  /** Runs a task after what is ready to run, or after so many milliseconds. */
  later(task: () => void): void
  after(millis: number, task: () => void): () => void
  /** Ends the incarnation: its message cannot count once. */
  fail(death: Death): void
}

/** A call that was made, and who waits for its outcome. */
export interface Made extends Call, Waiting {
  call: number
  heard: number
  slept: number
  began: number | undefined
}

type Outcome = Exit.Exit<unknown, unknown>
type CallLine = Extract<Line, readonly ["call" | "recalled", ...ReadonlyArray<unknown>]>

const isCall = (line: Line): line is CallLine => line[0] === "call" || line[0] === "recalled"

// Most messages run once: what only a second run needs is made there.
const noLines: Array<Line> = []
const noCalls: Map<number, CallLine> = new Map()
const noSleeps: Set<number> = new Set()

/** What a message has done so far, and is to do again. */
class Run {
  /** The date at which it began, once the handler has looked. */
  began: number | undefined
  /** What is to happen again, in order. */
  readonly lines: Array<Line>
  at = 0
  /** Calls that were not made again yet, by number, oldest first. */
  readonly kept: Map<number, CallLine>
  /** It does not do again what it did: nobody waits for that any longer. */
  astray = false
  /** Calls whose outcome somebody waits for: mostly one at a time. */
  private only: Made | undefined
  private others: Map<number, Made> | undefined
  calls: number
  /** Outcomes that have come, and those that were handed out. */
  received = 0
  heard = 0
  /** For how long the message has been at it, as its handler sees it: milliseconds. */
  elapsed = 0
  /** How long it had been at it when it made its first call. */
  since: number | undefined
  /** Something waits for the next turn of the event loop to be handed out. */
  waiting = false
  /** What calls off the look at whether it goes on. */
  unwatch: (() => void) | undefined
  /** Waits for the clock so far; those that end by the journal; and those of them that have begun. */
  sleeps = 0
  /** How many ends of them its owner has been told. */
  over = 0
  /** Those that were over before the first call. */
  early: Array<number> | undefined
  readonly slept: Set<number>
  asleep: Map<number, () => void> | undefined
  /** What waits until all has happened again. */
  afterwards: Array<() => void> | undefined

  constructor(journal: JournalWord | undefined) {
    this.began = journal?.began
    this.lines = journal === undefined ? noLines : journal.lines.slice()
    this.kept = journal === undefined ? noCalls : new Map()
    this.slept = journal === undefined ? noSleeps : new Set()
    this.calls = journal?.calls ?? 0
    for (const line of this.lines) {
      if (line[0] === "slept") {
        this.slept.add(line[1])
        this.over++
      }
      if (line[0] === "told") this.received++
      if (isCall(line)) this.kept.set(line[1], line)
    }
  }

  /** Somebody waits for a call. */
  put(made: Made): void {
    if (this.only === undefined) this.only = made
    else (this.others ??= new Map()).set(made.call, made)
  }

  /** A call has ended. */
  take(call: number): Made | undefined {
    const { only, others } = this
    if (only?.call === call) {
      this.only = undefined
      return only
    }
    const other = others?.get(call)
    others?.delete(call)
    return other
  }

  isAwaited(call: number): boolean {
    const made = this.only?.call === call ? this.only : this.others?.get(call)
    return made?.resume !== undefined
  }

  /** Whether somebody waits for one of its calls. */
  get awaits(): boolean {
    if (this.only?.resume !== undefined) return true
    for (const { resume } of this.others?.values() ?? []) if (resume !== undefined) return true
    return false
  }

  /** Whether something is still to happen again. */
  get again(): boolean {
    return this.at < this.lines.length
  }

  /** A call of an earlier run that was not made again: with this payload, or where none is given one that was not taken back. */
  find(mode: CallMode, to: Address, method: Method, payload?: { readonly is: unknown }): CallLine | undefined {
    for (const line of this.kept.values()) {
      const [kind, , its, target, , name, sent] = line
      if (its !== mode || target !== to.id || name !== method.name) continue
      if (payload === undefined ? kind === "call" : sameValue(sent, payload.is)) return line
    }
    return undefined
  }

  /** The first that was not made again, nor taken back. */
  get missing(): CallLine | undefined {
    for (const line of this.kept.values()) if (line[0] === "call") return line
    return undefined
  }

  /** Does something when all has happened again. */
  afterAll(task: () => void): void {
    ;(this.afterwards ??= []).push(task)
  }

  /** Whether somebody waits for what a line holds, which may still have to wait for others. */
  private isWanted(line: Line): boolean {
    if (line[0] === "told") return this.isAwaited(line[1])
    return line[0] === "slept" && this.asleep?.has(line[1]) === true
  }

  /** Whether somebody waits for what is to happen again. */
  get holdsBack(): boolean {
    return this.afterwards !== undefined || this.lines.some((line, at) => at >= this.at && this.isWanted(line))
  }

  /** Takes out the first that somebody waits for, whatever is to happen again before it. */
  takeWanted(): Line | undefined {
    const at = this.lines.findIndex((line, at) => at >= this.at && this.isWanted(line))
    return at < 0 ? undefined : this.lines.splice(at, 1)[0]
  }
}

/** Where nobody else has got hold of it meanwhile, the hand takes the next message. */
export class Hand implements Calls {
  /** Its message; 0 for none. */
  seq = 0
  /** What its fiber has beside it. */
  readonly outer: Context.Context<never>
  private readonly caller: Caller
  private method = ""
  private run: Run | undefined
  private stream: Random | undefined
  private shared = false
  /** What is to be done before the next call. */
  private putOff: Array<() => void> | undefined
  /** Its reply has been given: what it has forked belongs to no message any more. */
  private over = false

  constructor(caller: Caller, outer: Context.Context<never>) {
    this.caller = caller
    this.outer = outer
  }

  /** Takes a message; with what it did before, where it runs again. */
  take(seq: number, method: string, journal: JournalWord | undefined): void {
    this.seq = seq
    this.method = method
    if (journal !== undefined) this.run = new Run(journal)
  }

  /** The message has been answered: whether this hand is free, or stays with what it did. */
  free(): boolean {
    this.leaveOff()
    this.over = this.shared
    if (this.shared) return false
    // Nobody else has it in hand. What is called before the next message comes is of none.
    this.seq = 0
    this.run = undefined
    this.stream = undefined
    this.putOff = undefined
    return true
  }

  /** What it did before is not looked at any more. */
  leaveOff(): void {
    this.run?.unwatch?.()
  }

  beforeNext(task: () => void): void {
    ;(this.putOff ??= []).push(task)
  }

  share(): void {
    this.shared = true
  }

  /** Whether it is a hand of this incarnation. */
  isOf(caller: Caller): boolean {
    return this.caller === caller
  }

  /** Ends the actor that it is of, when its message is answered. */
  get leave(): Effect.Effect<void> {
    const system = systemAddress(
      (_method, _payload, _millis, _tell, _failWhenFull, resume) => void resume(Exit.void)
    )
    return Effect.callback<void>((resume) => {
      // Who has been stopped meanwhile ends all the same.
      this.send(
        system,
        requests.stop,
        { name: this.caller.name },
        Number.POSITIVE_INFINITY,
        false,
        false,
        () => resume(Effect.void)
      )
    })
  }

  get home(): object {
    return this.caller.home
  }

  get system(): string {
    return this.caller.system
  }

  get scope(): Scope | undefined {
    return Context.getOrUndefined(this.outer, Scope)
  }

  send(
    to: Address,
    method: Method,
    payload: unknown,
    millis: number,
    tell: boolean,
    failWhenFull: boolean,
    resume: (outcome: Outcome) => void
  ): Waiting | undefined {
    if (this.caller.dying) return void resume(Exit.fail(new ActorStopped({ actor: this.caller.name })))
    const { putOff } = this
    this.putOff = undefined
    if (putOff !== undefined) { for (const task of putOff) task() }
    const encoded = method.payload.encode(payload)
    if (Exit.isFailure(encoded)) {
      const reason = Codec.reason(encoded)
      return void resume(
        Exit.fail(new MessageRefused({ actor: to.name, method: method.name, part: "payload", reason }))
      )
    }
    const mode = tell ? "tell" : "ask"
    const { caller } = this
    const made: Made = {
      seq: this.journalled ? this.seq : 0,
      call: 0,
      mode,
      to,
      method,
      payload: encoded.value,
      value: payload,
      millis,
      failWhenFull,
      heard: 0,
      slept: 0,
      began: undefined,
      resume
    }
    if (made.seq === 0) {
      made.call = caller.loose(made)
      caller.asking(made)
      return made
    }
    const run = this.begun()
    if (run.again) {
      const kept = run.find(mode, to, method, { is: made.payload })
      if (kept?.[0] === "recalled") {
        // It had no effect, and is to have one only if it is not taken back again.
        run.kept.delete(kept[1])
        caller.after(patience, () => {
          if (this.run === run && !this.over && made.resume !== undefined) this.place(run, made)
        })
        this.advance(run)
        return made
      }
      if (kept !== undefined) return this.again(run, kept, made)
      const other = run.find(mode, to, method)
      if (other !== undefined) {
        return void caller.fail(this.divergence(`calls ${to.name}.${method.name} with ${shown(made.payload)}`, other))
      }
    }
    this.place(run, made)
    return made
  }

  abandon(waiting: Waiting): void {
    waiting.resume = undefined
    const { call, seq } = waiting as Made
    // One that was not made yet never is.
    if (call === 0) return
    if (!this.caller.dying) this.caller.abandoned(seq, call)
  }

  /** How a call ended: encoded, where its message is still in hand; the `outcome` itself, where it comes from this side. */
  told(call: number, told: Told | undefined, outcome: Outcome | undefined): void {
    const { run } = this
    if (run === undefined) return
    if (told === undefined || this.over) {
      return give(run.take(call), told, outcome)
    }
    // One before it was lost on the way. What comes after it waits until that is noticed, and the message runs again.
    if (told.nth !== run.received + 1) return
    run.received++
    if (!run.again || (run.astray && run.isAwaited(call))) return this.hand(run, call, told, outcome)
    run.lines.push(["told", call, told.kind, told.value, told.at, false])
    this.advance(run)
  }

  /** Whether somebody waits for one of its calls. */
  get awaits(): boolean {
    return this.run?.awaits === true
  }

  /**
   * Which outcome of the message that of `call` will be, where all other calls have ended, and somebody waits for it: then its
   * host may say how it ended, since the owner need not say what came first.
   */
  lacksOnly(call: number): number | undefined {
    const { run } = this
    if (run === undefined || this.over || run.again || run.received !== run.calls - 1) return undefined
    return run.isAwaited(call) ? run.received + 1 : undefined
  }

  /** What was not done again, where the message is about to be answered. */
  get missing(): Death | undefined {
    const call = this.run?.missing
    return call && this.divergence("is about to be answered", call)
  }

  /** The date that the handler sees, in milliseconds since 1970. */
  get date(): number {
    if (!this.journalled) return dateOf(this.outer)
    const run = this.begun()
    run.began ??= dateOf(this.outer) - run.elapsed
    return run.began + run.elapsed
  }

  /** A wait of `millis`, which `waiting` does. Where it was over in an earlier run, its end has its place in the journal. */
  sleep(millis: number, waiting: Effect.Effect<void>): Effect.Effect<void> {
    return Effect.suspend(() => {
      if (!this.journalled) return waiting
      const run = this.begun()
      const nth = ++run.sleeps
      const until = run.elapsed + millis
      const over = Effect.sync(() => {
        run.elapsed = Math.max(run.elapsed, until)
      })
      if (run.slept.has(nth)) return Effect.andThen(this.sleepAgain(run, nth), over)
      return waiting.pipe(
        Effect.andThen(
          Effect.suspend(() =>
            run.again && !run.astray
              ? waitFor((wake) => {
                run.afterAll(wake)
                this.advance(run)
              })
              : Effect.void
          )
        ),
        Effect.andThen(over),
        Effect.andThen(Effect.sync(() => {
          if (!this.journalled || this.caller.dying) return
          if (run.calls === 0) (run.early ??= []).push(nth)
          else this.caller.slept(this.seq, nth, run.heard, run.over++, run.began)
        }))
      )
    })
  }

  /** Where the handler's random numbers come from: its actor's name and the message's number. */
  get random(): Random | undefined {
    if (!this.journalled) return undefined
    return this.stream ??= new Random(this.caller.name, this.seq)
  }

  // --- within

  private get journalled(): boolean {
    return this.seq !== 0 && !this.over
  }

  /** A call is made that no earlier run has made. */
  private place(run: Run, made: Made): void {
    const { caller } = this
    // What was waited for before has its place before the first call.
    if (run.early !== undefined) {
      for (const nth of run.early) caller.slept(this.seq, nth, 0, run.over++, run.began)
      run.early = undefined
    }
    if (run.calls >= mostCalls) {
      const error = new JournalTooLong({ actor: caller.name, method: this.method, calls: mostCalls })
      return caller.fail(fromUnknown("Defect", error, this.method))
    }
    run.since ??= run.elapsed
    made.call = ++run.calls
    made.heard = run.heard
    made.slept = run.over
    made.began = run.began
    run.put(made)
    caller.asking(made)
  }

  private begun(): Run {
    return this.run ??= new Run(undefined)
  }

  /** A call is made that an earlier run has made. */
  private again(run: Run, [, call]: CallLine, made: Made): Made {
    made.call = call
    run.since ??= run.elapsed
    run.kept.delete(call)
    run.put(made)
    // What was told before the call had returned is so again.
    this.pass(run)
    const next = run.lines[run.at]
    if (next?.[0] === "told" && next[1] === call && next[5]) this.step(run)
    this.advance(run)
    return made
  }

  private sleepAgain(run: Run, nth: number): Effect.Effect<void> {
    return Effect.onInterrupt(
      waitFor((wake) => {
        ;(run.asleep ??= new Map()).set(nth, wake)
        this.advance(run)
      }),
      () =>
        Effect.sync(() => {
          ;(run.asleep ??= new Map()).set(nth, () => {})
          this.advance(run)
        })
    )
  }

  /** Passes the calls that were made again. */
  private pass(run: Run): void {
    for (; run.again; run.at++) {
      const line = run.lines[run.at]!
      if (!isCall(line) || run.kept.has(line[1])) return
    }
    this.wakeAll(run)
  }

  private wakeAll(run: Run): void {
    const { afterwards } = run
    run.afterwards = undefined
    for (const wake of afterwards ?? []) wake()
  }

  /** Somebody waits for what is to happen again. That must not be for ever: the message may do otherwise. */
  private watch(run: Run): void {
    if (run.astray) return this.letGo(run)
    if (run.unwatch !== undefined) return
    const { at } = run
    run.unwatch = this.caller.after(patience, () => {
      run.unwatch = undefined
      if (run.at !== at) return this.advance(run)
      run.astray = run.holdsBack
      if (run.astray) this.letGo(run)
    })
  }

  /** Hands out what is there, one in a turn of the event loop. */
  private letGo(run: Run): void {
    this.wakeAll(run)
    if (run.waiting || !run.holdsBack) return
    run.waiting = true
    this.caller.later(() => {
      run.waiting = false
      const line = run.takeWanted()
      if (line !== undefined) this.happen(run, line)
      this.advance(run)
    })
  }

  /** Sees to it that what is next is handed out, in a turn of its own. */
  private advance(run: Run): void {
    this.pass(run)
    const line = run.lines[run.at]
    if (line === undefined || run.waiting) return
    if (isCall(line) || (line[0] === "slept" && run.asleep?.has(line[1]) !== true)) return this.watch(run)
    run.waiting = true
    this.caller.later(() => {
      run.waiting = false
      this.step(run)
      this.advance(run)
    })
  }

  /** Hands out what is next. */
  private step(run: Run): void {
    const line = run.lines[run.at]
    if (line === undefined || isCall(line)) return
    run.at++
    this.happen(run, line)
  }

  private happen(run: Run, line: Line): void {
    if (line[0] === "slept") {
      const wake = run.asleep?.get(line[1])
      run.asleep?.delete(line[1])
      return wake?.()
    }
    if (line[0] !== "told") return
    const [, call, kind, value, at] = line
    this.hand(run, call, { kind, value, at, nth: run.heard + 1 }, undefined)
  }

  private hand(run: Run, call: number, told: Told, outcome: Outcome | undefined): void {
    run.heard++
    run.elapsed = Math.max(run.elapsed, (run.since ?? 0) + told.at)
    give(run.take(call), told, outcome)
  }

  private divergence(does: string, [, , , , name, method, payload]: CallLine): Death {
    return new Death({
      kind: "Diverged",
      method: this.method,
      message:
        `message ${this.seq} (${this.method}) runs again and ${does}; before it had called ${name}.${method} with ` +
        `${
          shown(payload)
        }: what it does must follow from its payload, its state, what it is told, Effect's Clock and Random`
    })
  }
}

/** Gives an outcome to who waits for it. */
export const give = (made: Made | undefined, told: Told | undefined, outcome: Outcome | undefined): void => {
  const resume = made?.resume
  if (made === undefined || resume === undefined) return
  made.resume = undefined
  if (outcome !== undefined) return resume(outcome)
  if (told !== undefined) resume(Outcome.decode(made.to.name, made.method, told.kind, told.value))
}

const waitFor = (register: (wake: () => void) => void): Effect.Effect<void> =>
  Effect.callback((resume) => register(() => resume(Effect.void)))

/**
 * What the incarnations of one actor call, as its owner keeps it: the calls under way, the journal of the message in hand, and
 * whom that waits for, so that nobody waits for itself. Made at an actor's first call: most make none.
 */
import * as Exit from "effect/Exit"
import type { Method } from "../Actor.ts"
import { AskCycle, AskTimeout } from "../errors.ts"
import type { Call, CallEndThere, Envelope, Told } from "../hosts/Host.ts"
import type { Waiting } from "../InHand.ts"
import { encode } from "../messages/Outcome.ts"
import { requests, systemId } from "../messages/requests.ts"
import type { Guardian } from "./Guardian.ts"
import { Journal } from "./Journal.ts"

type Outcome = Exit.Exit<unknown, unknown>

/** An ask that the message in hand has made of another actor, and that was not answered yet. */
export interface Asking {
  readonly actor: string
  readonly method: string
}

/** What the system does for a call. */
export interface Served {
  /** The actor that its answer waits for. */
  readonly waitsFor?: Guardian
  /** Ends the waiting for what is only waited for. */
  readonly callOff?: () => void
}

/** Which call of which message (0 for none) has led to a child. */
export interface SpawnCall {
  readonly seq: number
  readonly call: number
}

/** A call of an incarnation that has not ended. */
interface OpenCall {
  readonly incarnation: number
  /** The message that made it, 0 for none; null once that is not there any more, or does not go on with it. */
  seq: number | null
  readonly made: Call
  /** Whom it waits for, where there is such an actor. */
  target: Guardian | undefined
  /** When it was made, in milliseconds of the system's time. */
  readonly sent: number
  /** Where it is kept. */
  readonly journal: Journal | undefined
  envelope: Waiting | undefined
  /** What ends it where nobody waits for it any more. */
  callOff: (() => void) | undefined
  /** Whether that is so, and only the message waits that may run again. */
  forsaken: boolean
  /** It does not count: nobody hears how it ends. */
  recalled: boolean
  /** Whether its host goes on; and how it ended before that. */
  returned: boolean
  early: Outcome | undefined
  /** What its host has told of its end. */
  told: CallEndThere | undefined
}

export class Calls {
  private readonly caller: Guardian
  /** What the message in hand has called and was told, where it has called somebody. */
  private journal: Journal | undefined
  /** Calls that have not ended. Those of the message in hand wait for others, and must not wait for themselves. */
  private open: Array<OpenCall> = []
  /** The call that is just being made. */
  private calling: OpenCall | undefined
  /** How many calls the present incarnation has made that belong to no message. */
  private loose = 0

  constructor(caller: Guardian) {
    this.caller = caller
  }

  /** The call that is just being made leads to a child, and waits for that. */
  spawning(child: Guardian): SpawnCall | undefined {
    const { calling } = this
    if (calling === undefined || calling.seq === null) return undefined
    calling.target = child
    return { seq: calling.seq, call: calling.made.call }
  }

  /** What message `seq` did when it ran before. */
  journalFor(seq: number): Journal | undefined {
    return this.journal?.seq === seq ? this.journal : undefined
  }

  /** Whether so many calls were made for message `seq` (in hand), it slept so often, and may have heard so many outcomes. */
  hasMade(seq: number, calls: number, slept: number, heard: number): boolean {
    if (seq === 0) return calls === this.loose
    const journal = this.journalFor(seq)
    if (heard > (journal?.told ?? 0)) return false
    return (Number.isNaN(calls) || calls === (journal?.calls ?? 0)) && slept === (journal?.waits ?? 0)
  }

  make(incarnation: number, call: Call, target: Guardian | undefined): void {
    const { caller } = this
    const { method, mode, seq, taken, to } = call
    if (seq === 0) this.loose = call.call
    const sent = caller.now
    const journal = seq === 0 ? undefined : this.journalOf(seq, call.began, sent)
    journal?.called(call)
    const open: OpenCall = {
      incarnation,
      seq,
      made: call,
      target,
      sent,
      journal,
      envelope: undefined,
      callOff: undefined,
      forsaken: false,
      recalled: false,
      returned: false,
      early: undefined,
      told: undefined
    }
    this.open.push(open)
    const outer = this.calling
    this.calling = open
    // What a start waits for keeps its actor from all messages.
    const waits = (seq !== 0 || !caller.serves) && (mode === "ask" || target?.isFull === true)
    const chain = waits && target !== undefined ? this.chainFrom(target, method) : undefined
    const resume = (outcome: Outcome): void => {
      // Where it ends before it has returned, its handler sees that when it returns, after what it was told meanwhile.
      if (open.returned || caller.host.border) this.settle(open, outcome, false)
      else open.early = outcome
    }
    if (chain !== undefined) resume(Exit.fail(new AskCycle({ actor: to.name, chain })))
    else {
      if (to.id === systemId) {
        const served = caller.serve(method.name, call.value, resume)
        open.target = served?.waitsFor
        open.callOff = served?.callOff
      } else if (target === undefined) open.envelope = sendTo(call, resume)
      else open.envelope = taken === undefined ? target.sendCall(call, sent, resume) : target.takeIn(call, sent, resume)
    }
    this.calling = outer
    open.returned = true
    if (open.early !== undefined) this.settle(open, open.early, true)
  }

  /** Nobody waits for the outcome any more. Whether it may be that of a spawn. */
  abandoned(seq: number, call: number): boolean {
    const open = this.find(seq, call)
    if (open === undefined) return true
    const { envelope, journal, made: { method }, target } = open
    if (open.callOff !== undefined) {
      // The message may run again and wait for it.
      if (journal !== undefined && journal === this.journal) open.forsaken = true
      else this.callOff(open)
      return false
    }
    this.close(open)
    if (method === requests.spawn) {
      // What it has led to ends.
      open.recalled = true
      journal?.recall(call)
      return true
    }
    if (envelope !== undefined && target !== undefined) this.giveUp(open, target, envelope as Envelope)
    return false
  }

  slept(seq: number, nth: number, heard: number, began: number | undefined): void {
    this.journalOf(seq, began, this.caller.now)?.slept(nth, heard)
  }

  /** A call ends so, and its incarnation was told by its host. */
  toldThere(seq: number, call: number, end: CallEndThere): void {
    const open = this.find(seq, call)
    // Where it is open it is about to be settled. Else we have said otherwise meanwhile, and were not heard.
    if (open !== undefined) open.told = end
    else this.journalFor(seq)?.correct(call, end)
  }

  /** How many outcomes message `seq` is known to have been told by its host, in its present incarnation. */
  heardThere(seq: number): number {
    return this.journalFor(seq)?.toldByHost ?? 0
  }

  /** The message in hand is over: what it called will not be called again. */
  commit(): void {
    if (this.journal === undefined) return
    this.journal = undefined
    if (this.open.length > 0) { for (const open of this.open.filter(({ forsaken }) => forsaken)) this.callOff(open) }
  }

  /** The incarnation is gone, and message `kept` is to run again with what it did, where there is one. Whether another did something. */
  lost(kept: number | undefined): boolean {
    this.loose = 0
    for (const open of this.open.filter(({ callOff, seq }) => callOff !== undefined && seq !== kept)) this.callOff(open)
    this.forsakeAll(0)
    if (this.journal === undefined) return false
    if (this.journal.seq === kept) {
      this.journal.toldByHost = 0
      return false
    }
    this.forsakeAll(this.journal.seq)
    this.journal = undefined
    return true
  }

  /** Message `seq` is not there any more. */
  drop(seq: number): void {
    this.forsakeAll(seq)
    this.journal = undefined
  }

  /** The actor has ended. */
  end(): void {
    this.journal = undefined
    const { open } = this
    this.open = []
    for (const each of open) if (!this.forsake(each)) each.callOff?.()
  }

  /** Asks of message `seq` that were not answered yet. */
  asks(seq: number | undefined): ReadonlyArray<Asking> {
    return this.open.flatMap(({ made: { method, mode }, seq: its, target }) =>
      its === seq && mode === "ask" && target !== undefined ? [{ actor: target.name, method: method.name }] : []
    )
  }

  /** Whom message `seq` waits for, or the start (0). */
  awaited(seq: number | undefined): ReadonlyArray<Guardian> {
    return this.open.flatMap((open) => open.seq === seq && open.target !== undefined ? [open.target] : [])
  }

  get none(): boolean {
    return this.open.length === 0
  }

  // --- within

  private find(seq: number, call: number): OpenCall | undefined {
    return this.open.find((open) => open.seq === seq && open.made.call === call)
  }

  private close(open: OpenCall): void {
    const { open: all } = this
    // Mostly the last that was made.
    if (all.at(-1) === open) return void all.pop()
    const index = all.indexOf(open)
    if (index >= 0) all.splice(index, 1)
  }

  private callOff(open: OpenCall): void {
    this.close(open)
    open.callOff?.()
  }

  /**
   * What its host does not have yet was never sent. The outcome of what was, and is not called off, is kept: the message may run
   * again and wait for it.
   */
  private giveUp(open: OpenCall, target: Guardian, envelope: Envelope): void {
    if (target.takeBack(envelope)) open.journal?.recall(open.made.call)
    else if (this.forsake(open)) {
      // Should the message do otherwise when it runs again, it is told so.
      const { method, millis } = envelope
      this.settle(open, Exit.fail(new AskTimeout({ actor: target.name, method: method.name, millis })), false)
    } else envelope.whenLater = () => this.giveUp(open, target, envelope)
  }

  /**
   * Nobody waits for a call any more: where it is to be answered later, or may be given up, its actor is told, and it is not
   * waited for. Whether that was so.
   */
  private forsake({ envelope: waiting, target }: OpenCall): boolean {
    // What is waited for at an actor is one of its envelopes.
    const envelope = waiting as Envelope | undefined
    if (envelope === undefined || target === undefined) return false
    if (!envelope.method.cancellable && !target.answersLater(envelope)) return false
    target.abandon(envelope)
    return true
  }

  /** The calls of a message that is not there any more, or asks anew, or of no message, are not waited for. */
  private forsakeAll(seq: number): void {
    for (const open of this.open.filter((open) => open.seq === seq)) {
      if (open.callOff !== undefined) this.callOff(open)
      else if (this.forsake(open)) this.close(open)
      else open.seq = null
    }
  }

  /** A call has ended. The message that made it may run anew meanwhile: it is told, as its journal is. */
  private settle(open: OpenCall, outcome: Outcome, within: boolean): void {
    this.close(open)
    if (open.recalled) return
    const { caller } = this
    const { incarnation, journal, made: { call, method, mode }, seq } = open
    const kept = journal === this.journal ? journal : undefined
    if (open.told !== undefined) return kept?.toldThere(call, open.told)
    let told: Told | undefined
    if (kept !== undefined || caller.host.border) {
      const [kind, value] = mode === "tell" && Exit.isSuccess(outcome) ? taken : encode(method, outcome)
      // What was answered at once took no time.
      const now = within ? open.sent : caller.now
      told = { kind, value, at: kept === undefined ? 0 : kept.at(now), nth: (kept?.told ?? -1) + 1 }
    }
    if (kept !== undefined && told !== undefined) kept.tell(call, told, within)
    if (seq !== null && caller.listens && (kept !== undefined || incarnation === caller.incarnation)) {
      caller.host.answered(caller, seq, call, told, outcome)
    }
  }

  /** The journal of message `seq`, where that is in hand. */
  private journalOf(seq: number, began: number | undefined, now: number): Journal | undefined {
    if (this.caller.seqInHand !== seq) return undefined
    if (this.journal?.seq !== seq) this.journal = new Journal(seq, now)
    this.journal.began ??= began
    return this.journal
  }

  /**
   * The chain of messages in hand from `target` to this actor, when `target` waits for this one already; closed by the call
   * of `method` that would make it a circle. Who calls nobody cannot be part of one, which is seen at once.
   */
  private chainFrom(target: Guardian, method: Method): ReadonlyArray<string> | undefined {
    const { caller } = this
    const closing = `${target.name}.${method.name}`
    if (target === caller) return [caller.inHandName, closing]
    if (target.awaitsNobody) return undefined
    const from = new Map<Guardian, Guardian | undefined>([[target, undefined]])
    // A map goes on with what is added meanwhile.
    for (const each of from.keys()) {
      for (const next of each.awaited) {
        if (next === caller) {
          const chain: Array<string> = [caller.inHandName, closing]
          for (let at: Guardian | undefined = each; at !== undefined; at = from.get(at)) chain.unshift(at.inHandName)
          return chain
        }
        if (!from.has(next)) from.set(next, each)
      }
    }
    return undefined
  }
}

const taken = ["taken", null] as const

/** A call of one who is not, or no longer, of this system. */
const sendTo = ({ failWhenFull, method, millis, mode, to, value }: Call, resume: (outcome: Outcome) => void) =>
  to.send(method, value, millis, mode === "tell", failWhenFull, resume)

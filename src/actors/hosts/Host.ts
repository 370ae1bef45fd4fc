/**
 * The border between an actor's owner and the place where its incarnations live.
 *
 * The owner (`Guardian`) keeps what must survive a death: the unanswered messages in order and the last committed state.
 * A `Host` runs one incarnation at a time of each of its tenants and reports. Whether that is a fiber, a thread or a
 * process is the host's affair; nothing above this interface knows.
 *
 * The rules a host keeps:
 * - messages are handled one at a time, in the order delivered;
 * - each report carries the number of the incarnation that it is about;
 * - after `died` or `stopped` of an incarnation nothing of it runs any more (the fence), so that the owner may place the next.
 */
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type { Method } from "../Actor.ts"
import type { Death } from "../Death.ts"
import type { Fault } from "../Fault.ts"
import type { Address } from "../InHand.ts"
import type {
  AnswerWord,
  CallMode,
  JournalWord,
  LaterWord,
  OutcomeKind,
  TakenIn,
  TimerChange
} from "../links/HostLink.ts"
import type { Known } from "../messages/requests.ts"
import type { Placement } from "../Placement.ts"

/** A message on its way: kept by the owner until it is answered. */
export interface Envelope {
  /** 1, 2, ... per actor; and -1, -2, ... those that its host has given it itself. */
  readonly seq: number
  readonly method: Method
  /** When it was sent, in milliseconds of the system's time. */
  readonly sent: number
  /** Encoded when the host lies behind a border, else the value itself. */
  readonly payload: unknown
  /** How long its sender waits, in milliseconds. */
  readonly millis: number
  /** When its sender gives up, in milliseconds of the system's time; `Infinity` for never. */
  expires: number
  /** Whether the sender waits only until the message is taken in. */
  readonly tell: boolean
  /** Takes the outcome; `undefined` once nobody waits for it. */
  resume: ((outcome: Exit.Exit<unknown, unknown>) => void) | undefined
  /** What is to be done where it turns out that it will be answered later: its asker has given up. */
  whenLater?: () => void
}

/** What a handler ends with: an outcome, or that it will be answered by another message. */
export type Reply = Exit.Exit<unknown, unknown> | "later"

/** Timers that an incarnation has set, if it has. */
export type Timers = ReadonlyArray<TimerChange> | undefined

/** Answers to messages of before, if it has given some. */
export type Answers = ReadonlyArray<AnswerWord> | undefined

/** Whom an incarnation calls, by which method, and with what. */
export interface Called {
  readonly to: Address
  readonly method: Method
  /** The payload as the one who is called takes it. */
  readonly value: unknown
}

/** What an incarnation calls another actor for. */
export interface Call extends Called {
  /** The message in hand; 0 for none. */
  readonly seq: number
  /** 1, 2, ... within that message; or of the incarnation, where there is none. */
  readonly call: number
  readonly mode: CallMode
  /** Encoded. */
  readonly payload: unknown
  readonly millis: number
  readonly failWhenFull: boolean
  /** How many outcomes its message had been told when it was made. */
  readonly heard: number
  /** How many of its waits for the clock were over. */
  readonly slept: number
  /** The date at which the message began, where its handler has asked for the date. */
  readonly began: number | undefined
  /** The messages of before that its message had answered by then. */
  readonly answered?: ReadonlyArray<number> | undefined
  /** Where its host has given it to a neighbor already. */
  readonly taken?: TakenIn | undefined
}

/** How a call ended, encoded. */
export interface CallEnd {
  readonly kind: OutcomeKind
  readonly value: unknown
  /** Milliseconds after the message's first call. */
  readonly at: number
}

/** The same, where a host has told it to who has called itself. */
export interface CallEndThere extends CallEnd {
  /** Before the call had returned: what followed it in its handler had not begun. */
  readonly within: boolean
}

/** The same, on its way to who has called. */
export interface Told extends CallEnd {
  /** Which outcome of its message this is: 1, 2, ... */
  readonly nth: number
}

/** Who an incarnation is. */
export interface Identity {
  /** Unique within the system. */
  readonly id: number
  readonly name: string
  /** Who has spawned it; `undefined` where the program did. */
  readonly parentName: string | undefined
  /** Where messages for it go. */
  readonly address: Address
  /** Its system, on this side; and what that is called in references. */
  readonly home: object
  readonly system: string
}

/** An actor as its host sees it, and where the host reports. */
export interface Tenant extends Identity {
  readonly definition: Known
  /** Encoded when the host lies behind a border. */
  readonly config: unknown
  /** The last committed state, always encoded: a handler cannot spoil what it has committed. */
  readonly state: unknown
  readonly hasState: boolean
  readonly incarnation: number
  /** The messages that are to be answered later, and for whose answer somebody waits. */
  readonly later: ReadonlyArray<LaterWord>
  /** Its owner is ending its present incarnation, and does not hear it any more. */
  readonly deaf: boolean
  /** How many messages its hosts have given it themselves: they are numbered -1, -2, ... */
  readonly taken: number

  /** Whether its incarnation may be at work: it starts, or has a message. */
  readonly working: boolean

  /** The method of the oldest unanswered message, if `seq` is its number. */
  pending(seq: number): Method | undefined
  /** `timers`: what the start has set. */
  started(incarnation: number, timers: Timers): void
  /**
   * `state` is encoded, and `undefined` for a stateless actor; `timers` is what the handler has set. `told`: to be called
   * before the asker gets the reply, where its host has told it already. Whether the reply counts.
   */
  replied(
    incarnation: number,
    seq: number,
    reply: Reply,
    state: unknown,
    timers: Timers,
    answers: Answers,
    told?: () => void
  ): boolean
  /** A call of message `seq` has ended so, and the incarnation was told by its host. */
  toldThere(incarnation: number, seq: number, call: number, end: CallEndThere): void
  /** What its host has given the incarnation, or told it, does not count: nor does what it does from then on. */
  mistaken(incarnation: number): void
  /** Messages of before were answered while nothing was in hand. */
  answered(incarnation: number, answers: ReadonlyArray<AnswerWord>): void
  /** Timers were set while nothing was in hand. */
  timed(incarnation: number, timers: ReadonlyArray<TimerChange>): void
  /** The message was taken back before it was begun. */
  withdrawn(incarnation: number, seq: number): void
  /** The message could not be handed over; it was not handled. */
  refused(incarnation: number, seq: number, reason: string): void
  /**
   * The incarnation is gone. `seq` is the message in hand, 0 when none was, and `undefined` when the host cannot tell
   * (then every delivered message may have been started). `bystander` is set when the host knows that the incarnation
   * did nothing at the time, not even start, and that another one did.
   */
  died(incarnation: number, death: Death, seq: number | undefined, bystander?: boolean): void
  stopped(incarnation: number): void
  /** Whether message `seq` is in hand, or none (0), has made so many calls, slept so often, and may have heard so many outcomes. */
  hasMade(seq: number, calls: number, slept: number, heard: number): boolean
  /** How many outcomes message `seq` is known to have been told by its host. */
  heardThere(seq: number): number
  /** The incarnation calls another actor; `Host.answered` says how that ends. */
  asking(incarnation: number, call: Call): void
  /** Nobody waits for the outcome of a call any more. */
  abandoned(incarnation: number, seq: number, call: number): void
  /** A wait for the clock is over, after `heard` outcomes: what a message saw, in its order. */
  slept(incarnation: number, seq: number, nth: number, heard: number, began: number | undefined): void
  /** No incarnation can live here any more, however often it is tried: the actor has failed for good. */
  unfit(death: Death): void
}

export interface Host {
  readonly index: number
  readonly placement: Placement
  /** Whether messages are encoded on their way. */
  readonly border: boolean
  /** How many actors live here. */
  readonly population: number
  /** Bytes that wait to go there. */
  readonly queued: number
  /** Starts the tenant's present incarnation. */
  place(tenant: Tenant): void
  /** `journal`: what the message did when it ran before. */
  deliver(tenant: Tenant, envelope: Envelope, journal: JournalWord | undefined): void
  /**
   * A call of the present incarnation has ended: `told` where its message is still in hand, or there is a border; the
   * `outcome` itself where there is none.
   */
  answered(
    tenant: Tenant,
    seq: number,
    call: number,
    told: Told | undefined,
    outcome: Exit.Exit<unknown, unknown>
  ): void
  /**
   * Nobody waits any more for the answer to a delivered message. Where it was not begun it is taken back, answered by
   * `withdrawn`. Where it is in hand it goes on; if its method is cancellable, its incarnation is ended (`died`, of kind
   * `Cancelled`).
   */
  withdraw(tenant: Tenant, envelope: Envelope): void
  /** Nobody waits any more for the answer to a message that was to be answered later. */
  forsake(tenant: Tenant, seq: number): void
  /** Asks the incarnation to finish the message in hand and to end; answered by `stopped`. */
  stop(tenant: Tenant): void
  /** Ends the incarnation now, whatever it does; answered by `died` where it still can be. */
  halt(tenant: Tenant): void
  /**
   * Brings down what lies under the tenant (its thread or process, with all that live there; its fiber), in one of the
   * ways that are possible here, and completes when that is gone.
   */
  kill(tenant: Tenant, how: Fault): Effect.Effect<void>
  /** Forgets the tenant, and calls `gone` once nothing of its incarnation runs any more: maybe at once. */
  evict(tenant: Tenant, gone?: () => void): void
}

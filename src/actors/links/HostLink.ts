/**
 * The words that an owner and a remote host exchange, and the transport that carries them.
 *
 * A link moves batches of tuples in order, and says once that the other side is gone, after everything that it had sent.
 * Shared memory between two threads is one such transport (`ThreadLink`).
 */

import type { Fault } from "../Fault.ts"

/** From the owner to the host. Payload, config and state are encoded. */
export type Command =
  | readonly [kind: "start", start: StartCommand]
  /** `journal`: what the message did when it ran before, where it did something. */
  | readonly [
    kind: "message",
    actor: number,
    incarnation: number,
    seq: number,
    method: string,
    payload: unknown,
    journal?: JournalWord
  ]
  /**
   * How a call of the incarnation ended: the `call`-th of message `seq`, or of no message (0). `at` milliseconds after the
   * message's first call, and the `nth` of its outcomes.
   */
  | readonly [
    kind: "answered",
    actor: number,
    incarnation: number,
    seq: number,
    call: number,
    outcome: OutcomeKind,
    value: unknown,
    at: number,
    nth: number
  ]
  /** Nobody waits any more for the answer to a message that was to be answered later. */
  | readonly [kind: "forsaken", actor: number, incarnation: number, seq: number]
  /** Nobody waits for the answer any more: not to be begun, or if in hand given up where its method may be. */
  | readonly [kind: "withdraw", actor: number, incarnation: number, seq: number]
  | readonly [kind: "stop", actor: number, incarnation: number]
  | readonly [kind: "halt", actor: number, incarnation: number]
  /** A sign of life is wanted. `posted` commands were sent over this link, this one included. */
  | readonly [kind: "ping", posted: number]
  /** Come to harm in this way. */
  | readonly [kind: "fault", fault: Fault]
  /** End all incarnations, then the host itself. */
  | readonly [kind: "close"]

export interface StartCommand {
  readonly actor: number
  readonly incarnation: number
  readonly definition: string
  readonly name: string
  /** Who has spawned it; `undefined` where the program did. */
  readonly parent: string | undefined
  /** What its system is called in references. */
  readonly system: string
  readonly config: unknown
  readonly hasState: boolean
  readonly state: unknown
  /** Messages that are to be answered later, and for whose answer somebody waits. */
  readonly later: ReadonlyArray<LaterWord>
  /** How many messages its hosts have given it themselves so far. */
  readonly taken: number
}

/**
 * A call whose payload its host has given to a neighbor of the asker itself: to which incarnation, as message -1, -2, ...; and the
 * last message of the owner's that this one had answered.
 */
export type TakenIn = readonly [incarnation: number, seq: number, last: number]

/**
 * An outcome that its asker was told by their host: the `call`-th call of message `seq` of that incarnation, `at` milliseconds
 * after the first one. `within`: before the call had returned.
 */
export type ToldThere = readonly [
  actor: number,
  incarnation: number,
  seq: number,
  call: number,
  at: number,
  within: boolean
]

/** A message that is to be answered later: its number, and the name of its method. */
export type LaterWord = readonly [seq: number, method: string]

/** The answer to a message that was to be answered later: its number, and how that ended, encoded. */
export type AnswerWord = readonly [seq: number, outcome: OutcomeKind, value: unknown]

/** A timer of an actor's own, set `elapsed` milliseconds ago: `payload` is as a message has it. Or one that ends. */
export type TimerChange =
  | readonly [
    kind: "after" | "every",
    key: string,
    millis: number,
    method: string,
    payload: unknown,
    elapsed: number
  ]
  | readonly [kind: "cancel", key: string]
/** What a call is for. */
export type CallMode = "ask" | "tell"

/**
 * An outcome on its way: the method's own success or error, a failure of the system, why it could not be encoded, or that what
 * was told has been taken in.
 */
export type OutcomeKind = "success" | "failure" | "system" | "refused" | "taken"

/**
 * What a message in hand did and was told, in the order in which its incarnation saw it. What was `recalled` had no effect on
 * anybody: it is called anew.
 */
export type Line =
  | readonly [
    kind: "call" | "recalled",
    call: number,
    mode: CallMode,
    target: number,
    name: string,
    method: string,
    payload: unknown
  ]
  /** `within`: it was told before the call had returned. */
  | readonly [kind: "told", call: number, outcome: OutcomeKind, value: unknown, at: number, within: boolean]
  /** Its `nth` wait for the clock was over. */
  | readonly [kind: "slept", nth: number]

export interface JournalWord {
  /** The date at which the message began, in milliseconds since 1970, where its handler has asked for the date. */
  readonly began: number | undefined
  /** How many calls it has numbered so far; those that were taken back are not among the lines. */
  readonly calls: number
  readonly lines: ReadonlyArray<Line>
}

/** From the host to the owner. */
export type Report =
  /** The host is up; the build it was made from, when it knows. */
  | readonly [kind: "ready", buildId: string | undefined]
  /** `timers`: what the start has set, where it has set some. */
  | readonly [kind: "started", actor: number, incarnation: number, timers?: ReadonlyArray<TimerChange>]
  | readonly [
    kind: "replied",
    actor: number,
    incarnation: number,
    seq: number,
    /** `later`: it will be answered by another message. */
    outcome: "success" | "failure" | "refused" | "later",
    value: unknown,
    state: unknown,
    /** What the handler has set, where it has set some: committed with its reply. */
    timers?: ReadonlyArray<TimerChange> | undefined,
    /** What it has answered of messages before, where it has: committed with its reply, too. */
    answers?: ReadonlyArray<AnswerWord> | undefined,
    /** Who was told this reply already. */
    told?: ToldThere | undefined,
    /** How many outcomes its message was told by its host, where it was told some. */
    heardThere?: number
  ]
  /** Messages of before that were answered while nothing was in hand. */
  | readonly [kind: "answers", actor: number, incarnation: number, answers: ReadonlyArray<AnswerWord>]
  /** Timers that were set while nothing was in hand. */
  | readonly [kind: "timed", actor: number, incarnation: number, timers: ReadonlyArray<TimerChange>]
  /** What was to be withdrawn had not been begun, and now never is. */
  | readonly [kind: "withdrawn", actor: number, incarnation: number, seq: number]
  /**
   * An incarnation calls another actor (by its number and name), with message `seq` in hand (0: none): its `call`-th call, made after it
   * had been told `heard` outcomes of that message, and `slept` of its waits were over. `began`: see `JournalWord`.
   */
  | readonly [
    kind: "asking",
    actor: number,
    incarnation: number,
    seq: number,
    call: number,
    mode: CallMode,
    target: number,
    name: string,
    method: string,
    payload: unknown,
    millis: number,
    failWhenFull: boolean,
    heard: number,
    slept: number,
    began: number | undefined,
    /** The messages of before that it had answered by then, where there are some. */
    answered?: ReadonlyArray<number> | undefined,
    /** Where its host has seen to it already. */
    taken?: TakenIn | undefined
  ]
  /** Nobody waits for the outcome of a call any more. */
  | readonly [kind: "abandoned", actor: number, incarnation: number, seq: number, call: number]
  /** A wait for the clock is over: the `nth` of message `seq`, after `heard` outcomes and `slept` other waits. */
  | readonly [
    kind: "slept",
    actor: number,
    incarnation: number,
    seq: number,
    nth: number,
    heard: number,
    slept: number,
    began: number | undefined
  ]
  /** The payload did not fit; the message was not handled. */
  | readonly [kind: "refused", actor: number, incarnation: number, seq: number, reason: string]
  /** `death` is an encoded `Death`, `seq` the message in hand or 0. */
  | readonly [kind: "died", actor: number, incarnation: number, death: unknown, seq: number]
  | readonly [kind: "stopped", actor: number, incarnation: number]
  /**
   * The answer to a ping of `posted` commands: so many were heard, and so many reports were posted, this one included. A
   * link keeps the order, so when the numbers differ something was lost on the way.
   */
  | readonly [kind: "alive", posted: number, heard: number, reports: number]
  /**
   * The host's last word, where it still has one: it ends, with these incarnations at work on a message (`seq`), or at
   * their start (`undefined`). All others were idle. `death` is an encoded `Death`, where something was thrown.
   */
  | readonly [kind: "exiting", working: ReadonlyArray<Working>, death: unknown]

export type Working = readonly [actor: number, incarnation: number, seq: number | undefined]

/** The owner's end of a link. */
export interface HostLink<Sent = ReadonlyArray<Command>> {
  /** Sends a batch. Throws, and sends nothing, when a value in it cannot be sent. */
  post(batch: Sent): void
  /** Ends the other side now, whatever it does; `exited` follows. */
  terminate(): void
  /** Bytes that wait to be sent, where the way there may be slow; left out where it is not. */
  readonly queued?: number
}

export interface LinkEvents<Heard = ReadonlyArray<Report>> {
  received(batch: Heard): void
  /** Nothing waits to be sent any more; for links that have `queued`. */
  drained?(): void
  /**
   * The other side is gone and runs nothing more. `error` is what it threw, if it threw. `how` says more where there is
   * more to say: `final`, whatever is started instead would end just so; `moved`, it had nothing in hand, and what is
   * started instead is meant to go on.
   */
  exited(reason: string, error: unknown, how?: "final" | "moved"): void
}

/**
 * Starts another side. Never throws: what cannot start reports `exited`. Whoever only passes batches on has them as the bytes
 * that they travel as.
 */
export type OpenLink<Sent = ReadonlyArray<Command>, Heard = ReadonlyArray<Report>> = (
  events: LinkEvents<Heard>
) => HostLink<Sent>

/** The host's end of a link. */
export interface HostPort {
  post(batch: ReadonlyArray<Report>, moved: ReadonlyArray<ArrayBuffer>): void
  listen(received: (batch: ReadonlyArray<Command>) => void): void
  /** Ends this side. */
  exit(): void
  /** Comes to harm in this way. */
  harm(fault: Fault): void
  /** Calls `last` when this side ends by itself, whatever ends it: what it posts still arrives. */
  onExit(last: () => void): void
}

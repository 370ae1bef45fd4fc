/** What events are, beside messages, and what they carry; and the kinds of agents that they are for. */
import type { AnyAgent } from "./Agent.ts"
import type { ProcessDefinition, Waiter } from "./Process.ts"

/** Kinds of events that are no messages: those are 2 n, and 2 n + 1 where an answer is awaited. */
export const eventKind = {
  /** A function of the model, by its index. */
  call: -1,
  /** A `Repetition`. */
  repeat: -2,
  /** A process goes on; the payload is the answer. */
  resume: -3,
  /** The same, by an `Interrupted`; the payload is the reason. */
  interrupt: -4,
  /** The answer to a question: a `Reply`. */
  reply: -5
} as const

export type EventKind = (typeof eventKind)[keyof typeof eventKind]

/** What happens again and again. */
export interface Repetition {
  /** The count of its first event. */
  readonly handle: number
  /** A number, or, where it is drawn, the index of the function that draws it. */
  readonly period: number
  readonly drawn: boolean
  readonly priority: number
  /** How often still, after the event that carries this; `Infinity` without end. */
  left: number
  /** What happens, and its payload. */
  readonly kind: number
  readonly payload: unknown
}

/** A message whose sender waits for the answer. */
export interface Question {
  readonly waiter: Waiter
  /** How long the answer takes. */
  readonly back: number
  readonly message: unknown
}

export interface Reply {
  readonly turn: number
  readonly answer: unknown
  /** Whoever was asked had died. */
  readonly died: boolean
}

/** A kind of agents, as it is looked up by its index. */
export type Kind =
  | { readonly is: "model"; readonly name: string }
  | { readonly is: "agent"; readonly name: string; readonly definition: AnyAgent }
  | { readonly is: "process"; readonly name: string; readonly definition: ProcessDefinition }

/**
 * Event-style agents: a state with a schema, and a handler for each message. This is the definition; the agents themselves
 * are rows of an `Engine`.
 *
 * ```ts
 * const Cell = Simulation.agent("Cell", {
 *   state: Schema.Struct({ heat: Schema.Finite, neighbors: Schema.Array(Simulation.Ref) }),
 *   on: {
 *     Heat: (self, { by }: { by: number }, sim) => {
 *       self.heat += by
 *       for (const neighbor of self.neighbors) sim.send(neighbor, "Heat", { by: by / 4 }, { after: 1 })
 *     }
 *   }
 * })
 * ```
 */
import * as Schema from "effect/Schema"
import { copied } from "./plainData.ts"
import type { Sim } from "./Sim.ts"

/** A state as its handlers have it: they change it in place. */
export type Mutable<T> = T extends number | string | boolean | bigint | null | undefined | ArrayBufferView ? T
  : T extends ReadonlyArray<infer Entry> ? IsTuple<T> extends true ? { -readonly [K in keyof T]: Mutable<T[K]> }
    : Array<Mutable<Entry>>
  : { -readonly [K in keyof T]: Mutable<T[K]> }

type IsTuple<T extends ReadonlyArray<unknown>> = number extends T["length"] ? false : true

/** What agents of a kind are sent, and what they answer, by name. */
export type Protocol = Readonly<Record<string, { readonly message: unknown; readonly answer: unknown }>>

/**
 * An agent, as its number: the same on every host and after every resume. It is plain data, and its type says what the
 * agent may be sent.
 */
export type AgentRef<P = Protocol> = number & { readonly "~protocol": P }

/** The schema of a reference in a state. */
export const Ref: Schema.Codec<AgentRef, number> = Schema.Number.pipe(
  Schema.refine((value): value is AgentRef => Number.isSafeInteger(value) && value >= 0)
)

/** A handler per message. What it returns is the answer to whoever asked. */
export type Handlers<S> = Readonly<Record<string, (self: S, message: never, sim: Sim) => unknown>>

/** The protocol that handlers make. */
export type ProtocolOf<H> = {
  readonly [K in keyof H]: H[K] extends (self: never, message: infer Message, sim: never) => infer Answer
    ? { readonly message: [Message] extends [never] ? undefined : Message; readonly answer: Awaited<Answer> }
    : H[K] extends () => infer Answer ? { readonly message: undefined; readonly answer: Awaited<Answer> }
    : never
}

/** A kind of agents, for what does not care which. */
export interface AnyAgent {
  readonly agentName: string
  readonly handlers: Readonly<Record<string, ErasedHandler>>
  /** What an agent gets as its state at birth: a copy. Throws a `NotPlain`. */
  readonly admit: (state: unknown) => unknown
  /** Its state as plain data. */
  readonly save: (state: unknown) => unknown
  /** The state that was saved. Throws an error that says what does not fit. */
  readonly load: (saved: unknown) => unknown
}

/** A handler of a kind that is not known: a method, since the engine hands each what is of its own kind. */
export type ErasedHandler = { call(self: unknown, message: unknown, sim: Sim): unknown }["call"]

/** A kind of agents with state `S` and protocol `P`. */
export interface Agent<S, P> extends AnyAgent {
  /** For the types alone. */
  readonly "~types"?: { readonly state: S; readonly protocol: P }
}

/** The reference of an agent of this kind. */
export type RefOf<D> = D extends { readonly "~types"?: { readonly protocol: infer P } } ? AgentRef<P> : never

/** Defines a kind of agents; see the head of this file. */
export const agent = <S extends Schema.Codec<unknown, unknown>, H extends Handlers<Mutable<S["Type"]>>>(
  name: string,
  options: { readonly state: S; readonly on: H }
): Agent<Mutable<S["Type"]>, ProtocolOf<H>> => {
  const decode = Schema.decodeUnknownSync(Schema.toType(options.state))
  return {
    agentName: name,
    handlers: options.on,
    admit: copied,
    save: decode,
    load: decode
  }
}

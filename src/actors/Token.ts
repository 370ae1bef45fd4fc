/**
 * Answers that are given later: a handler keeps the token of its message, commits, and a later message answers it.
 *
 * ```ts
 * Get: (_, token) => items.length > 0 ? Effect.succeed(items.shift()!) : (getters.push(token), Actor.later)
 * Put: ({ item }) => Effect.sync(() => { if (!getters.some((getter) => answer(getter, Exit.succeed(item)))) items.push(item) })
 * // state: Schema.Struct({ items: Schema.Array(Schema.Int), getters: Schema.Array(Actor.Token) })
 * ```
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Schema from "effect/Schema"

/** One message of an actor that is still to be answered: a value for its state. It means nothing to other actors. */
export const Token = Schema.Struct({
  /** The actor's number in its system. */
  actor: Schema.Int,
  /** The message's number: 1, 2, ... per actor. */
  seq: Schema.Int,
  method: Schema.String
})
export type Token = typeof Token.Type

/**
 * Answers a message that was to be answered later. `false`, and nothing happens, where nobody waits for it any more: it was
 * answered, given up, or is not of this actor and method. It is committed with the reply of the message in hand. An outcome that
 * does not fit the method, or is a defect or an interruption, is `MessageRefused` to the asker.
 */
export type Answer = (token: Token, outcome: Exit.Exit<unknown, unknown>) => boolean

/** What a handler succeeds with that answers later; the same in every copy of this file. */
export const mark = Symbol.for("troupe/actors/later")

/** What a handler ends with whose message is answered later. It commits like a reply, and the message does not run again. */
// Nobody is given the value: the asker waits on.
export const later: Effect.Effect<never> = Effect.succeed(mark as never)

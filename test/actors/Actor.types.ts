/** What the types promise, checked by the compiler; nothing here runs. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Actor from "../../src/actors/Actor.ts"
import { Rpc } from "../../src/actors/Actor.ts"
import type { ActorRef } from "../../src/actors/ActorRef.ts"
import type { AskFailure, MailboxFull } from "../../src/actors/errors.ts"

class A extends Context.Service<A, { readonly a: number }>()("A") {}
class B extends Context.Service<B, { readonly b: number; readonly c: 1 }>()("B") {}

class Fault extends Schema.TaggedError<Fault>()("Fault", {}) {}

class Plain extends Actor.make("Plain", {
  protocol: [
    Rpc.make("X", { payload: { n: Schema.Int }, success: Schema.Int, error: Fault }),
    Rpc.make("Y", { success: Schema.Int })
  ]
}) {}

class Stateful extends Actor.make("Stateful", {
  state: Schema.Struct({ total: Schema.Int }),
  protocol: [Rpc.make("X", { payload: { n: Schema.Int }, success: Schema.Int })]
}) {}

// Payloads and services are inferred, from the start and from the handlers.
export const fromStart: Actor.Behavior<A> = Plain.behavior(() =>
  Effect.gen(function*() {
    const { a } = yield* A
    return { handlers: { X: ({ n }) => Effect.succeed(a + n), Y: () => Effect.fail("no").pipe(Effect.orDie) } }
  })
)
export const fromHandlers = Plain.behavior<never, never, A | B>(() =>
  Effect.succeed({ handlers: { X: ({ n }) => Effect.map(A, ({ a }) => a + n), Y: () => Effect.map(B, ({ b }) => b) } })
)
export const needs: Actor.Behavior<A | B> = fromHandlers

// @ts-expect-error a stateful actor must take snapshots
export const forgetful = Stateful.behavior(() => Effect.succeed({ handlers: { X: ({ n }) => Effect.succeed(n) } }))

// @ts-expect-error a reply of another type
export const mistaken = Stateful.behavior(() => Effect.succeed({ handlers: { X: () => Effect.succeed("") }, snapshot }))
declare const snapshot: () => { readonly total: number }

// @ts-expect-error a method without handler
export const incomplete = Plain.behavior(() => Effect.succeed({ handlers: { Y: () => Effect.succeed(1) } }))

// @ts-expect-error the name of a reference's own member
export const reserved = Actor.make("Reserved", { protocol: [Rpc.make("tell", {})] })

const streaming = Rpc.make("Stream", { success: Schema.Int, stream: true })
// @ts-expect-error an actor answers once
export const streams = Actor.make("Streams", { protocol: [streaming] })

declare const plain: ActorRef<typeof Plain>
export const asked: Effect.Effect<number, Fault | AskFailure> = plain.X({ n: 1 })
export const offered: Effect.Effect<number, AskFailure | MailboxFull> = plain.Y(undefined, { whenFull: "fail" })
export const without: Effect.Effect<number, AskFailure> = plain.Y()
// @ts-expect-error the payload is missing
export const wrong = plain.X()

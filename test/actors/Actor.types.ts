import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Actor from "../../src/actors/Actor.ts"
import { Rpc } from "../../src/actors/Actor.ts"
import { Counter } from "./fixtures/counter.ts"
class A extends Context.Service<A, { readonly a: number }>()("A") {}
class B extends Context.Service<B, { readonly b: number; readonly c: 1 }>()("B") {}
class P extends Actor.make("P", {
  protocol: [
    Rpc.make("X", { payload: { n: Schema.Int }, success: Schema.Int }),
    Rpc.make("Y", { success: Schema.Int })
  ]
}) {}
export const b1: Actor.Behavior<A | B> = P.behavior<never, never, A | B>(() =>
  Effect.gen(function*() {
    return { handlers: { X: ({ n }) => Effect.map(A, (a) => a.a + n), Y: () => Effect.map(B, (b) => b.b) } }
  })
)
export const b2: Actor.Behavior<A> = P.behavior(() =>
  Effect.gen(function*() {
    const a = yield* A
    return { handlers: { X: ({ n }) => Effect.succeed(a.a + n), Y: () => Effect.succeed(1) } }
  })
)
export const b3: Actor.Behavior<never> = Counter.behavior(({ config }) =>
  Effect.gen(function*() {
    let total = config.start
    return {
      handlers: {
        Add: ({ n }) => Effect.sync(() => total += n),
        Get: () => Effect.succeed(total),
        Incarnation: () => Effect.succeed(1),
        Die: () => Effect.void,
        Exit: () => Effect.void
      },
      snapshot: () => ({ total })
    }
  })
)

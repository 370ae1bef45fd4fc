/** A bank as in the docs: an account whose transfers must not lose money. */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import { Actor, ActorSystem, Supervision } from "troupe/actors"
import { Simulation } from "troupe/testing"

export class Account extends Actor.make("Account", {
  config: Schema.Struct({ balance: Schema.Int }),
  state: Schema.Struct({ balance: Schema.Int }),
  protocol: [
    Actor.Rpc.make("Add", { payload: { amount: Schema.Int }, success: Schema.Int }),
    Actor.Rpc.make("Fetch", { success: Schema.Int })
  ]
}) {}

/** What the world outside knows: it survives every death, as it should not. */
let outside = 0

/** `careful` keeps the balance in the actor; otherwise it is outside, and what runs twice is there twice. */
export const behavior = (careful: boolean) =>
  Account.behavior(({ config, restored }) =>
    Effect.sync(() => {
      let balance = Option.match(restored, { onNone: () => config.balance, onSome: (state) => state.balance })
      return {
        handlers: {
          Add: ({ amount }) =>
            Effect.gen(function*() {
              if (careful) balance += amount
              else balance = outside += amount
              yield* Effect.sleep("1 millis")
              return balance
            }),
          // Waits for something that no simulation knows of.
          Fetch: () => Effect.promise(() => Promise.resolve(1))
        },
        snapshot: () => ({ balance })
      }
    })
  )

export const system = (careful: boolean) => Simulation.layer([behavior(careful)], { hosts: 2, heartbeat: "900 millis" })

const supervision = Supervision.oneForOne({ maxRestarts: Number.POSITIVE_INFINITY, maxConsecutive: 50 })

/** Ten payments of 1, all at once. */
export const payments = (careful: boolean) =>
  Effect.gen(function*() {
    outside = 0
    const account = yield* ActorSystem.spawn(Account, { name: "account", config: { balance: 0 }, supervision })
    const asked = yield* Effect.forEach(
      Array.from({ length: 10 }),
      () => Effect.forkChild(account.Add({ amount: 1 }), { startImmediately: true })
    )
    const answers = yield* Effect.forEach(asked, (fiber) => Fiber.join(fiber))
    if (answers.at(-1) !== 10) return yield* Effect.fail(`the account holds ${answers.at(-1)} instead of 10`)
  }).pipe(Effect.scoped, Effect.provide(system(careful)))

/**
 * The actor of the supervision examples: a machine that counts what it has made, and breaks as it is told. Its count is
 * committed state: a machine that restarts goes on from it, and the order in hand runs again.
 */
import { Console, Effect, Option, Schema } from "effect"
import { Actor } from "troupe/actors"

/** Passes by itself. */
export class Jam extends Schema.TaggedError<Jam>()("Jam", {}) {}
/** This machine will not work again. */
export class Worn extends Schema.TaggedError<Worn>()("Worn", {}) {}
/** Nothing in the hall may go on. */
export class Fire extends Schema.TaggedError<Fire>()("Fire", {}) {}

const causes = { Jam, Worn, Fire }

export class Machine extends Actor.make("Machine", {
  state: Schema.Struct({ made: Schema.Int }),
  protocol: [
    // Makes so many; breaks over it as long as fewer than `breaks` incarnations have come before.
    Actor.Rpc.make("Make", {
      payload: {
        n: Schema.Int,
        breaks: Schema.optionalKey(Schema.Int),
        cause: Schema.optionalKey(Schema.Literals(["Jam", "Worn", "Fire"]))
      },
      success: Schema.Int
    })
  ]
}) {}

export const MachineBehavior = Machine.behavior(({ incarnation, name, restored }) =>
  Effect.gen(function*() {
    let made = Option.match(restored, { onNone: () => 0, onSome: (state) => state.made })
    yield* Console.log(`${name} starts (${incarnation}), ${made} made`)
    return {
      handlers: {
        Make: ({ breaks = 0, cause = "Jam", n }) =>
          Effect.gen(function*() {
            if (incarnation <= breaks) {
              yield* Console.log(`${name} breaks: ${cause}`)
              return yield* Effect.die(new causes[cause]())
            }
            return (made += n)
          })
      },
      snapshot: () => ({ made })
    }
  })
)

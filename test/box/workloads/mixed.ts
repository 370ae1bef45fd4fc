/**
 * Fibers beside the owner and actors in hosts, in one system: fibers ask the others, both die, and both restart. A chain of
 * asks goes down and up again; what is answered at its end must have been counted once at each.
 */
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Actor from "../../../src/actors/Actor.ts"
import { Rpc } from "../../../src/actors/Actor.ts"
import { ActorSystem } from "../../../src/actors/ActorSystem.ts"
import * as Supervision from "../../../src/actors/Supervision.ts"
import { Simulation } from "../../../src/testing/Simulation.ts"
import { one } from "../one.ts"

class Cell extends Actor.make("Cell", {
  state: Schema.Struct({ count: Schema.Int }),
  protocol: [
    Rpc.make("Count", { payload: { how: Schema.Literals(["at once", "yield", "sleep", "die"]) }, success: Schema.Int }),
    Rpc.make("Far", { payload: { name: Schema.String }, success: Schema.Int })
  ]
}) {}

const CellBehavior = Cell.behavior(({ incarnation, restored }) =>
  Effect.sync(() => {
    let count = Option.match(restored, { onNone: () => 0, onSome: (state) => state.count })
    return {
      handlers: {
        Count: ({ how }) =>
          Effect.gen(function*() {
            count++
            if (how === "yield") yield* Effect.yieldNow
            if (how === "sleep") yield* Effect.sleep(2)
            if (how === "die" && incarnation < 3) return yield* Effect.die(new RangeError("mishap"))
            return count
          }),
        Far: ({ name }) =>
          Effect.gen(function*() {
            const system = yield* ActorSystem
            const other = yield* Effect.orDie(system.lookup(Cell, name))
            return yield* Effect.orDie(other.Count({ how: "at once" }))
          })
      },
      snapshot: () => ({ count })
    }
  })
)

const supervision = Supervision.oneForOne({ maxRestarts: Number.POSITIVE_INFINITY, maxConsecutive: 50 })

export const mixed = Effect.gen(function*() {
  const { choose, violated } = yield* Simulation
  const system = yield* ActorSystem
  const placements = ["fiber", "thread", "fiber", "thread"] as const
  const cells = yield* Effect.forEach(
    placements,
    (placement, index) =>
      system.spawn(Cell, {
        name: `${placement}/${index}`,
        placement,
        supervision,
        mailbox: one([1024, 1], choose, "mailbox")
      })
  )
  const clients = yield* Effect.forEach(cells, (cell) =>
    Effect.forkChild(Effect.gen(function*() {
      let last = 0
      for (let message = 0; message < 15; message++) {
        const how = one(["at once", "at once", "yield", "sleep", "die"] as const, choose, "how")
        const count = yield* cell.Count({ how })
        // Others count there too, but never backwards, and each message once.
        if (count <= last) violated(`${cell.name} answers ${count} after ${last}`)
        last = count
        // What does not fit comes back to who sent it, and is not counted.
        if (choose(6, "wrong") === 5) {
          const wrong: unknown = { how: "by no means" }
          const refused = yield* Effect.flip(cell.Count(wrong as { readonly how: "at once" }))
          if (refused._tag !== "MessageRefused") violated(`${cell.name} refuses what does not fit with ${refused._tag}`)
        }
        if (choose(12, "kill") === 11) {
          yield* Effect.ignore(system.kill(cell, one(["terminate", "throw"] as const, choose, "how it is killed")))
        }
      }
      return last
    })))
  const counts = yield* Effect.forEach(clients, (fiber) => Fiber.join(fiber))
  counts.forEach((count, index) => {
    if (count !== 15) violated(`${cells[index]!.name} has counted ${count} of 15`)
  })
  // One asks another, as fibers can.
  for (let asked = 1; asked <= 6; asked++) {
    const far = yield* cells[0]!.Far({ name: cells[asked % 4 === 0 ? 1 : asked % 4]!.name })
    if (far < 16) violated(`the far one has counted ${far}`)
  }
}).pipe(
  Effect.scoped,
  Effect.provide(
    Simulation.layer([CellBehavior], {
      hosts: 2,
      fibers: true,
      heartbeat: "900 millis",
      startDeadline: "2 seconds",
      askDeadline: "10 minutes"
    })
  )
)

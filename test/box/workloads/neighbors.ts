/**
 * Actors that ask one of their own host: what an asker was told, in its order, is what the other one has committed, whatever dies and
 * whatever is lost on the way.
 */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import * as Actor from "../../../src/actors/Actor.ts"
import { Rpc } from "../../../src/actors/Actor.ts"
import { ActorSystem } from "../../../src/actors/ActorSystem.ts"
import * as Supervision from "../../../src/actors/Supervision.ts"
import { Simulation } from "../../../src/testing/Simulation.ts"
import { one } from "../one.ts"

const How = Schema.Literals(["at once", "yield", "sleep"])

class Well extends Actor.make("Well", {
  state: Schema.Struct({ given: Schema.Array(Schema.Int) }),
  protocol: [
    Rpc.make("Draw", { payload: { how: How }, success: Schema.Int }),
    Rpc.make("Given", { success: Schema.Array(Schema.Int) })
  ]
}) {}

/** Another one each time, so that an answer that was not committed is told from one that was. */
let drawn = 0

const WellBehavior = Well.behavior(({ restored }) =>
  Effect.sync(() => {
    const given: Array<number> = Option.match(restored, { onNone: () => [], onSome: (state) => [...state.given] })
    return {
      handlers: {
        Draw: ({ how }) =>
          Effect.gen(function*() {
            if (how === "yield") yield* Effect.yieldNow
            if (how === "sleep") yield* Effect.sleep(2)
            given.push(++drawn)
            return drawn
          }),
        Given: () => Effect.sync(() => [...given])
      },
      snapshot: () => ({ given })
    }
  })
)

class Bucket extends Actor.make("Bucket", {
  config: Schema.Struct({ well: Actor.Ref(Well) }),
  state: Schema.Struct({ told: Schema.Array(Schema.Int) }),
  protocol: [
    Rpc.make("Fill", { payload: { draws: Schema.Int, how: How, dies: Schema.Int }, success: Schema.Int }),
    Rpc.make("Told", { success: Schema.Array(Schema.Int) })
  ]
}) {}

const BucketBehavior = Bucket.behavior(({ config: { well }, incarnation, restored }) =>
  Effect.sync(() => {
    const told: Array<number> = Option.match(restored, { onNone: () => [], onSome: (state) => [...state.told] })
    return {
      handlers: {
        Fill: ({ dies, draws, how }) =>
          Effect.gen(function*() {
            for (let draw = 0; draw < draws; draw++) {
              told.push(yield* well.Draw({ how }))
              if (draw === dies && incarnation < 3) return yield* Effect.die(new RangeError("mishap"))
            }
            return told.length
          }).pipe(Effect.orDie),
        Told: () => Effect.sync(() => [...told])
      },
      snapshot: () => ({ told })
    }
  })
)

const supervision = Supervision.oneForOne({ maxRestarts: Number.POSITIVE_INFINITY, maxConsecutive: 60 })

export const neighbors = Effect.gen(function*() {
  drawn = 0
  const { choose, violated } = yield* Simulation
  const system = yield* ActorSystem
  yield* Effect.forEach([0, 1], (host) =>
    Effect.gen(function*() {
      const well = yield* system.spawn(Well, { name: `well/${host}`, supervision, host })
      const bucket = yield* system.spawn(Bucket, { name: `bucket/${host}`, supervision, host, config: { well } })
      let expected = 0
      for (let message = 0; message < 5; message++) {
        const draws = 1 + choose(3, "draws")
        const how = one(["at once", "at once", "yield", "sleep"] as const, choose, "how")
        const filled = yield* bucket.Fill({ draws, how, dies: choose(5, "dies") - 1 })
        expected += draws
        if (filled !== expected) violated(`${bucket.name} has ${filled} of ${expected}`)
        if (choose(6, "kill") === 5) yield* Effect.ignore(system.kill(one([well, bucket], choose, "whom")))
      }
      const [told, given] = [yield* bucket.Told(), yield* well.Given()]
      if (told.join() !== given.join()) violated(`${bucket.name} was told ${told}, and its well has given ${given}`)
    }), { concurrency: "unbounded" })
}).pipe(
  Effect.scoped,
  Effect.provide(
    Simulation.layer([WellBehavior, BucketBehavior], {
      hosts: 2,
      heartbeat: "900 millis",
      startDeadline: "2 seconds",
      askDeadline: "10 minutes"
    })
  )
)

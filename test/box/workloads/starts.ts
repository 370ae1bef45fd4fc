/**
 * Hosts that do not come up, from the very first: the system starts whole or fails with a reason. Spares, layers that cannot
 * be built, behaviors that cannot start, back-offs while hosts come and go.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import * as Actor from "../../../src/actors/Actor.ts"
import { Rpc } from "../../../src/actors/Actor.ts"
import { ActorSystem } from "../../../src/actors/ActorSystem.ts"
import { HostStartFailed } from "../../../src/actors/errors.ts"
import * as Supervision from "../../../src/actors/Supervision.ts"
import { Simulation } from "../../../src/testing/Simulation.ts"
import { one } from "../one.ts"

class Store extends Context.Service<Store, { readonly get: Effect.Effect<number> }>()("box/Store") {}

class Reader extends Actor.make("Reader", {
  config: Schema.Struct({ startsAt: Schema.Int }),
  protocol: [Rpc.make("Get", { success: Schema.Int })]
}) {}

const ReaderBehavior = Reader.behavior(({ config, incarnation }) =>
  Effect.gen(function*() {
    const store = yield* Store
    yield* Effect.sleep(2)
    if (incarnation < config.startsAt) return yield* Effect.die(new RangeError("not yet"))
    return { handlers: { Get: () => store.get } }
  })
)

export const starts = Effect.gen(function*() {
  const { choose, struck, violated } = yield* Simulation
  const broken = choose(8, "broken layer") === 7
  const layer = Layer.effect(
    Store,
    Effect.andThen(
      Effect.sleep(1),
      broken ? Effect.die("no such store") : Effect.succeed({ get: Effect.as(Effect.sleep(1), 42) })
    )
  )
  const options = {
    hosts: 1 + choose(3, "hosts"),
    spares: choose(3, "spares"),
    heartbeat: "900 millis",
    startDeadline: "2 seconds",
    askDeadline: "10 minutes",
    faultsAtStart: true,
    layer
  } as const
  const supervision = Supervision.oneForOne({
    maxRestarts: Number.POSITIVE_INFINITY,
    maxConsecutive: 50,
    ...(choose(2, "back-off") === 1 ? { backoff: (restart: number) => Math.min(restart, 5) * 10 } : {})
  })
  const whole = Effect.gen(function*() {
    const system = yield* ActorSystem
    for (let round = 0; round < 4; round++) {
      const startsAt = one([1, 1, 2], choose, "starts at")
      const spawned = yield* Effect.exit(Effect.scoped(Effect.gen(function*() {
        const reader = yield* system.spawn(Reader, { config: { startsAt }, supervision })
        for (let ask = choose(4, "asks"); ask > 0; ask--) {
          const got = yield* reader.Get()
          if (got !== 42) violated(`${reader.name} answers ${got}`)
          if (choose(4, "kill") === 3) {
            yield* system.kill(reader, one(["terminate", "exit", "loop"] as const, choose, "how"))
          }
        }
      })))
      if (Exit.isSuccess(spawned)) continue
      const reason = spawned.cause.reasons[0]
      const tag = reason?._tag === "Fail" ? reason.error._tag : reason?._tag
      if (startsAt === 1 || tag !== "StartFailed") violated(`a spawn ends with ${tag}`)
    }
    yield* Effect.sleep(choose(200, "rest"))
  }).pipe(Effect.scoped, Effect.provide(Simulation.layer([ReaderBehavior], options)))
  const exit = yield* Effect.exit(whole)
  if (Exit.isSuccess(exit)) return broken ? violated("a host whose layer cannot be built is up") : undefined
  const reason = exit.cause.reasons[0]
  if (broken) return
  if (reason?._tag !== "Fail" || !(reason.error instanceof HostStartFailed)) {
    violated(`the system ends with ${reason?._tag}`)
  } else if (struck() === 0) violated("the system does not start, and nothing befell it")
})

/**
 * What is done is decided by the error's tag: a jam restarts the machine, a worn machine stops for good, a fire is
 * escalated: the whole group fails. Whoever waits, or asks later, is told why. `node examples/supervision/by-tag.ts`
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { ActorSystem, Supervision } from "troupe/actors"
import { Machine, MachineBehavior } from "./machine.ts"

const hall = Supervision.oneForAll({
  decide: (death) => death.tag === "Fire" ? "escalate" : death.tag === "Worn" ? "stop" : "restart"
})

export const program = Effect.gen(function*() {
  const system = yield* ActorSystem
  const [press, lathe, drill] = yield* Effect.all(
    [
      system.spawn(Machine, { name: "press", supervision: hall }),
      system.spawn(Machine, { name: "lathe", supervision: hall }),
      system.spawn(Machine, { name: "drill", supervision: hall })
    ]
  )
  yield* Console.log(`press made ${yield* press.Make({ n: 1, breaks: 1, cause: "Jam" })}`)
  const worn = yield* Effect.flip(lathe.Make({ n: 1, breaks: 9, cause: "Worn" }))
  yield* Console.log(`${worn._tag}: ${worn.message}`)
  yield* Console.log(`drill made ${yield* drill.Make({ n: 1 })}`)
  const fire = yield* Effect.flip(drill.Make({ n: 1, breaks: 9, cause: "Fire" }))
  yield* Console.log(`${fire._tag}: ${fire.message}`)
  const later = yield* Effect.flip(press.Make({ n: 1 }))
  yield* Console.log(`${later._tag}: ${later.message}`)
  yield* Console.log(`${(yield* system.actors).length} machines are left`)
}).pipe(Effect.scoped, Effect.provide(ActorSystem.layerFiber([MachineBehavior])))

if (import.meta.main) NodeRuntime.runMain(program)

/**
 * Rest-for-one: who dies restarts, and so do those of its group that were spawned after it; those before it go on. For a
 * chain in which each stands on the one before. `node examples/supervision/rest-for-one.ts`
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { ActorSystem, Supervision } from "troupe/actors"
import { Machine, MachineBehavior } from "./machine.ts"

export const program = Effect.gen(function*() {
  const chain = Supervision.restForOne()
  const [furnace, press, lathe] = yield* Effect.all(
    [
      ActorSystem.spawn(Machine, { name: "furnace", supervision: chain }),
      ActorSystem.spawn(Machine, { name: "press", supervision: chain }),
      ActorSystem.spawn(Machine, { name: "lathe", supervision: chain })
    ]
  )
  yield* Effect.all([furnace.Make({ n: 1 }), press.Make({ n: 2 }), lathe.Make({ n: 3 })])
  yield* press.Make({ n: 1, breaks: 1 })
  const counts = yield* Effect.all([furnace.Make({ n: 0 }), press.Make({ n: 0 }), lathe.Make({ n: 0 })])
  yield* Console.log(`made: ${counts.join(", ")}`)
}).pipe(Effect.scoped, Effect.provide(ActorSystem.layerFiber([MachineBehavior])))

if (import.meta.main) NodeRuntime.runMain(program)

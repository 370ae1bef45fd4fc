/**
 * One-for-all: when one dies, all of its group restart, each with its own state. The group is the actors spawned with the
 * very same supervision value. For actors that hold a part each of one thing. `node examples/supervision/one-for-all.ts`
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { ActorSystem, Supervision } from "troupe/actors"
import { Machine, MachineBehavior } from "./machine.ts"

export const program = Effect.gen(function*() {
  const line = Supervision.oneForAll()
  const press = yield* ActorSystem.spawn(Machine, { name: "press", supervision: line })
  const lathe = yield* ActorSystem.spawn(Machine, { name: "lathe", supervision: line })
  const apart = yield* ActorSystem.spawn(Machine, { name: "apart", supervision: Supervision.oneForOne() })
  yield* Effect.all([press.Make({ n: 10 }), lathe.Make({ n: 20 }), apart.Make({ n: 30 })])
  yield* lathe.Make({ n: 1, breaks: 1 })
  const counts = yield* Effect.all([press.Make({ n: 0 }), lathe.Make({ n: 0 }), apart.Make({ n: 0 })])
  yield* Console.log(`made: ${counts.join(", ")}`)
}).pipe(Effect.scoped, Effect.provide(ActorSystem.layerFiber([MachineBehavior])))

if (import.meta.main) NodeRuntime.runMain(program)

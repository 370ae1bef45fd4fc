/**
 * One-for-one: who dies restarts alone. It has its state again, and the message in hand and those behind it are handled
 * as if nothing had been. `node examples/supervision/one-for-one.ts`
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { ActorSystem, Supervision } from "troupe/actors"
import { Machine, MachineBehavior } from "./machine.ts"

export const program = Effect.gen(function*() {
  const supervision = Supervision.oneForOne({ maxRestarts: 3, within: "1 minute" })
  const press = yield* ActorSystem.spawn(Machine, { name: "press", supervision })
  const lathe = yield* ActorSystem.spawn(Machine, { name: "lathe", supervision })
  yield* press.Make({ n: 10 })
  yield* lathe.Make({ n: 1 })
  const counts = yield* Effect.all(
    [press.Make({ n: 5, breaks: 2 }), press.Make({ n: 1 }), lathe.Make({ n: 1 })],
    { concurrency: "unbounded" }
  )
  yield* Console.log(`press ${counts[0]}, then ${counts[1]}; lathe ${counts[2]}`)
}).pipe(Effect.scoped, Effect.provide(ActorSystem.layerFiber([MachineBehavior])))

if (import.meta.main) NodeRuntime.runMain(program)

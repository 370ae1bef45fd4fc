/**
 * A poison message kills its actor every time. It ends in one error that names it, after `maxConsecutive` deaths with no
 * reply between, and so does all that waited behind it, since the order of messages is kept and nothing is skipped in
 * silence. What to do then is the owner's to say: here the poison is put aside, and a new actor takes up the rest.
 * `node examples/supervision/poison.ts`
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect } from "effect"
import { ActorSystem, Supervision } from "troupe/actors"
import { Machine, MachineBehavior } from "./machine.ts"

const supervision = Supervision.oneForOne({ maxRestarts: 10, maxConsecutive: 3 })

const orders = [{ n: 1 }, { n: 2, breaks: 9 }, { n: 3 }]

export const program = Effect.gen(function*() {
  const press = yield* ActorSystem.spawn(Machine, { name: "press", supervision })
  const outcomes = yield* Effect.forEach(orders, (order) => Effect.result(press.Make(order)), {
    concurrency: "unbounded"
  })
  const left: typeof orders = []
  for (const [index, outcome] of outcomes.entries()) {
    if (outcome._tag === "Success") {
      yield* Console.log(`order ${index + 1}: made ${outcome.success}`)
      continue
    }
    const { failure } = outcome
    yield* Console.log(`order ${index + 1}: ${failure._tag}: ${failure.message}`)
    // Messages are numbered from 1, in the order they were sent.
    const isPoison = failure._tag === "RestartLimitReached" && failure.poison?.seq === index + 1
    if (!isPoison) left.push(orders[index]!)
  }
  const next = yield* ActorSystem.spawn(Machine, { name: "press", supervision })
  for (const order of left) yield* Console.log(`a new press made ${yield* next.Make(order)}`)
}).pipe(Effect.scoped, Effect.provide(ActorSystem.layerFiber([MachineBehavior])))

if (import.meta.main) NodeRuntime.runMain(program)

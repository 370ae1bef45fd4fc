/**
 * Back-off: longer and longer pauses before the next incarnation, for what the world will mend in a while. Any `Schedule`
 * will do; messages wait meanwhile, each until its own deadline. `node examples/supervision/back-off.ts`
 */
import { NodeRuntime } from "@effect/platform-node"
import { Clock, Console, Duration, Effect, Schedule } from "effect"
import { ActorSystem, Supervision } from "troupe/actors"
import { Machine, MachineBehavior } from "./machine.ts"

export const program = Effect.gen(function*() {
  const press = yield* ActorSystem.spawn(Machine, {
    name: "press",
    supervision: Supervision.oneForOne({ backoff: Schedule.exponential(Duration.millis(20)) })
  })
  const start = yield* Clock.currentTimeMillis
  const patient = press.Make({ n: 1, breaks: 3 })
  const impatient = Effect.flip(press.Make({ n: 1 }, { deadline: "30 millis" }))
  const [made, failure] = yield* Effect.all([patient, impatient], { concurrency: "unbounded" })
  const waited = (yield* Clock.currentTimeMillis) - start
  yield* Console.log(`${failure._tag}: ${failure.message}`)
  yield* Console.log(`made ${made}, after 20 + 40 + 80 ms and no less: ${waited >= 140}`)
}).pipe(Effect.scoped, Effect.provide(ActorSystem.layerFiber([MachineBehavior])))

if (import.meta.main) NodeRuntime.runMain(program)

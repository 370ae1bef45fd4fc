/** The shortest training program: a run is a stream of events. `node examples/shortest.ts` */
import { NodeRuntime, NodeServices } from "@effect/platform-node"
import { Console, Effect, Stream } from "effect"
import { Run } from "troupe"

export const program = Run.events({ envId: "CartPole-v1", nEnvs: 10, seed: 1 }).pipe(
  Stream.filter((event) => event.event === "finished"),
  Stream.runForEach((finished) => Console.log(finished))
)

if (import.meta.main) NodeRuntime.runMain(Effect.provide(program, NodeServices.layer))

/**
 * The environments of a run as a group of supervised actors: `collect` asks all of them for a fragment with the same
 * weights and waits for all. Who dies in between is restarted and its piece of work done again; the caller sees only
 * the fragments.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ActorSystem } from "../actors/ActorSystem.ts"
import type { AskFailure, SpawnFailure } from "../actors/errors.ts"
import * as Supervision from "../actors/Supervision.ts"
import { policyStream } from "../random/streams.ts"
import { DataPlane } from "./DataPlane.ts"
import type { EnvSlot } from "./dataPlaneLayout.ts"
import { type EnvFault, EnvWorker } from "./EnvWorker.ts"
import { CurrentConfig } from "./RunConfig.ts"
import { Seed } from "./Seed.ts"

export class EnvWorkerGroup extends Context.Service<EnvWorkerGroup, {
  /** One fragment of `config.nSteps` steps from every environment, in their order; good until the next call. */
  readonly collect: (version: number) => Effect.Effect<ReadonlyArray<EnvSlot>, EnvFault | AskFailure>
  /** Steps of all fragments that were committed by the workers themselves. */
  readonly committedSteps: Effect.Effect<number>
}>()("troupe/runtime/EnvWorkerGroup") {
  static readonly layer: Layer.Layer<
    EnvWorkerGroup,
    SpawnFailure,
    ActorSystem | CurrentConfig | DataPlane | Seed
  > = Layer.effect(
    EnvWorkerGroup,
    Effect.gen(function*() {
      const system = yield* ActorSystem
      const config = yield* CurrentConfig
      const plane = yield* DataPlane
      const seed = yield* Seed
      const supervision = Supervision.oneForOne({ maxRestarts: config.maxRestarts, within: "1 minute" })
      const workers = yield* Effect.forEach(plane.slots, (_, index) =>
        system.spawn(EnvWorker, {
          name: `env-worker/${index}`,
          config: {
            environment: config.envId,
            index,
            seed: seed.root,
            samplingSeed: seed.sampling,
            restartSameSeed: config.restartSameSeed,
            memory: plane.arena.memory,
            layout: plane.layout
          },
          supervision,
          // Fibers share the one thread there is.
          host: config.placement === "fiber" ? 0 : index % config.workers
        }), { concurrency: "unbounded" })

      const committed = new Float64Array(workers.length)
      const kill = chaos(config.chaos, workers.length, seed.root, (index) =>
        // A worker that has failed for good cannot be killed again; the run then fails by itself.
        Effect.ignore(system.kill(`env-worker/${index}`)))
      const every = { concurrency: "unbounded", discard: true } as const

      return EnvWorkerGroup.of({
        collect: (version) => {
          const request = { version, steps: config.nSteps }
          const collected = Effect.forEach(workers, (worker, index) =>
            Effect.map(worker.Collect(request), (steps) => {
              committed[index] = steps
            }), every)
          const victim = kill(version)
          return Effect.as(
            victim === undefined ? collected : Effect.all([collected, victim], every),
            plane.slots
          )
        },
        committedSteps: Effect.sync(() => committed.reduce((sum, steps) => sum + steps, 0))
      })
    })
  )
}

/**
 * The kills of `--chaos`: which worker dies at which iteration is drawn from the seed, one to ten iterations apart, so
 * that a run with kills can be repeated.
 */
const chaos = (
  kills: number,
  workers: number,
  seed: number,
  kill: (index: number) => Effect.Effect<void>
): (iteration: number) => Effect.Effect<void> | undefined => {
  // Past the last environment's own stream, so that no draw of the run is touched.
  const random = policyStream(seed, workers)
  let left = kills
  let next = random.integers(1, 11)
  return (iteration) => {
    if (left === 0 || iteration < next) return undefined
    left--
    next = iteration + random.integers(1, 11)
    return kill(random.integers(0, workers))
  }
}

/**
 * The kills of `--chaos`, around the group of EnvWorkers: which worker dies at which piece of work, and of what, is drawn
 * from the seed, one to ten pieces apart, so that a run with kills can be repeated. Only what is noticed at once: who
 * waits for a heartbeat would spend most of the run on waiting. Whoever is still coming up from another death is killed at
 * a later piece (at which, depends on the clock), so that as many die as were asked for, if the run is long enough.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { ActorSystem } from "../../actors/ActorSystem.ts"
import * as Fault from "../../actors/Fault.ts"
import { chaosStream } from "../../random/streams.ts"
import { CurrentConfig, type RunConfig } from "../config/RunConfig.ts"
import { Seed } from "../config/Seed.ts"
import { DataPlane } from "../workers/DataPlane.ts"
import { EnvWorkerGroup } from "../workers/EnvWorkerGroup.ts"
import { nameOf, placeOf } from "../workers/layouts.ts"

/** The same group, with somebody killed amid the work now and then. */
export const layer: Layer.Layer<
  EnvWorkerGroup,
  never,
  ActorSystem | CurrentConfig | DataPlane | EnvWorkerGroup | Seed
> = Layer.effect(
  EnvWorkerGroup,
  Effect.gen(function*() {
    const group = yield* EnvWorkerGroup
    const config = yield* CurrentConfig
    if (config.chaos === 0) return group
    const system = yield* ActorSystem
    const { layout } = yield* DataPlane
    const { root } = yield* Seed

    const strike = Effect.fnUntraced(function*(victim: number, how: Fault.Fault) {
      const name = nameOf(victim)
      const actor = (yield* system.actors).find((actor) => actor.name === name)
      if (actor?.status !== "running") return false
      yield* Effect.ignore(system.kill(name, how))
      return true
    })
    const kill = kills(config, layout.spec.workers, root, strike)
    const amid = <A, E>(work: Effect.Effect<A, E>): Effect.Effect<A, E> =>
      Effect.suspend(() => {
        const victim = kill()
        return victim === undefined
          ? work
          : Effect.map(Effect.all([work, victim], { concurrency: "unbounded" }), ([result]) => result)
      })
    return EnvWorkerGroup.of({
      ...group,
      // As without chaos: an algorithm is interrupted where it waits for experience.
      collect: (version) => Effect.interruptible(amid(group.collect(version))),
      explore: (environment, version) => amid(group.explore(environment, version))
    })
  })
)

/** Answers the kill that is due with each piece of work; `strike` says whether it hit. */
const kills = (
  config: RunConfig,
  workers: number,
  seed: number,
  strike: (victim: number, how: Fault.Fault) => Effect.Effect<boolean>
): () => Effect.Effect<void> | undefined => {
  const random = chaosStream(seed)
  const draw = () => {
    const wait = random.integers(1, 11)
    const victim = random.integers(0, workers)
    const faults = Fault.quick[placeOf(config, victim).placement]
    return { wait, victim, how: faults[random.integers(0, faults.length)]! }
  }
  let left = config.chaos
  let next = draw()
  let at = 0
  let striking = false
  return () => {
    if (striking || left === 0 || ++at < next.wait) return undefined
    striking = true
    const struck = Effect.map(strike(next.victim, next.how), (hit) => {
      if (!hit) return
      left--
      at = 0
      next = draw()
    })
    return Effect.ensuring(struck, Effect.sync(() => striking = false))
  }
}

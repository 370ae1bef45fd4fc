/**
 * The root seeds of a run. Everything random comes from them by role and index (`random/streams.ts`), never by worker
 * or by order of arrival.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { randomInt } from "node:crypto"
import { CurrentConfig } from "./RunConfig.ts"

/** A seed that nobody chose. */
export const drawSeed: Effect.Effect<number> = Effect.sync(() => randomInt(0x7fff_ffff_ffff))

export class Seed extends Context.Service<Seed, {
  /** Environments, initial weights and evaluation. */
  readonly root: number
  /** Action sampling. The same as `root`, unless the configuration says otherwise, as the notebook's workers did. */
  readonly sampling: number
}>()("troupe/runtime/Seed") {
  /** The configuration's seed. */
  static readonly layer: Layer.Layer<Seed, never, CurrentConfig> = Layer.effect(
    Seed,
    Effect.gen(function*() {
      const config = yield* CurrentConfig
      const { samplingSeed, seed } = config
      const sampling = samplingSeed === "seed" ? seed : samplingSeed === "random" ? yield* drawSeed : samplingSeed
      return { root: seed, sampling }
    })
  )

  /** One seed for everything. */
  static readonly layerTest = (root: number): Layer.Layer<Seed> => Layer.succeed(Seed, { root, sampling: root })
}

/** What the types of a run say of replaced services. Checked by the compiler alone; nothing here is run. */
import type { FileSystem } from "effect"
import { Context, Effect, Layer } from "effect"
import type { ConfigError } from "../../src/runtime/config/configSources.ts"
import { Seed } from "../../src/runtime/config/Seed.ts"
import { Evaluator } from "../../src/runtime/evaluation/Evaluator.ts"
import { Run, type RunSetupError } from "../../src/runtime/Run.ts"
import { DataPlane } from "../../src/runtime/workers/DataPlane.ts"

type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
const check = <Holds extends true>(_?: Holds): void => {}

class Dice extends Context.Service<Dice, { readonly throw: Effect.Effect<number> }>()("test/Dice") {}
class NoDice {
  readonly _tag = "NoDice"
}

const plain = Run.layer({ seed: 1 })
check<Equal<Layer.Services<typeof plain>, FileSystem.FileSystem>>()
check<Equal<Layer.Error<typeof plain>, RunSetupError | ConfigError>>()

/** What a replacement needs and how it fails is the run's. */
const diced = Run.layer({}, {
  seed: Layer.effect(
    Seed,
    Effect.gen(function*() {
      const dice = yield* Dice
      const root = yield* dice.throw
      return root === 0 ? yield* Effect.fail(new NoDice()) : { root, sampling: root }
    })
  )
})
check<Equal<Layer.Services<typeof diced>, FileSystem.FileSystem | Dice>>()
check<Equal<Layer.Error<typeof diced>, RunSetupError | ConfigError | NoDice>>()

/** What the run itself has built by then is given. */
const watched = Run.layer({}, {
  evaluator: Layer.effect(Evaluator, Effect.map(DataPlane, () => ({ evaluate: () => Effect.never })))
})
check<Equal<Layer.Services<typeof watched>, FileSystem.FileSystem>>()

/** A seed comes before the memory is laid out: it cannot ask for it. */
const early = Run.layer({}, {
  seed: Layer.effect(Seed, Effect.map(DataPlane, ({ slots }) => ({ root: slots.length, sampling: 0 })))
})
check<Equal<Layer.Services<typeof early>, FileSystem.FileSystem | DataPlane>>()

/** Another service in its place is no replacement. */
// @ts-expect-error: a layer of Dice where one of Seed is wanted
Run.layer({}, { seed: Layer.succeed(Dice, { throw: Effect.succeed(3) }) })

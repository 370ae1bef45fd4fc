/**
 * The running means and variances by which observations and rewards are normalized: a part of every version of the weights,
 * behind the parameters. The Learner knows nothing of them. After each update the moments that the fragments brought are
 * joined in the order of the fragments, which is that of the environments, and lie with the newest weights: so they are the
 * same whatever the layout, under kills, and in a run that goes on. Kept in float64; published in float32.
 */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { mergeMoments, momentsOf } from "../../model/policy/normalization.ts"
import { DataPlane } from "../workers/DataPlane.ts"
import type { Fragment } from "../workers/dataPlaneLayout.ts"
import { StateMismatch } from "../workers/EnvironmentStates.ts"
import { initialWeights } from "./initialWeights.ts"

/** What a resumed run's statistics go on from; undefined in a run that begins. */
export class SavedStatistics extends Context.Reference<Float64Array | undefined>("troupe/runtime/SavedStatistics", {
  defaultValue: () => undefined
}) {}

export class RunningStatistics extends Context.Service<RunningStatistics, {
  /** Joins what these fragments brought, and publishes the statistics with the weights of that version. */
  readonly take: (fragments: ReadonlyArray<Fragment>, version: number) => void
  /** Parameters with the statistics behind them: the weights. */
  readonly behind: (parameters: Float32Array) => Float32Array
  /** A copy; empty where nothing is normalized. */
  readonly save: Effect.Effect<Float64Array>
}>()("troupe/runtime/RunningStatistics") {
  static readonly layer: Layer.Layer<
    RunningStatistics,
    StateMismatch | Effect.Error<typeof initialWeights>,
    DataPlane | Effect.Services<typeof initialWeights>
  > = Layer.effect(
    RunningStatistics,
    Effect.gen(function*() {
      const { definition, layout: { spec }, parameters, weights, weightsOf } = yield* DataPlane
      const saved = yield* SavedStatistics
      const { size } = parameters
      const length = parameters.weights - size
      if (saved !== undefined && saved.length !== length) {
        return yield* new StateMismatch({ environment: definition.id, part: "normalization" })
      }
      const all = momentsOf(spec.normalization, spec.inputs)
      const now = length === 0
        ? new Float64Array(0)
        : Float64Array.from(saved ?? (yield* initialWeights).subarray(size))
      for (const bank of weights) bank.set(now, size)
      return {
        take: (fragments, version) => {
          if (length === 0) return
          for (const { slot } of fragments) for (const kind of all) mergeMoments(now, slot.moments, kind)
          weightsOf(version).set(now, size)
        },
        behind: (parameters) => {
          const whole = new Float32Array(size + length)
          whole.set(parameters.subarray(0, size))
          whole.set(now, size)
          return whole
        },
        save: Effect.sync(() => now.slice())
      }
    })
  )
}

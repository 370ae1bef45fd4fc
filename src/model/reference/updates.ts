/**
 * Whole updates of the learner, put together from the pure pieces: forward pass, loss, backward pass, clipping,
 * optimizer.
 */
import type { FragmentLossSettings, LossSettings } from "../losses/LossSettings.ts"
import { applyOptimizer, clipGradientNorm, type OptimizerSpec, type OptimizerState } from "../optimizers.ts"
import type { ActionArray } from "../policy/Distribution.ts"
import type { FloatArray } from "../policy/Layer.ts"
import type { ParameterLayout } from "../policy/ParameterLayout.ts"
import {
  lossAlongFragment,
  type LossBatch,
  lossOfRows,
  type LossTerms,
  outputGradients,
  type PolicyRows
} from "./losses.ts"
import { backward, forward } from "./network.ts"

/** A network in training. The arrays are changed in place. */
export interface Learning {
  readonly layout: ParameterLayout
  readonly parameters: FloatArray
  readonly optimizer: OptimizerSpec
  readonly state: OptimizerState
}

/** How far one update goes. */
export interface StepSize {
  readonly learningRate: number
  /** Bound of the gradient's global norm; 0 or left out never clips. */
  readonly maxGradNorm?: number
}

/** What an update did: the loss's terms, the gradient (as applied) and its norm before clipping. */
export interface Update {
  readonly terms: LossTerms
  readonly gradients: Float64Array
  readonly gradientNorm: number
}

/** Forward, loss, backward, one step of the optimizer. */
const update = (
  learning: Learning,
  observations: FloatArray,
  lossOf: (rows: Omit<PolicyRows, "actions">, gradients: ReturnType<typeof outputGradients>) => LossTerms,
  { learningRate, maxGradNorm = 0 }: StepSize
): Update => {
  const { layout, optimizer, parameters, state } = learning
  const { at, length } = layout.free
  const pass = forward(layout, parameters, observations)
  const output = outputGradients(layout.spec.distribution, pass.rows)
  const free = parameters.subarray(at, at + length)
  const terms = lossOf({ outputs: pass.outputs, values: pass.values, free }, output)
  const gradients = backward(layout, parameters, pass, output)
  const gradientNorm = clipGradientNorm(gradients, maxGradNorm)
  applyOptimizer(optimizer, state, parameters, gradients, learningRate)
  return { terms, gradients, gradientNorm }
}

/**
 * One update with a loss of rows on n steps.
 *
 * @param experience observations [n][inputs]; the others [n], as `lossOfRows` takes them
 */
export const updateOnRows = (
  learning: Learning,
  { observations, ...batch }: Omit<LossBatch, "outputs" | "values" | "free"> & { readonly observations: FloatArray },
  settings: LossSettings,
  size: StepSize
): Update =>
  update(
    learning,
    observations,
    (rows, gradients) => lossOfRows(learning.layout.spec.distribution, settings, { ...batch, ...rows }, gradients),
    size
  )

/**
 * One update with a loss along n consecutive steps of an episode that ended with the last of them, or did not.
 *
 * @param experience observations [n + 1][inputs] (the last is what followed the last step), actions and rewards [n]
 */
export const updateAlongFragment = (
  learning: Learning,
  { observations, ...batch }: {
    readonly observations: FloatArray
    readonly actions: ActionArray
    readonly rewards: Float64Array
    readonly terminated: boolean
  },
  settings: FragmentLossSettings,
  size: StepSize
): Update =>
  update(
    learning,
    observations,
    (rows, gradients) =>
      lossAlongFragment(learning.layout.spec.distribution, settings, { ...batch, ...rows }, gradients),
    size
  )

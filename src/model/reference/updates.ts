/**
 * Whole updates of the learner, put together from the pure pieces: forward pass, loss, backward pass, clipping,
 * optimizer. One function for each way of learning; they differ by what stands between forward and backward.
 */
import {
  type A2cBatch,
  type A2cCoefficients,
  a2cLoss,
  type A2cTerms,
  tdLoss,
  type TdOptions,
  type TdTerms
} from "../losses.ts"
import type { FloatArray, ParameterLayout } from "../Network.ts"
import { applyOptimizer, clipGradientNorm, type OptimizerSpec, type OptimizerState } from "../optimizers.ts"
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
  readonly maxGradientNorm?: number
}

/** What an update did: the loss's terms, the gradient (as applied) and its norm before clipping. */
export interface Update<Terms> {
  readonly terms: Terms
  readonly gradients: Float64Array
  readonly gradientNorm: number
}

const apply = <Terms>(learning: Learning, terms: Terms, gradients: Float64Array, size: StepSize): Update<Terms> => {
  const gradientNorm = clipGradientNorm(gradients, size.maxGradientNorm ?? 0)
  applyOptimizer(learning.optimizer, learning.state, learning.parameters, gradients, size.learningRate)
  return { terms, gradients, gradientNorm }
}

/**
 * One update of advantage actor-critic on n steps (see `a2cLoss`).
 *
 * @param experience observations [n][inputs], actions, returns and, where they are not returns − values, advantages [n]
 */
export const a2cUpdate = (
  learning: Learning,
  experience: Omit<A2cBatch, "logits" | "values"> & { readonly observations: FloatArray },
  coefficients: A2cCoefficients,
  size: StepSize
): Update<A2cTerms> => {
  const pass = forward(learning.layout, learning.parameters, experience.observations)
  const output = { logits: new Float64Array(pass.logits.length), values: new Float64Array(pass.values.length) }
  const terms = a2cLoss({ ...experience, logits: pass.logits, values: pass.values }, coefficients, output)
  return apply(learning, terms, backward(learning.layout, learning.parameters, pass, output), size)
}

/**
 * One update of one-step actor-critic on n consecutive steps of an episode (see `tdLoss`).
 *
 * @param experience observations [n + 1][inputs] (the last is what followed the last step), actions and rewards [n]
 */
export const tdUpdate = (
  learning: Learning,
  experience: { readonly observations: FloatArray; readonly actions: Int32Array; readonly rewards: Float64Array },
  options: TdOptions,
  size: StepSize
): Update<TdTerms> => {
  const pass = forward(learning.layout, learning.parameters, experience.observations)
  const output = { logits: new Float64Array(pass.logits.length), values: new Float64Array(pass.values.length) }
  const terms = tdLoss({ ...experience, logits: pass.logits, values: pass.values }, options, output)
  return apply(learning, terms, backward(learning.layout, learning.parameters, pass, output), size)
}

/**
 * The two losses a learner minimizes, each with its derivative in closed form with respect to what the network put
 * out (logits and values) row by row. A network's backward pass takes it from there; the kernels fuse the same formulas
 * into theirs.
 *
 * Rows are steps; `logits` is [rows][actions]. The gradients are of the whole loss, so the 1/rows of the means is in
 * them already.
 */
import { exp } from "../math/index.ts"
import { entropy, logSoftmax } from "./categorical.ts"

/** Receives the derivative of a loss; same shapes as the logits and values it was computed from. */
export interface OutputGradients {
  readonly logits: Float64Array
  readonly values: Float64Array
}

/** What `a2cLoss` reads: n rows. */
export interface A2cBatch {
  /** [n][actions] */
  readonly logits: Float64Array
  /** [n], the critic's present values. */
  readonly values: Float64Array
  /** [n], the actions taken. */
  readonly actions: Int32Array
  /** [n], what the critic learns. */
  readonly returns: Float64Array
  /** [n], what weighs the policy gradient. Left out: returns − values, held constant. */
  readonly advantages?: Float64Array
}

/** Weights of the value loss and of the entropy bonus. */
export interface A2cCoefficients {
  readonly valueCoefficient: number
  readonly entropyCoefficient: number
}

/** The value of a loss and of its terms, each a mean over the rows, before its coefficient. */
export interface A2cTerms {
  readonly loss: number
  readonly policyLoss: number
  readonly valueLoss: number
  readonly entropy: number
}

/**
 * The loss of (synchronous) advantage actor-critic, with A held constant:
 *
 *     L = mean(−log π(a|s) A) + c_v mean((R − V(s))²) − c_e mean(H(π(·|s)))
 *
 *     ∂L/∂zⱼ = [ −A (1{j = a} − pⱼ) + c_e pⱼ (log pⱼ + H) ] / n
 *     ∂L/∂V  = −2 c_v (R − V) / n
 *
 * Mnih et al. 2016, *Asynchronous Methods for Deep Reinforcement Learning*, section 4, in the form of
 * Stable-Baselines3's `a2c.py`.
 *
 * @param gradients receives the derivative
 */
export const a2cLoss = (
  batch: A2cBatch,
  { valueCoefficient, entropyCoefficient }: A2cCoefficients,
  gradients: OutputGradients
): A2cTerms => {
  const rows = batch.values.length
  const width = batch.logits.length / rows
  let policyLoss = 0
  let valueLoss = 0
  let meanEntropy = 0
  // The log-probabilities stand where their gradient will be written.
  const logP = gradients.logits
  for (let row = 0; row < rows; row++) {
    const offset = row * width
    const action = offset + batch.actions[row]!
    const error = batch.returns[row]! - batch.values[row]!
    const advantage = batch.advantages === undefined ? error : batch.advantages[row]!
    copyRow(logP, batch.logits, offset, width)
    logSoftmax(logP, logP, offset, width)
    const h = entropy(logP, offset, width)
    policyLoss -= logP[action]! * advantage
    valueLoss += error * error
    meanEntropy += h
    for (let j = offset; j < offset + width; j++) {
      const p = exp(logP[j]!)
      const bonus = p > 0 ? entropyCoefficient * p * (logP[j]! + h) : 0
      gradients.logits[j] = (bonus - advantage * ((j === action ? 1 : 0) - p)) / rows
    }
    gradients.values[row] = -2 * valueCoefficient * error / rows
  }
  policyLoss /= rows
  valueLoss /= rows
  meanEntropy /= rows
  return {
    loss: policyLoss + valueCoefficient * valueLoss - entropyCoefficient * meanEntropy,
    policyLoss,
    valueLoss,
    entropy: meanEntropy
  }
}

/** What `tdLoss` reads: n consecutive steps of one episode. The last row is the observation that followed the last step. */
export interface TdBatch {
  /** [n + 1][actions]; the last row is unread. */
  readonly logits: Float64Array
  /** [n + 1] */
  readonly values: Float64Array
  /** [n] */
  readonly actions: Int32Array
  /** [n] */
  readonly rewards: Float64Array
}

export interface TdOptions {
  /** Discount γ, 0 to 1. */
  readonly gamma: number
  /** Whether the last step ended its episode: the value that follows it then counts 0. */
  readonly terminated: boolean
  /**
   * Whether the value loss also pulls at the value it bootstraps from (a full gradient). `false` is the usual
   * semi-gradient.
   */
  readonly gradientThroughBootstrap: boolean
}

export interface TdTerms {
  readonly loss: number
  readonly policyLoss: number
  readonly valueLoss: number
}

/**
 * The loss of one-step actor-critic on a whole episode, with δ held constant in the policy's term:
 *
 *     L = mean(δ²) − mean(log π(a|s) δ),  δₜ = rₜ + γ V(sₜ₊₁) − V(sₜ)
 *
 *     ∂L/∂zₜⱼ = −δₜ (1{j = a} − pⱼ) / n
 *     ∂L/∂Vₜ = −2 δₜ / n, and through the bootstrap ∂L/∂Vₜ₊₁ += 2 γ δₜ / n
 *
 * Sutton and Barto, *Reinforcement Learning*, 2nd edition, section 13.5; following the gradient through the bootstrap
 * is Baird's residual gradient (1995).
 *
 * @param gradients receives the derivative, of n + 1 rows; the last row of logits gets 0
 */
export const tdLoss = (batch: TdBatch, options: TdOptions, gradients: OutputGradients): TdTerms => {
  const rows = batch.rewards.length
  const width = batch.logits.length / (rows + 1)
  let policyLoss = 0
  let valueLoss = 0
  gradients.values.fill(0)
  gradients.logits.fill(0)
  const logP = gradients.logits
  for (let row = 0; row < rows; row++) {
    const offset = row * width
    const action = offset + batch.actions[row]!
    const ended = options.terminated && row === rows - 1
    const next = ended ? 0 : batch.values[row + 1]!
    const delta = batch.rewards[row]! + options.gamma * next - batch.values[row]!
    copyRow(logP, batch.logits, offset, width)
    logSoftmax(logP, logP, offset, width)
    policyLoss -= logP[action]! * delta
    valueLoss += delta * delta
    for (let j = offset; j < offset + width; j++) {
      gradients.logits[j] = -delta * ((j === action ? 1 : 0) - exp(logP[j]!)) / rows
    }
    gradients.values[row]! += -2 * delta / rows
    if (options.gradientThroughBootstrap && !ended) gradients.values[row + 1]! += 2 * options.gamma * delta / rows
  }
  policyLoss /= rows
  valueLoss /= rows
  return { loss: policyLoss + valueLoss, policyLoss, valueLoss }
}

const copyRow = (out: Float64Array, from: Float64Array, offset: number, length: number): void => {
  for (let j = offset; j < offset + length; j++) out[j] = from[j]!
}

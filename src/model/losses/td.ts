/**
 * One-step actor-critic on a whole episode or a piece of one, with δ held constant in the policy's term:
 *
 *     L = Σ −log π(a|s) δ + c_v δ² − c_e H(π(·|s)),  δₜ = rₜ + γ V(sₜ₊₁) − V(sₜ)
 *
 *     ∂L/∂log πₜ = −δₜ,  ∂L/∂Hₜ = −c_e,  ∂L/∂Vₜ = −2 c_v δₜ, and through the bootstrap ∂L/∂Vₜ₊₁ += 2 c_v γ δₜ
 *
 * Sutton and Barto, *Reinforcement Learning*, 2nd edition, section 13.5; following the gradient through the bootstrap
 * is Baird's residual gradient (1995).
 */
import * as Schema from "effect/Schema"
import { addTo, type FragmentLoss, Statistic } from "./Loss.ts"

/** The settings of one-step temporal differences. */
export const TdSettings = Schema.Struct({
  name: Schema.Literal("td"),
  /** Discount γ, 0 to 1. */
  gamma: Schema.Finite,
  /**
   * The value loss does not pull at the value it bootstraps from: the usual semi-gradient. `false` follows the gradient
   * through both values.
   */
  detachBootstrap: Schema.Boolean,
  valueCoefficient: Schema.Finite,
  entropyCoefficient: Schema.Finite
})
/** The decoded value of the schema of the same name. */
export type TdSettings = typeof TdSettings.Type

export const td = (
  { detachBootstrap, entropyCoefficient, gamma, valueCoefficient }: TdSettings
): FragmentLoss => ({
  scope: "fragment",
  rows: ({ logProbabilities, rewards, terminated, values }, derivative, sums) => {
    const rows = rewards.length
    derivative.values.fill(0)
    for (let t = 0; t < rows; t++) {
      const ended = terminated && t === rows - 1
      const target = rewards[t]! + gamma * (ended ? 0 : values[t + 1]!)
      const delta = target - values[t]!
      derivative.logProbabilities[t] = -delta
      derivative.entropies[t] = -entropyCoefficient
      derivative.values[t]! -= 2 * valueCoefficient * delta
      if (!detachBootstrap && !ended) derivative.values[t + 1]! += 2 * valueCoefficient * gamma * delta
      addTo(sums, Statistic.policyLoss, -logProbabilities[t]! * delta)
      addTo(sums, Statistic.valueLoss, delta * delta)
      addTo(sums, Statistic.target, target)
      addTo(sums, Statistic.targetSquared, target * target)
      addTo(sums, Statistic.error, delta)
    }
  }
})

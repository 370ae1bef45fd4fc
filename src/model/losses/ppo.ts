/**
 * Proximal policy optimization, the clipped surrogate, with A held constant and ρ = π(a|s) / π_old(a|s):
 *
 *     L = Σ −min(ρ A, clip(ρ, 1 − ε, 1 + ε) A) + c_v max((R − V)², (R − V_clip)²) − c_e H(π(·|s)),
 *     V_clip = V_old + clip(V − V_old, −ε_v, ε_v); without ε_v the value's term is (R − V)²
 *
 *     ∂L/∂log π = −ρ A where ρ A ≤ clip(ρ, …) A, else 0;  ∂L/∂H = −c_e
 *     ∂L/∂V = −2 c_v (R − V) where |V − V_old| ≤ ε_v or (R − V)² ≥ (R − V_clip)², else 0
 *
 * Reported: `approxKl`, the mean of (ρ − 1) − log ρ (Schulman 2020, *Approximating KL divergence*), and `clipFraction`,
 * the share of rows with |ρ − 1| > ε.
 *
 * Schulman et al. 2017, *Proximal Policy Optimization Algorithms*, equation 7, in the form of Stable-Baselines3's `ppo.py`.
 */
import * as Schema from "effect/Schema"
import { exp } from "../../math/index.ts"
import { addTo, type RowLoss, Statistic } from "./Loss.ts"

const Positive = Schema.Finite.check(Schema.isGreaterThan(0))

/** The settings of the clipped surrogate. */
export const PpoSettings = Schema.Struct({
  name: Schema.Literal("ppo"),
  /** ε, how far the ratio of the probabilities may pay off. */
  clipRange: Positive,
  /** ε_v, how far the value may move; null: as far as it likes. */
  valueClipRange: Schema.NullOr(Positive),
  valueCoefficient: Schema.Finite,
  entropyCoefficient: Schema.Finite
})
/** The decoded value of the schema of the same name. */
export type PpoSettings = typeof PpoSettings.Type

/** What it reports for itself, in the order of its sums. */
export const ppoStatistics = ["approxKl", "clipFraction"] as const

const clip = (x: number, low: number, high: number): number => Math.min(high, Math.max(low, x))

export const ppo = (
  { clipRange, entropyCoefficient, valueClipRange, valueCoefficient }: PpoSettings
): RowLoss => ({
  scope: "row",
  row: (row, derivative, sums) => {
    const logRatio = row.logProbability - row.behaviorLogProbability
    const ratio = exp(logRatio)
    const surrogate = ratio * row.advantage
    const clipped = clip(ratio, 1 - clipRange, 1 + clipRange) * row.advantage
    derivative.logProbability = surrogate <= clipped ? -surrogate : 0
    derivative.entropy = -entropyCoefficient

    const error = row.return - row.value
    const moved = row.value - row.behaviorValue
    const free = valueClipRange === null || Math.abs(moved) <= valueClipRange
    const bounded = free ? error : row.return - (row.behaviorValue + Math.sign(moved) * valueClipRange)
    const follows = free || error * error >= bounded * bounded
    derivative.value = follows ? -2 * valueCoefficient * error : 0

    addTo(sums, Statistic.policyLoss, -Math.min(surrogate, clipped))
    addTo(sums, Statistic.valueLoss, Math.max(error * error, bounded * bounded))
    addTo(sums, Statistic.own, ratio - 1 - logRatio)
    addTo(sums, Statistic.own + 1, Math.abs(ratio - 1) > clipRange ? 1 : 0)
  }
})

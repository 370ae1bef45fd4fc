/**
 * Returns and advantages of one fragment: what the critic learns and what the policy gradient is weighted by.
 *
 * A fragment is T consecutive steps of one environment, which may hold several episodes or parts of them. All functions
 * treat the end of an episode alike, with the discount dₜ and the bootstrap v⁺ₜ:
 *
 * - a **terminated** step bootstraps from nothing (v⁺ₜ = 0) and cuts the trace (dₜ = 0), truncated or not;
 * - a **truncated** step bootstraps from the value of its final observation (v⁺ₜ = `nextValues[t]`) and cuts the trace;
 * - the **last** step of the fragment bootstraps from `nextValues[T-1]`, unless terminated;
 * - every other step goes on: dₜ = γ.
 *
 * Monte-Carlo returns alone never bootstrap: they sum what was seen. A value that must not matter is not multiplied by
 * zero but left unread, so a NaN there does no harm.
 *
 * All functions write `length` results from `offset` on into the arrays they are given and allocate nothing: a learner
 * calls them on one environment's segment of a batch. Offsets and lengths inside the arrays are the caller's care.
 */
import { exp } from "../math/index.ts"
import type { FloatArray } from "./policy/Layer.ts"

/** What a fragment's returns are computed from: one entry a step, all arrays of the same length. */
export interface ReturnSteps {
  /** rₜ, what step t paid. */
  readonly rewards: FloatArray
  /** V(sₜ), the value of the observation the step began with. */
  readonly values: FloatArray
  /** V of the observation that followed step t, before any reset. Unread where step t terminated. */
  readonly nextValues: FloatArray
  /** 1 where the episode ended by itself, otherwise 0. */
  readonly terminated: Uint8Array
  /** 1 where the episode was cut short (a time limit), otherwise 0. */
  readonly truncated: Uint8Array
}

/** V of what followed step t, as one-step targets bootstrap from it: 0 after termination. */
const bootstrap = (steps: ReturnSteps, t: number): number => steps.terminated[t] !== 0 ? 0 : steps.nextValues[t]!

/** Whether the trace is cut after step t. */
const ends = (steps: ReturnSteps, t: number): boolean => steps.terminated[t] !== 0 || steps.truncated[t] !== 0

/**
 * Monte-Carlo returns: Gₜ = rₜ + γ Gₜ₊₁ within an episode, and G = r at its last step and at the fragment's.
 *
 * Sutton and Barto, *Reinforcement Learning*, 2nd edition, equation 3.9. An episode that the fragment leaves unfinished
 * counts only what was seen of it.
 *
 * @param out receives G
 * @param gamma discount γ, 0 to 1
 */
export const monteCarloReturns = (
  out: Float64Array,
  steps: ReturnSteps,
  gamma: number,
  offset = 0,
  length = steps.rewards.length - offset
): void => {
  let following = 0
  for (let t = offset + length - 1; t >= offset; t--) {
    if (ends(steps, t)) following = 0
    following = steps.rewards[t]! + gamma * following
    out[t] = following
  }
}

/**
 * n-step returns with the longest n the fragment allows: Gₜ = rₜ + γ Gₜ₊₁, and G = r + γ v⁺ where the trace is cut.
 *
 * Mnih et al. 2016, *Asynchronous Methods for Deep Reinforcement Learning*, algorithm S3.
 *
 * @param out receives G
 * @param gamma discount γ, 0 to 1
 */
export const nStepReturns = (
  out: Float64Array,
  steps: ReturnSteps,
  gamma: number,
  offset = 0,
  length = steps.rewards.length - offset
): void => {
  const last = offset + length - 1
  let following = 0
  for (let t = last; t >= offset; t--) {
    if (t === last || ends(steps, t)) following = bootstrap(steps, t)
    following = steps.rewards[t]! + gamma * following
    out[t] = following
  }
}

/**
 * Generalized advantage estimation: δₜ = rₜ + γ v⁺ₜ − V(sₜ), Âₜ = δₜ + dₜ λ Âₜ₊₁; the returns are Âₜ + V(sₜ).
 *
 * Schulman et al. 2016, *High-Dimensional Continuous Control Using Generalized Advantage Estimation*, equations 11-16.
 *
 * @param advantages receives Â
 * @param returns receives Â + V, the critic's targets
 * @param gamma discount γ, 0 to 1
 * @param lambda trace decay λ, 0 (one-step TD error) to 1 (n-step return minus value)
 */
export const generalizedAdvantages = (
  advantages: Float64Array,
  returns: Float64Array,
  steps: ReturnSteps,
  gamma: number,
  lambda: number,
  offset = 0,
  length = steps.rewards.length - offset
): void => {
  let advantage = 0
  for (let t = offset + length - 1; t >= offset; t--) {
    if (ends(steps, t)) advantage = 0
    const value = steps.values[t]!
    const delta = steps.rewards[t]! + gamma * bootstrap(steps, t) - value
    advantage = delta + gamma * lambda * advantage
    advantages[t] = advantage
    returns[t] = advantage + value
  }
}

/**
 * V-trace, for experience that an older policy μ gathered: with ρₜ = min(ρ̄, π/μ) and cₜ = min(c̄, π/μ),
 *
 * - targets: vₜ = V(sₜ) + ρₜ δₜ + dₜ cₜ (vₜ₊₁ − V(sₜ₊₁)), where δₜ = rₜ + γ v⁺ₜ − V(sₜ);
 * - policy-gradient advantages: ρₜ (rₜ + γ vₜ₊₁ − V(sₜ)), with v⁺ₜ in place of vₜ₊₁ where the trace is cut.
 *
 * Espeholt et al. 2018, *IMPALA: Scalable Distributed Deep-RL with Importance Weighted Actor-Learner Architectures*,
 * equations 1-2 and section 4.2. With equal policies and ρ̄, c̄ ≥ 1 the targets are the n-step returns.
 *
 * @param targets receives v, the critic's targets
 * @param advantages receives the policy-gradient advantages
 * @param logRhos log π(aₜ|sₜ) − log μ(aₜ|sₜ), of each step
 * @param gamma discount γ, 0 to 1
 * @param rhoBar ρ̄, bound of the one-step weights: decides the fixed point
 * @param cBar c̄, bound of the trace weights: decides the speed; at most ρ̄
 */
export const vTrace = (
  targets: Float64Array,
  advantages: Float64Array,
  steps: ReturnSteps,
  logRhos: Float64Array,
  gamma: number,
  rhoBar: number,
  cBar: number,
  offset = 0,
  length = steps.rewards.length - offset
): void => {
  const last = offset + length - 1
  // The following step's target, and how far it lies from its value.
  let target = 0
  let correction = 0
  for (let t = last; t >= offset; t--) {
    const next = bootstrap(steps, t)
    if (t === last || ends(steps, t)) {
      target = next
      correction = 0
    }
    const ratio = exp(logRhos[t]!)
    const rho = Math.min(rhoBar, ratio)
    const reward = steps.rewards[t]!
    const value = steps.values[t]!
    advantages[t] = rho * (reward + gamma * target - value)
    correction = rho * (reward + gamma * next - value) + gamma * Math.min(cBar, ratio) * correction
    target = value + correction
    targets[t] = target
  }
}

/** What keeps a constant array from being divided by zero in `normalize`. */
export const normalizeEpsilon = 1e-8

/**
 * Shifts and scales to mean 0 and deviation 1: (xₜ − mean) / (deviation + 1e-8), with the population deviation
 * (divided by n, as NumPy's `std`). Sums run in order of index, so the result does not depend on the machine.
 *
 * @param out receives the result; may be `x` itself
 */
export const normalize = (out: Float64Array, x: FloatArray, offset = 0, length = x.length - offset): void => {
  const end = offset + length
  let sum = 0
  for (let t = offset; t < end; t++) sum += x[t]!
  const mean = sum / length
  let squares = 0
  for (let t = offset; t < end; t++) squares += (x[t]! - mean) * (x[t]! - mean)
  const scale = Math.sqrt(squares / length) + normalizeEpsilon
  for (let t = offset; t < end; t++) out[t] = (x[t]! - mean) / scale
}

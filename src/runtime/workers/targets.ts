/**
 * From a fragment to what the Learner learns from it: how many rows count, the critic's targets and the advantages.
 * Computed in float64, environment by environment, and rounded to float32 once.
 */
import * as Schema from "effect/Schema"
import { exp } from "../../math/index.ts"
import type { Segment } from "../../model/Device.ts"
import * as returns from "../../model/returns.ts"
import { options } from "../config/RunConfig.ts"
import type { VTrace } from "../plan/UpdatePlan.ts"
import type { Fragment } from "./dataPlaneLayout.ts"

/** The settings that decide the targets. */
export const TargetSettings = Schema.Struct({
  nSteps: options.nSteps.schema,
  returns: options.returns.schema,
  gamma: options.gamma.schema,
  gaeLambda: options.gaeLambda.schema,
  normalizeReturns: options.normalizeReturns.schema,
  bootstrapTruncated: options.bootstrapTruncated.schema,
  dropLastStep: options.dropLastStep.schema
})
export type TargetSettings = typeof TargetSettings.Type

/** How many rows of a fragment are learned from: with `dropLastStep`, one less where it does not end with an episode. */
export const rowsLearned = (
  { dropLastStep }: Pick<TargetSettings, "dropLastStep">,
  { rows, slot }: Pick<Fragment, "rows" | "slot">
): number => {
  const last = rows - 1
  return dropLastStep && last > 0 && slot.terminated[last] === 0 && slot.truncated[last] === 0 ? last : rows
}

/**
 * Makes a fragment's targets: advantages and returns go into its slot, and are overwritten by the next call. Answers how
 * many rows are learned from.
 *
 * - `returns`: the critic's targets; GAE(λ) + V, n-step, or Monte-Carlo. The advantages are GAE(λ), or target − V.
 * - `normalizeReturns` (notebook): targets normalized within the fragment, before V is taken off.
 * - `bootstrapTruncated` false (notebook): a truncated step counts as a terminated one.
 * - `dropLastStep` (notebook): a fragment that does not end with an episode loses its last step, whose value becomes
 *   the bootstrap of the step before.
 */
export const make = (settings: TargetSettings): (fragment: Pick<Fragment, "rows" | "slot">) => number => {
  const { nSteps } = settings
  const values = new Float64Array(nSteps)
  const nextValues = new Float64Array(nSteps)
  const terminated = new Uint8Array(nSteps)
  const none = new Uint8Array(nSteps)
  const targets = new Float64Array(nSteps)
  const advantages = new Float64Array(nSteps)

  return (fragment) => {
    const { slot } = fragment
    const rows = rowsLearned(settings, fragment)
    for (let t = 0; t < rows; t++) {
      values[t] = slot.values[t]!
      nextValues[t] = slot.nextValues[t]!
      terminated[t] = slot.terminated[t]! | (settings.bootstrapTruncated ? 0 : slot.truncated[t]!)
    }
    const steps = {
      rewards: slot.rewards,
      values,
      nextValues,
      terminated,
      truncated: settings.bootstrapTruncated ? slot.truncated : none
    }
    switch (settings.returns) {
      case "gae":
        returns.generalizedAdvantages(advantages, targets, steps, settings.gamma, settings.gaeLambda, 0, rows)
        break
      case "n-step":
        returns.nStepReturns(targets, steps, settings.gamma, 0, rows)
        break
      case "monte-carlo":
        returns.monteCarloReturns(targets, steps, settings.gamma, 0, rows)
        break
      default:
        return settings.returns satisfies never
    }
    if (settings.normalizeReturns) returns.normalize(targets, targets, 0, rows)
    if (settings.returns !== "gae" || settings.normalizeReturns) {
      for (let t = 0; t < rows; t++) advantages[t] = targets[t]! - values[t]!
    }
    for (let t = 0; t < rows; t++) {
      slot.returns[t] = targets[t]!
      slot.advantages[t] = advantages[t]!
    }
    return rows
  }
}

/** What the newest weights say of a fragment: of its rows, and of what followed the last one. */
export interface Judged {
  /** log π of each action, one a row. */
  readonly logProbabilities: Float32Array
  /** V of each observation, one more than there are rows. */
  readonly values: Float32Array
}

/** How far the policy has moved from the one that acted; sums over the rows. */
export interface Divergence {
  /** (ρ − 1) − log ρ, with ρ = π/μ */
  approxKl: number
  /** Rows whose ρ is above its bound. */
  clipped: number
}

/**
 * Makes a fragment's targets by V-trace, as `make` does: for experience that older weights gathered. An episode ends
 * within a fragment at its last step or not at all.
 */
export const makeVTrace = (
  nSteps: number,
  { cBar, gamma, rhoBar }: VTrace
): (fragment: Pick<Fragment, "rows" | "slot">, judged: Judged, divergence: Divergence) => void => {
  const values = new Float64Array(nSteps)
  const nextValues = new Float64Array(nSteps)
  const logRhos = new Float64Array(nSteps)
  const targets = new Float64Array(nSteps)
  const advantages = new Float64Array(nSteps)

  return ({ rows, slot }, judged, divergence) => {
    for (let t = 0; t < rows; t++) {
      values[t] = judged.values[t]!
      nextValues[t] = judged.values[t + 1]!
      const logRho = judged.logProbabilities[t]! - slot.logProbabilities[t]!
      logRhos[t] = logRho
      const rho = exp(logRho)
      divergence.approxKl += rho - 1 - logRho
      divergence.clipped += rho > rhoBar ? 1 : 0
    }
    const { rewards, terminated, truncated } = slot
    const steps = { rewards, values, nextValues, terminated, truncated }
    returns.vTrace(targets, advantages, steps, logRhos, gamma, rhoBar, cBar, 0, rows)
    for (let t = 0; t < rows; t++) {
      slot.returns[t] = targets[t]!
      slot.advantages[t] = advantages[t]!
    }
  }
}

/** What followed a fragment's last step, as a segment of one row; its action and its numbers are another's. */
export const followingOf = ({ rows, slot }: Pick<Fragment, "rows" | "slot">): Segment => {
  const inputs = slot.live.observation.length
  return { ...segmentOf({ slot }, 1), observations: slot.observations.subarray(rows * inputs, (rows + 1) * inputs) }
}

/** A fragment whose targets are made, as a device takes it. */
export const segmentOf = ({ slot }: Pick<Fragment, "slot">, rows: number): Segment => ({
  rows,
  observations: slot.observations,
  actions: slot.taken,
  advantages: slot.advantages,
  returns: slot.returns,
  logProbabilities: slot.logProbabilities,
  values: slot.values,
  ...(slot.masks.length > 0 ? { masks: slot.masks } : {}),
  ...(slot.memoryBefore.length === 0 ? {} : { remembered: { state: slot.memoryBefore, starts: slot.starts } })
})

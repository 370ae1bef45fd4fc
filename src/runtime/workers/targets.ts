/**
 * From a fragment to what the Learner learns from it: how many rows count, the critic's targets and the advantages.
 * Computed in float64, environment by environment, and rounded to float32 once.
 */
import * as Schema from "effect/Schema"
import type { Segment } from "../../model/Device.ts"
import * as returns from "../../model/returns.ts"
import { options } from "../config/RunConfig.ts"
import type { Fragment } from "./dataPlaneLayout.ts"

/** The settings that decide the targets. */
export const TargetSettings = Schema.Struct({
  nSteps: options.nSteps.schema,
  returns: options.returns.schema,
  gamma: options.gamma.schema,
  gaeLambda: options.gaeLambda.schema,
  normalizeAdvantage: options.normalizeAdvantage.schema,
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
 * Turns the fragments of all environments into segments. Advantages and returns go
 * into the slots, and are overwritten by the next call.
 *
 * - `returns`: the critic's targets; GAE(λ) + V, n-step, or Monte-Carlo. The advantages are GAE(λ), or target − V.
 * - `normalizeReturns` (notebook): targets normalized within the fragment, before V is taken off.
 * - `normalizeAdvantage`: advantages normalized over the whole batch.
 * - `bootstrapTruncated` false (notebook): a truncated step counts as a terminated one.
 * - `dropLastStep` (notebook): a fragment that does not end with an episode loses its last step, whose value becomes
 *   the bootstrap of the step before.
 */
export const make = (
  settings: TargetSettings,
  environments: number
): (fragments: ReadonlyArray<Pick<Fragment, "rows" | "slot">>) => ReadonlyArray<Segment> => {
  const { nSteps } = settings
  const values = new Float64Array(nSteps)
  const nextValues = new Float64Array(nSteps)
  const terminated = new Uint8Array(nSteps)
  const none = new Uint8Array(nSteps)
  const targets = new Float64Array(nSteps)
  const advantages = new Float64Array(nSteps * environments)

  return (fragments) => {
    let rows = 0
    const segments: Array<Segment> = []
    for (const fragment of fragments) {
      const { slot } = fragment
      const length = rowsLearned(settings, fragment)
      segments.push({
        rows: length,
        observations: slot.observations,
        actions: slot.actions,
        advantages: slot.advantages,
        returns: slot.returns,
        logProbabilities: slot.logProbabilities,
        values: slot.values
      })
      for (let t = 0; t < length; t++) {
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
      const own = advantages.subarray(rows, rows + length)
      if (settings.returns === "gae") {
        returns.generalizedAdvantages(own, targets, steps, settings.gamma, settings.gaeLambda, 0, length)
      } else {
        const compute = settings.returns === "n-step" ? returns.nStepReturns : returns.monteCarloReturns
        compute(targets, steps, settings.gamma, 0, length)
      }
      if (settings.normalizeReturns) returns.normalize(targets, targets, 0, length)
      if (settings.returns !== "gae" || settings.normalizeReturns) {
        for (let t = 0; t < length; t++) own[t] = targets[t]! - values[t]!
      }
      for (let t = 0; t < length; t++) slot.returns[t] = targets[t]!
      rows += length
    }
    if (settings.normalizeAdvantage) returns.normalize(advantages, advantages, 0, rows)
    let row = 0
    for (const segment of segments) for (let t = 0; t < segment.rows; t++) segment.advantages[t] = advantages[row++]!
    return segments
  }
}

/**
 * The gradients of a worker's fragments, computed where the experience is: in the worker, unit by unit, into the units'
 * places. In step they are to the bit what the Learner would have computed of the same fragments.
 */
import * as Schema from "effect/Schema"
import type { Kernels } from "../../model/kernels/Kernels.ts"
import { options } from "../config/RunConfig.ts"
import { type DataPlaneLayout, type EnvSlot, envSlot, unitSlot, workerAddresses } from "./dataPlaneLayout.ts"
import * as targets from "./targets.ts"

/** What decides a gradient, beside the fragment and the weights. */
export const GradientSettings = Schema.Struct({
  targets: targets.TargetSettings,
  loss: options.loss.schema,
  detachBootstrap: Schema.Boolean,
  valueCoefficient: Schema.Finite,
  entropyCoefficient: Schema.Finite
})
export type GradientSettings = typeof GradientSettings.Type

/** Which environments, and the region to compute in. */
export interface Share {
  readonly worker: number
  /** The first environment's slot, which begins a unit, and how many there are. */
  readonly first: number
  readonly count: number
}

/**
 * Computes the gradients of the `rows` rows of each environment: the sum over a unit's rows, in the unit's place.
 * `fresh`: the weights are those that the rows were acted with, so that what acting left of them serves again.
 */
export const make = (
  kernels: Kernels,
  layout: DataPlaneLayout,
  { count, first, worker }: Share,
  settings: GradientSettings
): (weights: number, rows: number, fresh: boolean) => void => {
  const { descriptor, spec } = layout
  const { outputs, workspace } = workerAddresses(layout, worker)
  const { entropyCoefficient, valueCoefficient } = settings
  const toSegments = targets.make(settings.targets, 1)

  const units = Array.from({ length: Math.ceil(count / spec.unit) }, (_, u) => ({
    ...unitSlot(kernels.buffer, layout, first / spec.unit + u),
    fragments: Array.from(
      { length: Math.min(spec.unit, count - u * spec.unit) },
      (_, i) => ({ slot: envSlot(kernels.buffer, layout, first + u * spec.unit + i), rows: 0 })
    )
  }))
  type Unit = (typeof units)[number]

  /** What a loss reads of a fragment, and where its gradient goes. */
  const lossJob = (weights: number, { slot: { address } }: { readonly slot: EnvSlot }, unit: Unit, more: 0 | 1) => ({
    policy: descriptor,
    parameters: weights,
    workspace,
    scale: 1,
    actions: address.actions,
    masks: 0,
    returns: address.returns,
    advantages: address.advantages,
    advantage: null,
    logProbabilities: address.logProbabilities,
    behaviorValues: address.values,
    gradients: unit.address.gradient,
    accumulate: more,
    statistics: unit.address.statistics
  })

  const a2c = (
    weights: number,
    fragment: { readonly slot: EnvSlot; readonly rows: number },
    unit: Unit,
    more: 0 | 1,
    fresh: boolean
  ) => {
    const { address } = fragment.slot
    const [segment] = toSegments([fragment])
    kernels.gradients({
      ...lossJob(weights, fragment, unit, more),
      rows: segment!.rows,
      loss: { name: "a2c", valueCoefficient, entropyCoefficient },
      observations: address.observations,
      kept: fresh ? address.activations : 0,
      outputs: address.logits,
      values: address.values
    })
  }

  const logits = outputs
  const values = logits + (spec.steps + 1) * spec.actions * 4
  const dLogits = values + (spec.steps + 1) * 4
  const dValues = dLogits + (spec.steps + 1) * spec.actions * 4

  /** One-step temporal differences over the whole fragment, as notebook 002's `calculate_grad`. */
  const td = (
    weights: number,
    fragment: { readonly slot: EnvSlot; readonly rows: number },
    unit: Unit,
    more: 0 | 1
  ) => {
    const { rows, slot } = fragment
    const { address } = slot
    // The kernel takes float32 rewards; the slot's `returns` are free to hold them.
    for (let t = 0; t < rows; t++) slot.returns[t] = slot.rewards[t]!
    kernels.forward(descriptor, weights, address.observations, rows + 1, workspace, logits, values)
    kernels.differentiate({
      ...lossJob(weights, fragment, unit, more),
      rows,
      loss: {
        name: "td",
        gamma: settings.targets.gamma,
        detachBootstrap: settings.detachBootstrap,
        valueCoefficient,
        entropyCoefficient
      },
      outputs: logits,
      values,
      dOutputs: dLogits,
      dValues,
      terminated: slot.terminated[rows - 1] === 1
    })
    kernels.backward(
      descriptor,
      weights,
      address.observations,
      rows + 1,
      workspace,
      dLogits,
      dValues,
      unit.address.gradient,
      more
    )
  }

  const compute = settings.loss === "td" ? td : a2c
  return (weights, rows, fresh) => {
    for (const unit of units) {
      unit.statistics.fill(0)
      let more: 0 | 1 = 0
      for (const fragment of unit.fragments) {
        fragment.rows = rows
        compute(weights, fragment, unit, more, fresh)
        more = 1
      }
    }
  }
}

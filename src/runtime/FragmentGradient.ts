/**
 * The gradient of one fragment, computed where the experience is: in the worker, with the worker's weights, into the
 * worker's slot. In step it is to the bit what the Learner would have computed of the same fragment.
 */
import * as Schema from "effect/Schema"
import { type Kernels, Statistic } from "../model/kernels/Kernels.ts"
import { type DataPlaneLayout, envSlot } from "./dataPlaneLayout.ts"
import { options } from "./RunConfig.ts"
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

/** Computes the gradient of the `rows` rows in slot `index`, each row counting `scale`. */
export const make = (
  kernels: Kernels,
  layout: DataPlaneLayout,
  index: number,
  settings: GradientSettings
): (weights: number, rows: number, scale: number) => void => {
  const { descriptor, spec } = layout
  const slot = envSlot(kernels.buffer, layout, index)
  const { address } = slot
  const toSegments = targets.make(settings.targets, 1)
  const { entropyCoefficient, valueCoefficient } = settings

  const a2c = (weights: number, rows: number, scale: number): void => {
    toSegments([{ rows, slot }])
    kernels.gradientsA2C(
      descriptor,
      weights,
      address.observations,
      rows,
      address.workspace,
      address.actions,
      address.advantages,
      address.returns,
      scale,
      valueCoefficient,
      entropyCoefficient,
      address.gradient,
      0,
      address.statistics
    )
  }

  const logits = address.outputs
  const values = logits + (spec.steps + 1) * spec.actions * 4
  const dLogits = values + (spec.steps + 1) * 4
  const dValues = dLogits + (spec.steps + 1) * spec.actions * 4

  /** One-step temporal differences over the whole fragment, as notebook 002's `calculate_grad`. */
  const td = (weights: number, rows: number, scale: number): void => {
    // The kernel takes float32 rewards; the slot's `returns` are free to hold them.
    for (let t = 0; t < rows; t++) slot.returns[t] = slot.rewards[t]!
    kernels.forward(descriptor, weights, address.observations, rows + 1, address.workspace, logits, values)
    kernels.lossTD(
      descriptor,
      logits,
      address.actions,
      values,
      address.returns,
      rows,
      slot.terminated[rows - 1] === 1 ? 1 : 0,
      settings.detachBootstrap ? 1 : 0,
      settings.targets.gamma,
      scale,
      valueCoefficient,
      entropyCoefficient,
      dLogits,
      dValues,
      address.statistics
    )
    kernels.backward(
      descriptor,
      weights,
      address.observations,
      rows + 1,
      address.workspace,
      dLogits,
      dValues,
      address.gradient,
      0
    )
  }

  const compute = settings.loss === "td" ? td : a2c
  return (weights, rows, scale) => {
    slot.statistics.fill(0, 0, Statistic.count)
    compute(weights, rows, scale)
  }
}

/**
 * The gradients of a worker's fragments, computed where the experience is: in the worker, unit by unit, into the
 * units' own memory. In step they are to the bit what the Learner would have computed of the same fragments.
 */
import * as Schema from "effect/Schema"
import type { GradientJob } from "../../model/kernels/jobs.ts"
import type { Kernels } from "../../model/kernels/Kernels.ts"
import { type SegmentAddresses, unitGradient } from "../../model/kernels/unitGradient.ts"
import type { FragmentLossSettings, LossSettings } from "../../model/losses/LossSettings.ts"
import { PolicySpec } from "../../model/policy/PolicySpec.ts"
import { orderOf, rowsOf } from "../plan/minibatches.ts"
import { PassOrder } from "../plan/UpdatePlan.ts"
import {
  type DataPlaneLayout,
  type EnvSlot,
  envSlot,
  type UnitSlot,
  unitSlot,
  workerAddresses
} from "./dataPlaneLayout.ts"
import * as targets from "./targets.ts"

/** What decides a gradient, beside the fragment, the weights and the pass. */
export const GradientSettings = Schema.Struct({
  policy: PolicySpec,
  targets: targets.TargetSettings,
  /** Root seed: it decides the order of the rows in minibatches. */
  seed: Schema.Int,
  /** Units of the whole run. */
  units: Schema.Int,
  /** The pass whose gradient is made as soon as the fragment is there; null: each is asked for. */
  first: Schema.NullOr(PassOrder)
})
export type GradientSettings = typeof GradientSettings.Type

/** Which environments, and the workspace to compute in. */
export interface Share {
  readonly worker: number
  /** The first environment's slot, which begins a unit, and how many there are. */
  readonly first: number
  readonly count: number
  /** Which unit of the run the first environment begins. */
  readonly unit: number
}

/** Gradients of the fragments that lie in the slots, `rows` steps each. */
export interface FragmentGradient {
  /** From now on it is asked for its environments `from`, ..., `to` - 1 alone, whole units; at first for all. */
  readonly take: (from: number, to: number) => void
  /** The fragments are new, and were acted with these weights: makes their targets, and the gradients of the first pass. */
  readonly first: (weights: number, rows: number) => void
  /** The gradients of a pass over the same fragments. */
  readonly again: (weights: number, rows: number, pass: PassOrder) => void
}

/** Computes the gradients of a share: the sum over a unit's rows, in the unit's own memory. */
export const make = (
  kernels: Kernels,
  layout: DataPlaneLayout,
  { count, first, unit: firstUnit, worker }: Share,
  settings: GradientSettings
): FragmentGradient => {
  const { descriptor, spec } = layout
  const { nSteps } = settings.targets
  const { outputs, workspace } = workerAddresses(layout, worker)
  const toTargets = targets.make(settings.targets)
  const gradient = unitGradient(kernels, settings.policy, nSteps)

  /** What every job on a unit says; it is kept, and says the rest from call to call. */
  const jobOf = ({ address }: UnitSlot): GradientJob => ({
    policy: descriptor,
    parameters: 0,
    workspace,
    scale: 1,
    loss: { name: "a2c", valueCoefficient: 0, entropyCoefficient: 0 },
    advantage: null,
    rows: 0,
    observations: 0,
    actions: 0,
    masks: 0,
    advantages: 0,
    returns: 0,
    logProbabilities: 0,
    behaviorValues: 0,
    values: 0,
    kept: 0,
    outputs: 0,
    states: 0,
    starts: 0,
    gradients: address.gradient,
    accumulate: 0,
    statistics: address.statistics
  })

  const units = Array.from({ length: Math.ceil(count / spec.unit) }, (_, u) => {
    const fragments = Array.from(
      { length: Math.min(spec.unit, count - u * spec.unit) },
      (_, i) => ({ slot: envSlot(kernels.buffer, layout, first + u * spec.unit + i), rows: 0 })
    )
    const slot = unitSlot(kernels.buffer, layout, first / spec.unit + u)
    return {
      ...slot,
      fragments,
      job: jobOf(slot),
      order: orderOf(settings.policy, settings.seed, firstUnit + u, settings.units),
      fresh: fragments.map(({ slot }) => addressesOf(slot, true)),
      stale: fragments.map(({ slot }) => addressesOf(slot, false))
    }
  })
  type Unit = (typeof units)[number]
  /** Those that are asked for. */
  let present = units

  const ofRows = (
    weights: number,
    { fragments, fresh, job, order, stale }: Unit,
    { advantage, minibatch }: PassOrder,
    loss: LossSettings,
    isFresh: boolean
  ): void => {
    const segments = isFresh ? fresh : stale
    for (let f = 0; f < fragments.length; f++) {
      segments[f]!.rows = targets.rowsLearned(settings.targets, fragments[f]!)
    }
    job.parameters = weights
    job.advantage = advantage
    job.loss = loss
    job.accumulate = 0
    gradient(job, segments, minibatch === null ? null : rowsOf(order, segments, nSteps, minibatch))
  }

  const logits = outputs
  const values = logits + (spec.steps + 1) * spec.actions * 4
  const dLogits = values + (spec.steps + 1) * 4
  const dValues = dLogits + (spec.steps + 1) * spec.actions * 4

  /** A loss along whole fragments, as notebook 002's `calculate_grad`. */
  const ofFragments = (weights: number, unit: Unit, loss: FragmentLossSettings): void => {
    for (const [f, { rows, slot }] of unit.fragments.entries()) {
      const { address } = slot
      // The kernel takes float32 rewards; the slot's `returns` are free to hold them.
      for (let t = 0; t < rows; t++) slot.returns[t] = slot.rewards[t]!
      kernels.forward(descriptor, weights, address.observations, rows + 1, workspace, logits, values, 0)
      kernels.differentiate({
        ...unit.job,
        ...unit.stale[f]!,
        parameters: weights,
        advantage: null,
        accumulate: 0,
        loss,
        rows,
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
        f === 0 ? 0 : 1
      )
    }
  }

  const compute = (weights: number, unit: Unit, pass: PassOrder, fresh: boolean): void => {
    unit.statistics.fill(0)
    if (pass.loss.name === "td") ofFragments(weights, unit, pass.loss)
    else ofRows(weights, unit, pass, pass.loss, fresh)
  }

  return {
    take: (from, to) => {
      present = units.slice(from / spec.unit, Math.ceil(to / spec.unit))
    },
    first: (weights, rows) => {
      for (const unit of present) {
        for (const fragment of unit.fragments) {
          fragment.rows = rows
          if (settings.first?.loss.name !== "td") toTargets(fragment)
        }
        if (settings.first !== null) compute(weights, unit, settings.first, true)
      }
    },
    again: (weights, rows, pass) => {
      for (const unit of present) {
        for (const fragment of unit.fragments) fragment.rows = rows
        compute(weights, unit, pass, false)
      }
    }
  }
}

/** Where a fragment's rows lie; `fresh`: what acting left of them serves again. */
const addressesOf = ({ address }: EnvSlot, fresh: boolean): SegmentAddresses => ({
  rows: 0,
  observations: address.observations,
  actions: address.actions,
  masks: address.masks,
  advantages: address.advantages,
  returns: address.returns,
  logProbabilities: address.logProbabilities,
  values: address.values,
  kept: fresh ? address.activations : 0,
  outputs: fresh ? address.logits : 0,
  states: address.memoryBefore,
  starts: address.starts
})

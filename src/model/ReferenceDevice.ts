/**
 * The `reference` device: the float64 reference learner as a device. It is slow and simple, needs no WebAssembly, and
 * is what every other device is compared with.
 *
 * It computes in float64 and keeps parameters and the optimizer's memory in float32 between two updates: the learner
 * then has the very weights that the workers act with, and a saved state is the whole state.
 */
import * as Effect from "effect/Effect"
import * as Record from "effect/Record"
import { meanOf } from "./contributions.ts"
import type { Batch, DeviceOf, Gradients, LearnerModel, ModelSpec, Segment } from "./Device.ts"
import { DeviceFault } from "./Device.ts"
import { Statistic } from "./losses/Loss.ts"
import { lossReport } from "./losses/LossSettings.ts"
import { applyOptimizer, clipGradientNorm, fitsOptimizer, initialOptimizerState } from "./optimizers.ts"
import { distributionOf } from "./policy/DistributionSpec.ts"
import { encoderOf } from "./policy/Encoder.ts"
import { ParameterLayout } from "./policy/ParameterLayout.ts"
import { addLossOfRows, outputGradients } from "./reference/losses.ts"
import { backward, forward } from "./reference/network.ts"

/** Rows that go through the network at a time: bounds what a large batch takes of memory. */
const chunkRows = 4096

const fault = (message: string) => new DeviceFault({ device: "reference", message })

/** Pieces of at most `chunkRows` rows, in order. */
const pieces = function*(segments: ReadonlyArray<Segment>, inputs: number, width: number) {
  for (const { actions, advantages, logProbabilities, observations, returns, rows, values } of segments) {
    for (let from = 0; from < rows; from += chunkRows) {
      const to = Math.min(rows, from + chunkRows)
      yield {
        observations: observations.subarray(from * inputs, to * inputs),
        actions: actions.subarray(from * width, to * width),
        advantages: advantages.subarray(from, to),
        returns: returns.subarray(from, to),
        logProbabilities: logProbabilities.subarray(from, to),
        behaviorValues: values.subarray(from, to)
      }
    }
  }
}

const model = (spec: ModelSpec, initial: Float32Array): LearnerModel<"reference"> => {
  const { maxRows, optimizer, policy } = spec
  const layout = new ParameterLayout(policy)
  const { free, size } = layout
  const { inputs } = encoderOf(policy.encoder)
  const { width } = distributionOf(policy.distribution).action
  const parameters = Float32Array.from(initial)
  const state = initialOptimizerState(optimizer, size, (length) => new Float32Array(length))

  let current: Batch<"reference"> | undefined
  let pending: { readonly gradients: Gradients<"reference">; readonly total: Float64Array } | undefined

  return {
    device: "reference",
    spec,
    batch: (segments) =>
      Effect.suspend(() => {
        const long = segments.find(({ rows }) => rows > maxRows)
        if (long !== undefined) {
          return Effect.fail(fault(`a segment has ${long.rows} rows; this model takes ${maxRows}`))
        }
        current = { device: "reference", rows: segments.reduce((sum, { rows }) => sum + rows, 0), segments }
        return Effect.succeed(current)
      }),
    gradients: (batch, { loss }) =>
      Effect.suspend(() => {
        if (current !== batch) {
          return Effect.fail(fault("the batch is not this model's latest; make it with this model's batch()"))
        }
        const total = new Float64Array(size)
        const one = new Float64Array(size)
        const sums = new Float64Array(Statistic.count)
        for (const { observations, ...piece } of pieces(batch.segments, inputs, width)) {
          const pass = forward(layout, parameters, observations)
          const output = outputGradients(policy.distribution, pass.rows)
          const rows = {
            ...piece,
            outputs: pass.outputs,
            values: pass.values,
            free: parameters.subarray(free.at, free.at + free.length)
          }
          addLossOfRows(policy.distribution, loss, rows, 1 / batch.rows, output, sums)
          backward(layout, parameters, pass, output, one)
          for (let k = 0; k < size; k++) total[k] = total[k]! + one[k]!
        }
        pending = { gradients: { device: "reference", loss: lossReport(loss.name, sums) }, total }
        return Effect.succeed(pending.gradients)
      }),
    gather: (contributions, name) =>
      Effect.sync(() => {
        const { gradient, loss } = meanOf(contributions, name, size)
        pending = { gradients: { device: "reference", loss }, total: gradient }
        return pending.gradients
      }),
    apply: (gradients, { learningRate, maxGradNorm }) =>
      Effect.suspend(() => {
        if (pending === undefined || pending.gradients !== gradients) {
          return Effect.fail(fault("these gradients are not this model's latest, or were applied before"))
        }
        const { total } = pending
        pending = undefined
        const norm = clipGradientNorm(total, maxGradNorm)
        if (!Number.isFinite(norm)) {
          return Effect.fail(fault("the gradients are not finite; lower the learning rate, or check the rewards"))
        }
        applyOptimizer(optimizer, state, parameters, total, learningRate)
        return Effect.succeed(norm)
      }),
    read: (into) => Effect.sync(() => into.set(parameters)),
    write: (from) => Effect.sync(() => parameters.set(from)),
    save: Effect.sync(() => ({
      parameters: parameters.slice(),
      optimizer: {
        arrays: Record.map(state.arrays, (array) => Float32Array.from(array)),
        scalars: state.scalars
      }
    })),
    load: ({ optimizer: saved, parameters: from }) =>
      Effect.suspend(() => {
        if (from.length !== size || !fitsOptimizer(optimizer, size, saved)) {
          return Effect.fail(fault("the saved state is of another policy or optimizer than this model's"))
        }
        current = undefined
        pending = undefined
        parameters.set(from)
        for (const [name, array] of Object.entries(state.arrays)) array.set(saved.arrays[name]!)
        state.scalars = saved.scalars
        return Effect.void
      })
  }
}

/** A device without any memory of its own; models are plain arrays. */
const make: DeviceOf<"reference"> = {
  name: "reference",
  model: (spec, initial) => Effect.sync(() => model(spec, initial))
}

export const ReferenceDevice = { make } as const

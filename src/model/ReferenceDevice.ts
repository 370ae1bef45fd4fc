/**
 * The `reference` device: the float64 reference learner as a device. It is slow and simple, needs no WebAssembly, and
 * is what every other device is compared with.
 *
 * It computes in float64 and keeps parameters and the optimizer's memory in float32 between two updates: the learner
 * then has the very weights that the workers act with, and a saved state is the whole state.
 */
import * as Effect from "effect/Effect"
import { meanOf } from "./contributions.ts"
import type { Batch, DeviceOf, Gradients, LearnerModel, ModelSpec, Segment } from "./Device.ts"
import { DeviceFault } from "./Device.ts"
import { a2cLoss } from "./losses.ts"
import { ParameterLayout } from "./Network.ts"
import { applyOptimizer, clipGradientNorm, initialOptimizerState } from "./optimizers.ts"
import { backward, forward } from "./reference/network.ts"

/** Rows that go through the network at a time: bounds what a large batch takes of memory. */
const chunkRows = 4096

const fault = (message: string) => new DeviceFault({ device: "reference", message })

/** Pieces of at most `chunkRows` rows, in order. */
const pieces = function*(segments: ReadonlyArray<Segment>, inputs: number) {
  for (const { actions, advantages, observations, returns, rows } of segments) {
    for (let from = 0; from < rows; from += chunkRows) {
      const to = Math.min(rows, from + chunkRows)
      yield {
        rows: to - from,
        observations: observations.subarray(from * inputs, to * inputs),
        actions: actions.subarray(from, to),
        advantages: Float64Array.from(advantages.subarray(from, to)),
        returns: Float64Array.from(returns.subarray(from, to))
      }
    }
  }
}

const model = (spec: ModelSpec, initial: Float32Array): LearnerModel<"reference"> => {
  const { maxRows, network, optimizer } = spec
  const layout = new ParameterLayout(network)
  const { size } = layout
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
    gradients: (batch, coefficients) =>
      Effect.suspend(() => {
        if (current !== batch) {
          return Effect.fail(fault("the batch is not this model's latest; make it with this model's batch()"))
        }
        const total = new Float64Array(size)
        const one = new Float64Array(size)
        const loss = { policyLoss: 0, valueLoss: 0, entropy: 0 }
        for (const piece of pieces(batch.segments, network.inputs)) {
          const pass = forward(layout, parameters, piece.observations)
          const output = { logits: new Float64Array(pass.logits.length), values: new Float64Array(pass.values.length) }
          const terms = a2cLoss({ ...piece, logits: pass.logits, values: pass.values }, coefficients, output)
          backward(layout, parameters, pass, output, one)
          // Means over the piece become shares of the mean over the batch.
          const share = piece.rows / batch.rows
          for (let k = 0; k < size; k++) total[k] = total[k]! + share * one[k]!
          loss.policyLoss += share * terms.policyLoss
          loss.valueLoss += share * terms.valueLoss
          loss.entropy += share * terms.entropy
        }
        pending = { gradients: { device: "reference", loss }, total }
        return Effect.succeed(pending.gradients)
      }),
    gather: (contributions) =>
      Effect.sync(() => {
        const { gradient, loss } = meanOf(contributions, size)
        pending = { gradients: { device: "reference", loss }, total: gradient }
        return pending.gradients
      }),
    apply: (gradients, { learningRate, maxNorm }) =>
      Effect.suspend(() => {
        if (pending === undefined || pending.gradients !== gradients) {
          return Effect.fail(fault("these gradients are not this model's latest, or were applied before"))
        }
        const { total } = pending
        pending = undefined
        const norm = clipGradientNorm(total, maxNorm)
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
        mean: Float32Array.from(state.mean),
        square: Float32Array.from(state.square),
        beta1Product: state.scalars.beta1Product,
        beta2Product: state.scalars.beta2Product
      }
    })),
    load: ({ optimizer: saved, parameters: from }) =>
      Effect.suspend(() => {
        const fits = from.length === size && saved.square.length === size && saved.mean.length === state.mean.length
        if (!fits) return Effect.fail(fault("the saved state is of another network or optimizer than this model's"))
        current = undefined
        pending = undefined
        parameters.set(from)
        state.mean.set(saved.mean)
        state.square.set(saved.square)
        const { beta1Product, beta2Product } = saved
        state.scalars = { ...state.scalars, beta1Product, beta2Product }
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

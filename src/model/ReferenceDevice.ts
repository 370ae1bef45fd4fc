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
import type { Batch, DeviceOf, Gradients, LearnerModel, ModelSpec, Pass, Segment } from "./Device.ts"
import { DeviceFault, gradientsNotFinite } from "./Device.ts"
import { Statistic } from "./losses/Loss.ts"
import { lossReport } from "./losses/LossSettings.ts"
import { applyOptimizer, clipGradientNorm, fitsOptimizer, initialOptimizerState } from "./optimizers.ts"
import { applyMask } from "./policy/masks.ts"
import { ParameterLayout } from "./policy/ParameterLayout.ts"
import { addLossOfRows, evaluateRows, outputGradients, type PolicyRows } from "./reference/losses.ts"
import { backward, forward } from "./reference/network.ts"
import { countRows, partOf, takeRows, takeSegments, wrongSegments } from "./selectedRows.ts"

/** Rows that go through the network at a time: bounds what a large batch takes of memory. */
const chunkRows = 4096

const fault = (message: string) => new DeviceFault({ device: "reference", message })

const model = (spec: ModelSpec, initial: Float32Array): LearnerModel<"reference"> => {
  const { optimizer, policy } = spec
  const layout = new ParameterLayout(policy)
  const { free, size } = layout
  const parameters = Float32Array.from(initial)
  const state = initialOptimizerState(optimizer, size, (length) => new Float32Array(length))

  let current: Batch<"reference"> | undefined
  let pending: { readonly gradients: Gradients<"reference">; readonly total: Float64Array } | undefined

  /** The rows that a pass takes: at most `chunkRows` at a time, or of a policy that remembers a segment at a time. */
  const pieces = function*(select: Pass["select"], segments: ReadonlyArray<Segment>, rows: number) {
    if (layout.memory !== null) {
      for (const segment of takeSegments(select, segments, spec)) yield partOf(segment, 0, segment.rows, policy)
      return
    }
    const taken = takeRows(select, segments, rows, spec)
    for (let from = 0; from < rows; from += chunkRows) {
      yield partOf(taken, from, Math.min(rows, from + chunkRows), policy)
    }
  }

  const latest = (batch: Batch<"reference">) =>
    current === batch
      ? Effect.void
      : Effect.fail(fault("the batch is not this model's latest; make it with this model's batch()"))

  /** The forward pass of some rows, and what a loss reads of it. */
  const run = ({ actions, masks, observations, remembered }: Segment) => {
    const pass = forward(layout, parameters, observations, remembered)
    if (masks !== undefined) applyMask(pass.outputs, masks)
    const put: PolicyRows = {
      outputs: pass.outputs,
      values: pass.values,
      free: parameters.subarray(free.at, free.at + free.length),
      actions
    }
    return { pass, put, output: outputGradients(policy.distribution, pass.rows) }
  }

  return {
    device: "reference",
    spec,
    batch: (segments) =>
      Effect.suspend(() => {
        const wrong = wrongSegments(segments, spec)
        if (wrong !== undefined) return Effect.fail(fault(wrong))
        current = { device: "reference", rows: segments.reduce((sum, { rows }) => sum + rows, 0), segments }
        return Effect.succeed(current)
      }),
    gradients: Effect.fnUntraced(function*(batch, { advantage, loss, select }) {
      yield* latest(batch)
      const rows = countRows(select, batch.segments, spec)
      if (typeof rows === "string") return yield* fault(rows)
      const total = new Float64Array(size)
      const one = new Float64Array(size)
      const sums = new Float64Array(Statistic.count)
      for (const piece of pieces(select, batch.segments, rows)) {
        const { output, pass, put } = run(piece)
        const advantages = advantage === null
          ? piece.advantages
          : piece.advantages.map((A) => (A - advantage.mean) * advantage.scale)
        const { logProbabilities, returns, values } = piece
        const known = { ...put, advantages, returns, logProbabilities, behaviorValues: values }
        addLossOfRows(policy.distribution, loss, known, 1 / rows, output, sums)
        backward(layout, parameters, pass, output, one)
        for (let k = 0; k < size; k++) total[k] = total[k]! + one[k]!
      }
      pending = { gradients: { device: "reference", loss: lossReport(loss.name, sums) }, total }
      return pending.gradients
    }),
    evaluate: Effect.fnUntraced(function*(batch) {
      yield* latest(batch)
      const found = {
        logProbabilities: new Float32Array(batch.rows),
        entropies: new Float32Array(batch.rows),
        values: new Float32Array(batch.rows)
      }
      let at = 0
      for (const piece of pieces(null, batch.segments, batch.rows)) {
        const { put } = run(piece)
        const { entropies, logProbabilities } = evaluateRows(policy.distribution, put)
        found.logProbabilities.set(logProbabilities, at)
        found.entropies.set(entropies, at)
        found.values.set(put.values, at)
        at += entropies.length
      }
      return found
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
          return Effect.fail(fault(gradientsNotFinite))
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

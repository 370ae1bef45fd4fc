/**
 * The `cpu` device: the WebAssembly kernels over the shared memory in which the experience already lies, so that a
 * batch is a list of addresses and nothing is copied. Gradients are sums over rows, computed environment by environment
 * and added in their order: it makes no difference to a single bit who computes which. The optimizer's step divides them
 * by the number of rows.
 */
import * as Effect from "effect/Effect"
import * as Record from "effect/Record"
import type { Batch, DeviceOf, Gradients, LearnerModel, ModelSpec, Pass, Segment } from "./Device.ts"
import { DeviceFault, gradientsNotFinite } from "./Device.ts"
import type { Arena, OutOfMemory } from "./kernels/Arena.ts"
import type { GradientJob } from "./kernels/jobs.ts"
import { Kernels } from "./kernels/Kernels.ts"
import { type SegmentAddresses, unitGradient } from "./kernels/unitGradient.ts"
import { Statistic } from "./losses/Loss.ts"
import { type LossName, lossReport } from "./losses/LossSettings.ts"
import { fitsOptimizer, optimizerOf } from "./optimizers.ts"
import { distributionOf } from "./policy/DistributionSpec.ts"
import { encoderOf } from "./policy/Encoder.ts"
import { ParameterLayout } from "./policy/ParameterLayout.ts"
import { type Column, columnWidths, countRows, wrongSegments } from "./selectedRows.ts"

const fault = (message: string) => new DeviceFault({ device: "cpu", message })

const outOfMemory = (error: OutOfMemory) => fault(error.message)

/** A device over this thread's kernels; models and what they remember are allocated in the arena. */
const make = (arena: Arena, kernels: Kernels): DeviceOf<"cpu"> => ({
  name: "cpu",
  model: Effect.fnUntraced(function*(spec, initial) {
    return yield* model(arena, kernels, spec, initial).pipe(Effect.catchTag("OutOfMemory", (e) => outOfMemory(e)))
  })
})

const model = Effect.fnUntraced(function*(arena: Arena, kernels: Kernels, spec: ModelSpec, initial: Float32Array) {
  const { maxRows, optimizer, policy, unit = 1 } = spec
  const size = new ParameterLayout(policy).size
  const { action, masks: maskWidth } = distributionOf(policy.distribution)
  const floats = (length: number) => arena.allocate(length * 4)

  const descriptor = yield* kernels.describe(arena, policy)
  const workspace = yield* arena.allocate(Kernels.workspaceBytes(policy, Kernels.rowsAtOnce(policy, maxRows)))
  const statistics = yield* arena.allocate(Statistic.count * 8)
  const parameters = yield* floats(size)
  // One environment's gradient, and their sum.
  const one = yield* floats(size)
  const total = yield* floats(size)
  const remembered = optimizerOf(optimizer)
  const memory: { [name: string]: number } = {}
  for (const name of remembered.arrays) memory[name] = yield* floats(size)

  const totalView = arena.float32(total, size)
  const oneView = arena.float32(one, size)
  const parameterView = arena.float32(parameters, size)
  const statisticsView = arena.float64(statistics, Statistic.count)
  const memoryViews = Record.map(memory, (address) => arena.float32(address, size))
  let scalars = remembered.scalars
  parameterView.set(initial)

  const widths = columnWidths(policy)

  /** Places for experience that lies elsewhere: made when first needed, one a column of a segment. */
  const staging: Array<{ readonly [Name in Column]: Float32Array | Int32Array }> = []
  const place = Effect.fnUntraced(function*(name: Column) {
    const length = maxRows * widths[name]
    const address = yield* floats(length)
    return name === "actions" && action.type === "int32"
      ? arena.int32(address, length)
      : arena.float32(address, length)
  })
  const stage = Effect.fnUntraced(function*(segment: Segment, index: number) {
    const places = staging[index] ??= {
      observations: yield* place("observations"),
      actions: yield* place("actions"),
      advantages: yield* place("advantages"),
      returns: yield* place("returns"),
      logProbabilities: yield* place("logProbabilities"),
      values: yield* place("values")
    }
    for (const [name, width] of Record.toEntries(widths)) {
      places[name].set(segment[name].subarray(0, segment.rows * width))
    }
    return places
  })

  /** Places for masks that lie elsewhere. */
  const maskStaging: Array<Uint8Array> = []
  const masksAt = Effect.fnUntraced(function*({ masks, rows }: Segment, index: number) {
    if (masks === undefined) return 0
    if (masks.buffer === arena.buffer) return masks.byteOffset
    const length = maxRows * maskWidth
    const place = maskStaging[index] ??= arena.uint8(yield* arena.allocate(length), length)
    place.set(masks.subarray(0, rows * maskWidth))
    return place.byteOffset
  })

  /** Places for what a policy that remembers begins from, where that lies elsewhere. */
  const memoryStaging: Array<{ readonly state: Float32Array; readonly starts: Uint8Array }> = []
  const rememberedAt = Effect.fnUntraced(function*({ remembered, rows }: Segment, index: number) {
    if (remembered === undefined) return { states: 0, starts: 0 }
    const here = remembered.state.buffer === arena.buffer && remembered.starts.buffer === arena.buffer
    if (here) return { states: remembered.state.byteOffset, starts: remembered.starts.byteOffset }
    const { stateWords } = encoderOf(policy.encoder)
    const places = memoryStaging[index] ??= {
      state: arena.float32(yield* floats(stateWords), stateWords),
      starts: arena.uint8(yield* arena.allocate(maxRows), maxRows)
    }
    places.state.set(remembered.state)
    places.starts.set(remembered.starts.subarray(0, rows))
    return { states: places.state.byteOffset, starts: places.starts.byteOffset }
  })

  const addressOf = Effect.fnUntraced(function*(segment: Segment, index: number) {
    const here = Record.keys(widths).every((name) => segment[name].buffer === arena.buffer)
    const inside = here ? segment : yield* stage(segment, index)
    const addresses: SegmentAddresses = {
      rows: segment.rows,
      observations: inside.observations.byteOffset,
      actions: inside.actions.byteOffset,
      masks: yield* masksAt(segment, index),
      advantages: inside.advantages.byteOffset,
      returns: inside.returns.byteOffset,
      logProbabilities: inside.logProbabilities.byteOffset,
      values: inside.values.byteOffset,
      kept: 0,
      outputs: 0,
      ...(yield* rememberedAt(segment, index))
    }
    return addresses
  })

  let current: { readonly batch: Batch<"cpu">; readonly addresses: ReadonlyArray<SegmentAddresses> } | undefined
  /** What `total` holds, and of how many rows it is the sum. */
  let pending: Gradients<"cpu"> | undefined
  let pendingRows = 0
  /** Where a segment's evaluation goes: made when first needed. */
  let evaluated: { readonly [Name in "logProbabilities" | "entropies" | "values"]: Float32Array } | undefined

  const latest = (batch: Batch<"cpu">) =>
    current !== undefined && current.batch === batch
      ? Effect.succeed(current)
      : Effect.fail(fault("the batch is not this model's latest; make it with this model's batch()"))

  const self: LearnerModel<"cpu"> = {
    device: "cpu",
    spec,
    batch: Effect.fnUntraced(function*(segments) {
      const wrong = wrongSegments(segments, spec)
      if (wrong !== undefined) return yield* fault(wrong)
      const addresses: Array<SegmentAddresses> = []
      let rows = 0
      for (let i = 0; i < segments.length; i++) {
        const segment = segments[i]!
        addresses.push(yield* addressOf(segment, i).pipe(Effect.catchTag("OutOfMemory", (e) => outOfMemory(e))))
        rows += segment.rows
      }
      const batch: Batch<"cpu"> = { device: "cpu", rows, segments }
      current = { batch, addresses }
      return batch
    }),
    gradients: Effect.fnUntraced(function*(batch, pass) {
      const { addresses } = yield* latest(batch)
      const rows = countRows(pass.select, addresses, spec)
      if (typeof rows === "string") return yield* fault(rows)
      statisticsView.fill(0)
      accumulate(addresses, pass)
      return pend(pass.loss.name, rows)
    }),
    evaluate: Effect.fnUntraced(function*(batch) {
      const { addresses } = yield* latest(batch)
      const room = Effect.map(floats(maxRows), (address) => arena.float32(address, maxRows))
      const views = evaluated ??= yield* Effect.all({ logProbabilities: room, entropies: room, values: room }).pipe(
        Effect.catchTag("OutOfMemory", (e) => outOfMemory(e))
      )
      const found = Record.map(views, () => new Float32Array(batch.rows))
      let at = 0
      for (const { actions, masks, observations, rows, starts, states } of addresses) {
        kernels.evaluate({
          policy: descriptor,
          parameters,
          workspace,
          rows,
          observations,
          actions,
          masks,
          states,
          starts,
          ...Record.map(views, ({ byteOffset }) => byteOffset)
        })
        for (const name of Record.keys(views)) found[name].set(views[name].subarray(0, rows), at)
        at += rows
      }
      return found
    }),
    gather: (contributions, loss) =>
      Effect.sync(() => {
        statisticsView.fill(0)
        for (const { statistics } of contributions) {
          for (let k = 0; k < Statistic.count; k++) statisticsView[k] = statisticsView[k]! + statistics[k]!
        }
        const [first, second] = contributions
        const from = first === undefined ? 0 : first.gradient.byteOffset
        const stride = second === undefined ? 0 : second.gradient.byteOffset - from
        const evenly = contributions.every(({ gradient }, i) =>
          gradient.buffer === arena.buffer && gradient.byteOffset === from + i * stride
        )
        if (evenly && contributions.length > 0) kernels.sumInto(total, from, stride, contributions.length, size)
        else {
          contributions.forEach(({ gradient }, i) => {
            ;(i === 0 ? totalView : oneView).set(gradient)
            if (i > 0) kernels.addInto(total, one, size)
          })
        }
        return pend(loss, statisticsView[Statistic.rows]!)
      }),
    apply: (gradients, { learningRate, maxGradNorm }) =>
      Effect.suspend(() => {
        if (pending !== gradients) {
          return Effect.fail(fault("these gradients are not this model's latest, or were applied before"))
        }
        pending = undefined
        const norm = Math.sqrt(kernels.squaredNorm(total, size)) / pendingRows
        if (!Number.isFinite(norm)) {
          return Effect.fail(fault(gradientsNotFinite))
        }
        step((maxGradNorm > 0 ? Math.min(1, maxGradNorm / (norm + 1e-6)) : 1) / pendingRows, learningRate)
        return Effect.succeed(norm)
      }),
    read: (into) => Effect.sync(() => into.set(parameterView)),
    write: (from) => Effect.sync(() => parameterView.set(from)),
    save: Effect.sync(() => ({
      parameters: parameterView.slice(),
      optimizer: { arrays: Record.map(memoryViews, (view) => view.slice()), scalars }
    })),
    load: ({ optimizer: saved, parameters: from }) =>
      Effect.suspend(() => {
        if (from.length !== size || !fitsOptimizer(optimizer, size, saved)) {
          return Effect.fail(fault("the saved state is of another policy or optimizer than this model's"))
        }
        // What was computed before belongs to the state that is given up.
        current = undefined
        pending = undefined
        parameterView.set(from)
        for (const [name, view] of Object.entries(memoryViews)) view.set(saved.arrays[name]!)
        scalars = saved.scalars
        return Effect.void
      })
  }

  const pend = (loss: LossName, rows: number): Gradients<"cpu"> => {
    pendingRows = rows
    pending = { device: "cpu", loss: lossReport(loss, statisticsView) }
    return pending
  }

  const gradientOfUnit = unitGradient(kernels, policy, maxRows)

  const accumulate = (segments: ReadonlyArray<SegmentAddresses>, { advantage, loss, select }: Pass): void => {
    const job: GradientJob = {
      policy: descriptor,
      parameters,
      workspace,
      rows: 0,
      loss,
      scale: 1,
      observations: 0,
      actions: 0,
      masks: 0,
      returns: 0,
      advantages: 0,
      advantage,
      logProbabilities: 0,
      behaviorValues: 0,
      kept: 0,
      outputs: 0,
      values: 0,
      states: 0,
      starts: 0,
      gradients: total,
      accumulate: 0,
      statistics
    }
    for (let first = 0, u = 0; first < segments.length; first += unit, u++) {
      job.gradients = first === 0 ? total : one
      job.accumulate = 0
      gradientOfUnit(job, segments.slice(first, first + unit), select === null ? null : select[u]!)
      if (first > 0) kernels.addInto(total, one, size)
    }
  }

  const step = (gradientScale: number, learningRate: number): void => {
    switch (optimizer.kind) {
      case "adam": {
        const { beta1, beta2, epsilon } = optimizer
        const mean = memory["mean"]!
        const square = memory["square"]!
        const beta1Product = scalars["beta1Product"]! * beta1
        const beta2Product = scalars["beta2Product"]! * beta2
        scalars = { beta1Product, beta2Product }
        return kernels.adam(
          parameters,
          parameters,
          total,
          mean,
          mean,
          square,
          square,
          size,
          gradientScale,
          learningRate,
          beta1,
          beta2,
          epsilon,
          1 - beta1Product,
          1 - beta2Product
        )
      }
      case "rmsprop": {
        const square = memory["square"]!
        return kernels.rmsprop(
          parameters,
          parameters,
          total,
          square,
          square,
          size,
          gradientScale,
          learningRate,
          optimizer.alpha,
          optimizer.epsilon,
          optimizer.epsilonPlacement === "inside" ? 1 : 0
        )
      }
      default:
        return optimizer satisfies never
    }
  }

  models.add(self)
  return self
})

const models = new WeakSet<object>()

/** Whether a model is this device's own, and not one that somebody has put around it. */
const made = (model: object): boolean => models.has(model)

export const CpuDevice = { make, made } as const

/**
 * The `cpu` device: the WebAssembly kernels over the shared memory in which the experience already lies, so that a
 * batch is a list of addresses and nothing is copied. Gradients are sums over rows, computed environment by environment
 * and added in their order: it makes no difference to a single bit who computes which. The optimizer's step divides them
 * by the number of rows.
 */
import * as Effect from "effect/Effect"
import type { Batch, DeviceOf, Gradients, LearnerModel, LossCoefficients, ModelSpec, Segment } from "./Device.ts"
import { DeviceFault } from "./Device.ts"
import type { Arena, OutOfMemory } from "./kernels/Arena.ts"
import { Kernels, Statistic } from "./kernels/Kernels.ts"
import { ParameterLayout } from "./Network.ts"
import { initialOptimizerState } from "./optimizers.ts"

const fault = (message: string) => new DeviceFault({ device: "cpu", message })

const outOfMemory = (error: OutOfMemory) => fault(error.message)

/** Where a segment lies in the kernels' memory. */
interface Addresses {
  readonly rows: number
  readonly observations: number
  readonly actions: number
  readonly advantages: number
  readonly returns: number
}

/** A device over this thread's kernels; models and what they remember are allocated in the arena. */
const make = (arena: Arena, kernels: Kernels): DeviceOf<"cpu"> => ({
  name: "cpu",
  model: Effect.fnUntraced(function*(spec, initial) {
    return yield* model(arena, kernels, spec, initial).pipe(Effect.catchTag("OutOfMemory", (e) => outOfMemory(e)))
  })
})

const model = Effect.fnUntraced(function*(arena: Arena, kernels: Kernels, spec: ModelSpec, initial: Float32Array) {
  const { maxRows, network, optimizer, unit = 1 } = spec
  const size = new ParameterLayout(network).size
  const floats = (length: number) => arena.allocate(length * 4)

  const net = yield* kernels.describe(arena, network)
  const workspace = yield* arena.allocate(kernels.workspaceBytes(network, Math.min(maxRows, Kernels.chunkRows)))
  const statistics = yield* arena.allocate(Statistic.count * 8)
  const parameters = yield* floats(size)
  // One environment's gradient, and their sum.
  const one = yield* floats(size)
  const total = yield* floats(size)
  const mean = optimizer.kind === "adam" ? yield* floats(size) : 0
  const square = yield* floats(size)

  const totalView = arena.float32(total, size)
  const oneView = arena.float32(one, size)
  const parameterView = arena.float32(parameters, size)
  const statisticsView = arena.float64(statistics, Statistic.count)
  const meanView = arena.float32(mean, optimizer.kind === "adam" ? size : 0)
  const squareView = arena.float32(square, size)
  const { scalars } = initialOptimizerState(optimizer, 0)
  let { beta1Product, beta2Product } = scalars
  parameterView.set(initial)

  /** Places for experience that lies elsewhere: made when first needed, one a segment. */
  const staging: Array<Segment> = []
  const stage = Effect.fnUntraced(function*(segment: Segment, index: number) {
    const { rows } = segment
    const place = staging[index] ??= {
      rows,
      observations: arena.float32(yield* floats(maxRows * network.inputs), maxRows * network.inputs),
      actions: arena.int32(yield* floats(maxRows), maxRows),
      advantages: arena.float32(yield* floats(maxRows), maxRows),
      returns: arena.float32(yield* floats(maxRows), maxRows)
    }
    place.observations.set(segment.observations.subarray(0, rows * network.inputs))
    place.actions.set(segment.actions.subarray(0, rows))
    place.advantages.set(segment.advantages.subarray(0, rows))
    place.returns.set(segment.returns.subarray(0, rows))
    return { ...place, rows }
  })

  const addressOf = Effect.fnUntraced(function*(segment: Segment, index: number) {
    const { actions, advantages, observations, returns } = segment
    const here = [observations, actions, advantages, returns].every((array) => array.buffer === arena.buffer)
    const inside = here ? segment : yield* stage(segment, index)
    return {
      rows: inside.rows,
      observations: inside.observations.byteOffset,
      actions: inside.actions.byteOffset,
      advantages: inside.advantages.byteOffset,
      returns: inside.returns.byteOffset
    }
  })

  let current: { readonly batch: Batch<"cpu">; readonly addresses: ReadonlyArray<Addresses> } | undefined
  /** What `total` holds, and of how many rows it is the sum. */
  let pending: Gradients<"cpu"> | undefined
  let pendingRows = 0

  const self: LearnerModel<"cpu"> = {
    device: "cpu",
    spec,
    batch: Effect.fnUntraced(function*(segments) {
      const addresses: Array<Addresses> = []
      let rows = 0
      for (let i = 0; i < segments.length; i++) {
        const segment = segments[i]!
        if (segment.rows > maxRows) {
          return yield* fault(`a segment has ${segment.rows} rows; this model takes ${maxRows}`)
        }
        addresses.push(yield* addressOf(segment, i).pipe(Effect.catchTag("OutOfMemory", (e) => outOfMemory(e))))
        rows += segment.rows
      }
      const batch: Batch<"cpu"> = { device: "cpu", rows, segments }
      current = { batch, addresses }
      return batch
    }),
    gradients: (batch, coefficients) =>
      Effect.suspend(() => {
        if (current === undefined || current.batch !== batch) {
          return Effect.fail(fault("the batch is not this model's latest; make it with this model's batch()"))
        }
        statisticsView.fill(0)
        accumulate(current.addresses, coefficients)
        return Effect.succeed(pend(batch.rows))
      }),
    gather: (contributions) =>
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
        return pend(statisticsView[Statistic.rows]!)
      }),
    apply: (gradients, { learningRate, maxNorm }) =>
      Effect.suspend(() => {
        if (pending !== gradients) {
          return Effect.fail(fault("these gradients are not this model's latest, or were applied before"))
        }
        pending = undefined
        const norm = Math.sqrt(kernels.squaredNorm(total, size)) / pendingRows
        if (!Number.isFinite(norm)) {
          return Effect.fail(fault("the gradients are not finite; lower the learning rate, or check the rewards"))
        }
        step((maxNorm > 0 ? Math.min(1, maxNorm / (norm + 1e-6)) : 1) / pendingRows, learningRate)
        return Effect.succeed(norm)
      }),
    read: (into) => Effect.sync(() => into.set(parameterView)),
    write: (from) => Effect.sync(() => parameterView.set(from)),
    save: Effect.sync(() => ({
      parameters: parameterView.slice(),
      optimizer: { mean: meanView.slice(), square: squareView.slice(), beta1Product, beta2Product }
    })),
    load: ({ optimizer: saved, parameters: from }) =>
      Effect.suspend(() => {
        const fits = from.length === size && saved.square.length === size && saved.mean.length === meanView.length
        if (!fits) return Effect.fail(fault("the saved state is of another network or optimizer than this model's"))
        // What was computed before belongs to the state that is given up.
        current = undefined
        pending = undefined
        parameterView.set(from)
        meanView.set(saved.mean)
        squareView.set(saved.square)
        beta1Product = saved.beta1Product
        beta2Product = saved.beta2Product
        return Effect.void
      })
  }

  const pend = (rows: number): Gradients<"cpu"> => {
    pendingRows = rows
    pending = {
      device: "cpu",
      loss: {
        policyLoss: statisticsView[Statistic.policyLoss]! / rows,
        valueLoss: statisticsView[Statistic.valueLoss]! / rows,
        entropy: statisticsView[Statistic.entropy]! / rows
      }
    }
    return pending
  }

  const accumulate = (
    segments: ReadonlyArray<Addresses>,
    { entropyCoefficient, valueCoefficient }: LossCoefficients
  ): void => {
    for (let e = 0; e < segments.length; e++) {
      const { actions, advantages, observations, returns, rows } = segments[e]!
      const begins = e % unit === 0
      kernels.gradientsA2C(
        net,
        parameters,
        observations,
        rows,
        workspace,
        actions,
        advantages,
        returns,
        1,
        valueCoefficient,
        entropyCoefficient,
        e < unit ? total : one,
        begins ? 0 : 1,
        statistics
      )
      if (e >= unit && ((e + 1) % unit === 0 || e === segments.length - 1)) kernels.addInto(total, one, size)
    }
  }

  const step = (gradientScale: number, learningRate: number): void => {
    if (optimizer.kind === "adam") {
      beta1Product *= optimizer.beta1
      beta2Product *= optimizer.beta2
      kernels.adam(
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
        optimizer.beta1,
        optimizer.beta2,
        optimizer.epsilon,
        1 - beta1Product,
        1 - beta2Product
      )
    } else {
      kernels.rmsprop(
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
  }

  return self
})

export const CpuDevice = { make } as const

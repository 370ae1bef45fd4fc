/**
 * How long one update takes on a device, found by making some: losses, gradients, optimizer, and the new parameters back
 * on the host. What a run costs besides (acting, the environments) is the same on every device.
 */
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import type { DeviceFault, DeviceName, DeviceOf, ModelSpec, Segment } from "../Device.ts"
import { distributionOf } from "../policy/DistributionSpec.ts"
import { encoderOf } from "../policy/Encoder.ts"
import { ParameterLayout } from "../policy/ParameterLayout.ts"

/** The shape of an update. */
export interface UpdateShape {
  readonly model: ModelSpec
  /** Rows of its batch, in segments of `model.maxRows`. */
  readonly rows: number
}

/** Multiplications and additions of one update: six for each parameter and row, forwards and twice backwards. */
export const operations = ({ model, rows }: UpdateShape): number => 6 * new ParameterLayout(model.policy).size * rows

/** A batch with something in every row. */
const segmentsOf = ({ model: { maxRows, policy }, rows }: UpdateShape): ReadonlyArray<Segment> => {
  const { inputs } = encoderOf(policy.encoder)
  const { outputs } = distributionOf(policy.distribution)
  const segment: Segment = {
    rows: Math.min(rows, maxRows),
    observations: Float32Array.from({ length: maxRows * inputs }, (_, k) => (k % 7) / 7 - 0.5),
    actions: Int32Array.from({ length: maxRows }, (_, row) => row % outputs),
    advantages: Float32Array.from({ length: maxRows }, (_, row) => row % 3 - 1),
    returns: Float32Array.from({ length: maxRows }, (_, row) => row % 5),
    logProbabilities: new Float32Array(maxRows),
    values: new Float32Array(maxRows)
  }
  return Array.from({ length: Math.ceil(rows / maxRows) }, (_, index) => ({
    ...segment,
    rows: Math.min(maxRows, rows - index * maxRows)
  }))
}

/** Milliseconds of one update with a batch of this size: the least of what fits into `budget` milliseconds, but one at least. */
const atThisSize = Effect.fnUntraced(function*<D extends DeviceName>(
  device: DeviceOf<D>,
  shape: UpdateShape,
  budget: number
) {
  const { size } = new ParameterLayout(shape.model.policy)
  const initial = Float32Array.from({ length: size }, (_, k) => (k % 11) / 110 - 0.05)
  const model = yield* device.model(shape.model, initial)
  const segments = segmentsOf(shape)
  const host = new Float32Array(size)
  const update = Effect.gen(function*() {
    const batch = yield* model.batch(segments)
    const gradients = yield* model.gradients(batch, {
      loss: { name: "a2c", valueCoefficient: 0.5, entropyCoefficient: 0.01 }
    })
    yield* model.apply(gradients, { learningRate: 1e-6, maxGradNorm: 0.5 })
    yield* model.read(host)
  })
  const now = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)
  // The first one compiles code, or shaders.
  yield* update
  const begin = yield* now
  let best = Infinity
  for (let round = 0, end = begin; round === 0 || (end - begin < budget && round < 1000); round++) {
    const from = end
    yield* update
    end = yield* now
    best = Math.min(best, end - from)
  }
  return best
}, Effect.scoped)

/** The most operations of an update that is made in order to measure: some 40 ms of one core. */
const sampleOperations = 1e9

/**
 * Milliseconds of one update, within about `budget` milliseconds of measuring (and at least two updates). A batch that
 * would take too long is measured by two smaller ones, and the line through them.
 */
export const measureUpdate = <D extends DeviceName>(
  device: DeviceOf<D>,
  shape: UpdateShape,
  budget: number
): Effect.Effect<number, DeviceFault> => {
  const affordable = Math.max(8, Math.floor(shape.rows * sampleOperations / operations(shape)))
  if (affordable >= shape.rows) return atThisSize(device, shape, budget)
  const few = Math.ceil(affordable / 4)
  return Effect.zipWith(
    atThisSize(device, { ...shape, rows: few }, budget / 2),
    atThisSize(device, { ...shape, rows: affordable }, budget / 2),
    (less, more) => {
      const perRow = Math.max(0, more - less) / (affordable - few)
      return more + perRow * (shape.rows - affordable)
    }
  )
}

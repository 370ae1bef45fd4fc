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
  const { inputs, stateWords } = encoderOf(policy.encoder)
  const { action } = distributionOf(policy.distribution)
  const segment: Segment = {
    rows: Math.min(rows, maxRows),
    observations: Float32Array.from({ length: maxRows * inputs }, (_, k) => (k % 7) / 7 - 0.5),
    // 0 is an action of every distribution.
    actions: action.type === "int32"
      ? new Int32Array(maxRows * action.width)
      : new Float32Array(maxRows * action.width),
    advantages: Float32Array.from({ length: maxRows }, (_, row) => row % 3 - 1),
    returns: Float32Array.from({ length: maxRows }, (_, row) => row % 5),
    logProbabilities: new Float32Array(maxRows),
    values: new Float32Array(maxRows),
    ...(stateWords === 0
      ? {}
      : { remembered: { state: new Float32Array(stateWords), starts: new Uint8Array(maxRows) } })
  }
  return Array.from({ length: Math.ceil(rows / maxRows) }, (_, index) => ({
    ...segment,
    rows: Math.min(maxRows, rows - index * maxRows)
  }))
}

const now = Effect.map(Clock.monotonicTimeNanos, (nanos) => Number(nanos) / 1e6)

/**
 * Milliseconds of one update with a batch of this size: the least of what fits into `budget` milliseconds, but of three at
 * least; and the milliseconds of them all.
 */
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
      loss: { name: "a2c", valueCoefficient: 0.5, entropyCoefficient: 0.01 },
      advantage: null,
      select: null
    })
    yield* model.apply(gradients, { learningRate: 1e-6, maxGradNorm: 0.5 })
    yield* model.read(host)
  })
  // The first one compiles code, or shaders.
  yield* update
  const begin = yield* now
  let best = Infinity
  let end = begin
  for (let round = 0; round < 3 || (end - begin < budget && round < 1000); round++) {
    const from = end
    yield* update
    end = yield* now
    best = Math.min(best, end - from)
  }
  return { time: best, spent: end - begin }
}, Effect.scoped)

/** Rows of the first sample. */
const fewest = 64

/** How much larger a sample may be than the one before it: how it will do is not known yet. */
const growth = 16

/** So many times its budget a device may be measured for, where every update of it takes long whatever its size. */
const mostBudgets = 50

/**
 * Milliseconds of one update. Samples grow as long as one of them takes no more than `budget` milliseconds, and the last is
 * the whole batch where it seems to take less than four times as much; `most` rows are measured at most. A larger batch lies
 * on the line through the two largest samples, once the rows cost more there than what is the same for any number of them.
 */
export const measureUpdate = Effect.fnUntraced(function*<D extends DeviceName>(
  device: DeviceOf<D>,
  shape: UpdateShape,
  budget: number,
  most = Infinity
): Effect.fn.Return<number, DeviceFault> {
  const limit = Math.min(shape.rows, most)
  let rows = Math.min(limit, fewest)
  let before = { rows: 0, time: 0 }
  let spent = 0
  for (;;) {
    const measured = yield* atThisSize(device, { ...shape, rows }, rows === shape.rows ? budget : budget / 8)
    const { time } = measured
    spent += measured.spent
    if (rows === shape.rows) return time
    const perRow = Math.max(0, time - before.time) / (rows - before.rows)
    const whole = time + perRow * (shape.rows - rows)
    const affordable = rows + (perRow > 0 ? Math.max(0, budget - time) / perRow : Infinity)
    const enough = (affordable < 2 * rows && perRow * rows > time / 2) || spent > mostBudgets * budget
    const first = before.rows === 0
    before = { rows, time }
    if (!first && limit === shape.rows && whole < 4 * budget) rows = limit
    else if (rows === limit || (enough && !first)) return whole
    else rows = Math.min(limit, growth * rows, Math.max((first ? 4 : 2) * rows, Math.floor(affordable)))
  }
})

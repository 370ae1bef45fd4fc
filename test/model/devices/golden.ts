/**
 * How far a device is from float64 on the notebooks' updates as PyTorch made them (`learner.json`): the outputs of the
 * network, the losses, the gradients, and the weights after each of Adam's updates.
 *
 * The interface of a device shows none of the first and third, but what follows from them: the losses of one row tell
 * its log-probability and its value, and Adam without memory (β₁ = 0) remembers the last gradient as it was.
 */
import * as Effect from "effect/Effect"
import type { Contribution, DeviceName, DeviceOf, LearnerModel, Segment } from "../../../src/model/Device.ts"
import { initialParameters } from "../../../src/model/initialize.ts"
import { Statistic } from "../../../src/model/losses/Loss.ts"
import { adam } from "../../../src/model/optimizers.ts"
import { logSoftmax } from "../../../src/model/policy/categorical.ts"
import { distributionOf } from "../../../src/model/policy/DistributionSpec.ts"
import { encoderOf } from "../../../src/model/policy/Encoder.ts"
import { ParameterLayout } from "../../../src/model/policy/ParameterLayout.ts"
import { categoricalMlp, type PolicySpec } from "../../../src/model/policy/PolicySpec.ts"
import { lossAlongFragment, outputGradients } from "../../../src/model/reference/losses.ts"
import { backward, forward } from "../../../src/model/reference/network.ts"
import { Pcg64 } from "../../../src/random/Pcg64.ts"
import { flatten, layoutOf, type LearnerCase, learnerFile } from "../learnerFile.ts"

/**
 * The largest differences found. Each is relative: of single numbers to their size or 1, whichever is more, and of a
 * whole vector to its length.
 */
export interface Distance {
  forward: number
  losses: number
  gradients: number
  weights: number
  /** Numbers compared, so that nobody takes silence for agreement. */
  compared: number
}

const record = (distance: Distance, what: "forward" | "losses" | "gradients" | "weights") =>
(
  actual: ArrayLike<number>,
  expected: ArrayLike<number>
): void => {
  let squares = 0
  let length = 0
  for (let k = 0; k < expected.length; k++) {
    const error = Math.abs(actual[k]! - expected[k]!)
    // Written so that NaN is the largest of all.
    if (!(error / Math.max(1, Math.abs(expected[k]!)) <= distance[what])) {
      distance[what] = error / Math.max(1, Math.abs(expected[k]!))
    }
    squares += error * error
    length += expected[k]! * expected[k]!
  }
  const whole = Math.sqrt(squares / length)
  if (!(whole <= distance[what])) distance[what] = whole
  distance.compared += expected.length
}

const rowsOf = (learnerCase: LearnerCase, count: number) =>
  Float64Array.from(learnerCase.observations.slice(0, count).flat())

const parametersOf = <D extends DeviceName>(model: LearnerModel<D>, size: number) =>
  Effect.suspend(() => {
    const parameters = new Float32Array(size)
    return Effect.as(model.read(parameters), parameters)
  })

const measureCase = Effect.fnUntraced(function*<D extends DeviceName>(
  device: DeviceOf<D>,
  learnerCase: LearnerCase,
  distance: Distance
) {
  const layout = layoutOf(learnerCase)
  const { spec: policy } = layout
  const { inputs } = encoderOf(policy.encoder)
  const { outputs } = distributionOf(policy.distribution)
  const rows = learnerCase.actions.length
  const { entropy_coef, gamma } = learnerFile!
  const initial = Float32Array.from(flatten(layout, learnerCase.initial))
  const spec = { policy, maxRows: rows, optimizer: { kind: "adam", ...learnerCase.adam } as const }
  const model = yield* device.model(spec, initial)
  const mirror = yield* device.model({ ...spec, optimizer: { ...adam, beta1: 0 } }, initial)
  const observations = Float32Array.from(rowsOf(learnerCase, rows))
  const actions = Int32Array.from(learnerCase.actions)
  const separate = learnerCase.kind === "separate"

  // Log-probability of each action and value of an observation, a row at a time, for eight of the rows.
  const pass = forward(layout, initial, Float64Array.from(observations))
  for (let row = 0; row < rows; row += Math.ceil(rows / 8)) {
    const logP = pass.outputs.slice(row * outputs, (row + 1) * outputs)
    logSoftmax(logP, logP)
    for (let action = 0; action < outputs; action++) {
      const one: Segment = {
        rows: 1,
        observations: observations.subarray(row * inputs, (row + 1) * inputs),
        actions: Int32Array.of(action),
        advantages: Float32Array.of(-1),
        returns: Float32Array.of(0),
        logProbabilities: Float32Array.of(0),
        values: Float32Array.of(0)
      }
      const { loss } = yield* Effect.flatMap(
        mirror.batch([one]),
        (batch) =>
          mirror.gradients(batch, {
            loss: { name: "a2c", valueCoefficient: 0, entropyCoefficient: 0 },
            advantage: null,
            select: null
          })
      )
      record(distance, "forward")([loss.policyLoss, loss.valueLoss], [logP[action]!, pass.values[row]! ** 2])
    }
  }

  /** Notebook 002's gradient of the weights as they are now, computed in float64. */
  const temporalDifferences = (parameters: Float32Array): Contribution => {
    const through = forward(layout, parameters, rowsOf(learnerCase, rows + 1))
    const output = outputGradients(policy.distribution, rows + 1)
    const terms = lossAlongFragment(
      policy.distribution,
      { name: "td", gamma, detachBootstrap: false, valueCoefficient: 1, entropyCoefficient: 0 },
      { ...through, actions, rewards: Float64Array.from(learnerCase.rewards), terminated: true },
      output
    )
    const statistics = new Float64Array(Statistic.count)
    statistics[Statistic.policyLoss] = terms.policyLoss * rows
    statistics[Statistic.valueLoss] = terms.valueLoss * rows
    statistics[Statistic.rows] = rows
    // The derivative of the mean; what travels is the sum.
    const gradient = backward(layout, parameters, through, output)
    return { gradient: Float32Array.from(gradient, (g) => g * rows), statistics }
  }
  const gradientsOf = Effect.fnUntraced(function*(of: LearnerModel<D>, parameters: Float32Array) {
    if (!separate) return yield* of.gather([temporalDifferences(parameters)], "td")
    const { values } = forward(layout, parameters, Float64Array.from(observations))
    const segment: Segment = {
      rows,
      observations,
      actions,
      advantages: Float32Array.from(learnerCase.returns, (value, row) => value - values[row]!),
      returns: Float32Array.from(learnerCase.returns),
      logProbabilities: new Float32Array(rows),
      values: Float32Array.from(values)
    }
    const batch = yield* of.batch([segment])
    return yield* of.gradients(batch, {
      loss: { name: "a2c", valueCoefficient: 0.5, entropyCoefficient: entropy_coef },
      advantage: null,
      select: null
    })
  })

  for (const expected of learnerCase.updates) {
    const parameters = yield* parametersOf(model, layout.size)
    if (expected.gradients !== undefined) {
      yield* mirror.write(parameters)
      yield* mirror.apply(yield* gradientsOf(mirror, parameters), { learningRate: 1e-9, maxGradNorm: 0 })
      record(distance, "gradients")((yield* mirror.save).optimizer.arrays["mean"]!, flatten(layout, expected.gradients))
    }
    const gradients = yield* gradientsOf(model, parameters)
    const { entropy, policyLoss, valueLoss } = gradients.loss
    record(distance, "losses")([policyLoss, valueLoss], [expected.policy_loss, expected.value_loss])
    if (expected.entropy !== undefined) record(distance, "losses")([entropy], [expected.entropy])
    yield* model.apply(gradients, { learningRate: learnerCase.learning_rate, maxGradNorm: 0 })
    if (expected.after !== undefined) {
      record(distance, "weights")(yield* parametersOf(model, layout.size), flatten(layout, expected.after))
    }
  }
})

/** The distance of a device from the recorded float64, over all cases of the file. */
export const measure = Effect.fnUntraced(function*<D extends DeviceName>(device: DeviceOf<D>) {
  const distance: Distance = { forward: 0, losses: 0, gradients: 0, weights: 0, compared: 0 }
  for (const learnerCase of learnerFile?.cases ?? []) yield* Effect.scoped(measureCase(device, learnerCase, distance))
  return distance
})

/** Gradients of 1500 rows, which a device may have to divide. */
const manyRows = Effect.fnUntraced(function*<D extends DeviceName>(device: DeviceOf<D>) {
  const rows = 1500
  const policy = categoricalMlp({ towers: "separate", inputs: 4, actions: 2, hidden: [40], activation: "relu" })
  const random = Pcg64.fromSeed(1)
  const normals = (length: number) => Float32Array.from({ length }, () => random.standardNormal())
  const model = yield* device.model(
    { policy, optimizer: { ...adam, beta1: 0 }, maxRows: rows },
    initialParameters(policy, "pytorch", random)
  )
  const segment: Segment = {
    rows,
    observations: normals(rows * 4),
    actions: Int32Array.from({ length: rows }, () => random.integers(0, 2)),
    advantages: normals(rows),
    returns: normals(rows),
    logProbabilities: normals(rows),
    values: normals(rows)
  }
  const batch = yield* model.batch([segment])
  const gradients = yield* model.gradients(batch, {
    loss: { name: "a2c", valueCoefficient: 0.5, entropyCoefficient: 0.01 },
    advantage: null,
    select: null
  })
  yield* model.apply(gradients, { learningRate: 1e-9, maxGradNorm: 0 })
  return (yield* model.save).optimizer.arrays["mean"]!
}, Effect.scoped)

/** Losses and weights of five updates of PPO on actions that are real numbers, in two minibatches each. */
const continuous = Effect.fnUntraced(function*<D extends DeviceName>(device: DeviceOf<D>) {
  const rows = 120
  const policy: PolicySpec = {
    encoder: { kind: "mlp", towers: "separate", inputs: 3, hidden: [24, 16], activation: "tanh" },
    distribution: { kind: "diagonal-gaussian", dims: 2 }
  }
  const random = Pcg64.fromSeed(5)
  const normals = (length: number) => Float32Array.from({ length }, () => random.standardNormal())
  const model = yield* device.model(
    { policy, optimizer: adam, maxRows: rows },
    initialParameters(policy, "pytorch", random, -0.5)
  )
  const segment: Segment = {
    rows,
    observations: normals(rows * 3),
    actions: normals(rows * 2),
    advantages: normals(rows),
    returns: normals(rows),
    logProbabilities: normals(rows).map((x) => x / 10 - 2),
    values: normals(rows)
  }
  const order = random.permutation(rows)
  const losses: Array<number> = []
  for (let update = 0; update < 5; update++) {
    const batch = yield* model.batch([segment])
    const gradients = yield* model.gradients(batch, {
      loss: { name: "ppo", clipRange: 0.2, valueClipRange: 0.3, valueCoefficient: 0.5, entropyCoefficient: 0.01 },
      advantage: { mean: 0.1, scale: 0.9 },
      select: [order.subarray(update % 2 * rows / 2, (update % 2 + 1) * rows / 2)]
    })
    const { approxKl = NaN, entropy, policyLoss, valueLoss } = gradients.loss
    losses.push(policyLoss, valueLoss, entropy, approxKl)
    yield* model.apply(gradients, { learningRate: 0.003, maxGradNorm: 0.5 })
  }
  return { losses, weights: yield* parametersOf(model, new ParameterLayout(policy).size) }
}, Effect.scoped)

/** The distance of a device from another on continuous actions. */
export const measureContinuous = Effect.fnUntraced(function*<D extends DeviceName, Other extends DeviceName>(
  device: DeviceOf<D>,
  other: DeviceOf<Other>
) {
  const distance: Distance = { forward: 0, losses: 0, gradients: 0, weights: 0, compared: 0 }
  const expected = yield* continuous(other)
  const actual = yield* continuous(device)
  record(distance, "losses")(actual.losses, expected.losses)
  record(distance, "weights")(actual.weights, expected.weights)
  return distance
})

/** How far a device's gradients of many rows are from another's, as a share of their length; and whether they repeat. */
export const measureManyRows = <D extends DeviceName, Other extends DeviceName>(
  device: DeviceOf<D>,
  other: DeviceOf<Other>
) =>
  Effect.gen(function*() {
    const expected = yield* manyRows(other)
    const once = yield* manyRows(device)
    const again = yield* manyRows(device)
    const distance = Math.hypot(...once.map((value, k) => value - expected[k]!)) / Math.hypot(...expected)
    return { distance, repeats: once.every((value, k) => value === again[k]) }
  })

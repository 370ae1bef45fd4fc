/**
 * Losses of what a policy put out, in float64: a distribution turns outputs and actions into log-probabilities and
 * entropies, a loss says what they cost, and the distribution takes the derivatives back to the outputs. A network's
 * backward pass takes it from there; the kernels do the same, chunk by chunk.
 */
import { addTo, type LossRow, type LossRowDerivative, Statistic } from "../losses/Loss.ts"
import {
  fragmentLossOf,
  type FragmentLossSettings,
  type LossReport,
  lossReport,
  type LossSettings,
  rowLossOf
} from "../losses/LossSettings.ts"
import type { ActionArray, Distribution } from "../policy/Distribution.ts"
import { distributionOf, type DistributionSpec } from "../policy/DistributionSpec.ts"
import type { FloatArray } from "../policy/Layer.ts"

/** Receives the derivative of a loss; shapes as what it was computed from. */
export interface OutputGradients {
  /** [rows][outputs] */
  readonly outputs: Float64Array
  /** [rows] */
  readonly values: Float64Array
  /** [freeParameters], summed over the rows. */
  readonly free: Float64Array
}

/** Room for the derivatives of `rows` rows. */
export const outputGradients = (distribution: DistributionSpec, rows: number): OutputGradients => {
  const { freeParameters, outputs } = distributionOf(distribution)
  return {
    outputs: new Float64Array(rows * outputs),
    values: new Float64Array(rows),
    free: new Float64Array(freeParameters)
  }
}

/** What a policy put out of n rows, and the actions that were taken. */
export interface PolicyRows {
  /** [n][outputs] */
  readonly outputs: Float64Array
  /** [n], the values now. */
  readonly values: Float64Array
  /** The distribution's free parameters. */
  readonly free?: FloatArray
  /** [n][action width] */
  readonly actions: ActionArray
}

/** n rows that a loss of rows reads. */
export interface LossBatch extends PolicyRows {
  /** [n], what the value is drawn to. */
  readonly returns: FloatArray
  /** [n], what weighs the policy gradient. Left out: returns − values, held constant. */
  readonly advantages?: FloatArray
  /** [n], log-probabilities of the actions when they were chosen. Left out: those of now. */
  readonly logProbabilities?: FloatArray
  /** [n], the values when the actions were chosen. Left out: those of now. */
  readonly behaviorValues?: FloatArray
}

/** A loss and its terms, each a mean over the rows, before its coefficient. */
export type LossTerms = LossReport & { readonly loss: number }

/** What a batch's distributions are made from, row by row. */
const parametersOf = (distribution: Distribution, { free, outputs }: PolicyRows) => {
  const parameters = new Float64Array(distribution.outputs + distribution.freeParameters)
  parameters.set(free ?? [], distribution.outputs)
  return (row: number): Float64Array => {
    parameters.set(outputs.subarray(row * distribution.outputs, (row + 1) * distribution.outputs))
    return parameters
  }
}

const backward = (
  distribution: Distribution,
  batch: PolicyRows,
  rows: number,
  derivativeOf: (row: number) => LossRowDerivative,
  gradients: OutputGradients
): void => {
  const { outputs } = distribution
  const { width } = distribution.action
  const parameters = parametersOf(distribution, batch)
  const own = new Float64Array(outputs + distribution.freeParameters)
  gradients.outputs.fill(0)
  gradients.free.fill(0)
  for (let row = 0; row < rows; row++) {
    const derivative = derivativeOf(row)
    const action = batch.actions.subarray(row * width, (row + 1) * width)
    distribution.gradient(parameters(row), action, derivative.logProbability, derivative.entropy, own)
    gradients.outputs.set(own.subarray(0, outputs), row * outputs)
    for (let k = 0; k < distribution.freeParameters; k++) gradients.free[k]! += own[outputs + k]!
  }
}

/** Log-probability of the action taken, and entropy, of each of `rows` rows. */
export const evaluateRows = (
  spec: DistributionSpec,
  batch: PolicyRows,
  rows = batch.values.length
): { readonly logProbabilities: Float64Array; readonly entropies: Float64Array } => {
  const distribution = distributionOf(spec)
  const { width } = distribution.action
  const parameters = parametersOf(distribution, batch)
  const logProbabilities = new Float64Array(rows)
  const entropies = new Float64Array(rows)
  for (let row = 0; row < rows; row++) {
    const own = parameters(row)
    logProbabilities[row] = distribution.logProbability(own, batch.actions.subarray(row * width, (row + 1) * width))
    entropies[row] = distribution.entropy(own)
  }
  return { logProbabilities, entropies }
}

const termsOf = (settings: LossSettings | FragmentLossSettings, sums: Float64Array): LossTerms => {
  const report = lossReport(settings.name, sums)
  const { entropyCoefficient, valueCoefficient } = settings
  return {
    ...report,
    loss: report.policyLoss + valueCoefficient * report.valueLoss - entropyCoefficient * report.entropy
  }
}

/**
 * A loss of rows, times `scale`: adds its sums to `sums`, and writes its derivative by outputs, values and free
 * parameters.
 *
 * @param gradients receives the derivative
 */
export const addLossOfRows = (
  spec: DistributionSpec,
  settings: LossSettings,
  batch: LossBatch,
  scale: number,
  gradients: OutputGradients,
  sums: Float64Array
): void => {
  const rows = batch.values.length
  const loss = rowLossOf(settings)
  const { entropies, logProbabilities } = evaluateRows(spec, batch)
  const derivative: LossRowDerivative = { logProbability: 0, entropy: 0, value: 0 }
  const derivativeOf = (row: number): LossRowDerivative => {
    const value = batch.values[row]!
    const target = batch.returns[row]!
    const known: LossRow = {
      logProbability: logProbabilities[row]!,
      behaviorLogProbability: batch.logProbabilities?.[row] ?? logProbabilities[row]!,
      entropy: entropies[row]!,
      value,
      behaviorValue: batch.behaviorValues?.[row] ?? value,
      advantage: batch.advantages?.[row] ?? target - value,
      return: target
    }
    loss.row(known, derivative, sums)
    addTo(sums, Statistic.entropy, known.entropy)
    addTo(sums, Statistic.logProbability, known.logProbability)
    addTo(sums, Statistic.target, target)
    addTo(sums, Statistic.targetSquared, target * target)
    addTo(sums, Statistic.error, target - value)
    derivative.logProbability *= scale
    derivative.entropy *= scale
    gradients.values[row] = derivative.value * scale
    return derivative
  }
  backward(distributionOf(spec), batch, rows, derivativeOf, gradients)
  addTo(sums, Statistic.rows, rows)
}

/** The mean over rows of a loss of rows, and its derivative; see `addLossOfRows`. */
export const lossOfRows = (
  spec: DistributionSpec,
  settings: LossSettings,
  batch: LossBatch,
  gradients: OutputGradients
): LossTerms => {
  const sums = new Float64Array(Statistic.count)
  addLossOfRows(spec, settings, batch, 1 / batch.values.length, gradients, sums)
  return termsOf(settings, sums)
}

/**
 * The mean over n consecutive steps of a loss along fragments, and its derivative. `batch` has n + 1 rows, the last of
 * which is the observation that followed the last step; its outputs are unread and get the derivative 0.
 *
 * @param gradients receives the derivative, of n + 1 rows
 */
export const lossAlongFragment = (
  spec: DistributionSpec,
  settings: FragmentLossSettings,
  batch: PolicyRows & { readonly rewards: Float64Array; readonly terminated: boolean },
  gradients: OutputGradients
): LossTerms => {
  const rows = batch.rewards.length
  const sums = new Float64Array(Statistic.count)
  const { entropies, logProbabilities } = evaluateRows(spec, batch, rows)
  const derivatives = {
    logProbabilities: new Float64Array(rows),
    entropies: new Float64Array(rows),
    values: gradients.values
  }
  const { rewards, terminated, values } = batch
  fragmentLossOf(settings).rows({ logProbabilities, entropies, values, rewards, terminated }, derivatives, sums)
  for (let row = 0; row < rows; row++) {
    addTo(sums, Statistic.entropy, entropies[row]!)
    addTo(sums, Statistic.logProbability, logProbabilities[row]!)
    addTo(sums, Statistic.rows, 1)
  }
  for (let row = 0; row <= rows; row++) gradients.values[row] = gradients.values[row]! / rows
  const derivativeOf = (row: number): LossRowDerivative => ({
    logProbability: derivatives.logProbabilities[row]! / rows,
    entropy: derivatives.entropies[row]! / rows,
    value: 0
  })
  backward(distributionOf(spec), batch, rows, derivativeOf, gradients)
  return termsOf(settings, sums)
}

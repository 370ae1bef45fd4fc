/** The losses of rows as operations on tensors: what `losses/` says of one row, of many. */
import type * as tfjs from "@tensorflow/tfjs-core"
import type { LossSettings } from "../losses/LossSettings.ts"

type Matrix = tfjs.Tensor2D

/** What a loss reads; [rows][1] each. See `LossRow` of `losses/Loss.ts`. */
export interface TensorLossRows {
  readonly logProbabilities: Matrix
  readonly behaviorLogProbabilities: Matrix
  readonly entropies: Matrix
  readonly values: Matrix
  readonly behaviorValues: Matrix
  readonly advantages: Matrix
  readonly returns: Matrix
}

/** The derivative of the rows' losses, [rows][1] each, and what is summed over the rows: policy's and value's term, and the loss's own statistics. */
export interface TensorLoss {
  readonly dLogProbabilities: Matrix
  readonly dEntropies: Matrix
  readonly dValues: Matrix
  readonly terms: readonly [policyLoss: Matrix, valueLoss: Matrix, ...own: ReadonlyArray<Matrix>]
}

/** The losses of rows `rows`; `number` keeps a number on the device under a name. */
export const tensorLossOf = (
  tf: typeof tfjs,
  number: (name: string, value: number) => tfjs.Scalar,
  settings: LossSettings,
  rows: TensorLossRows
): TensorLoss => {
  switch (settings.name) {
    case "a2c": {
      const error = tf.sub<Matrix>(rows.returns, rows.values)
      const dLogProbabilities = tf.neg(rows.advantages)
      return {
        dLogProbabilities,
        dEntropies: tf.mul(tf.onesLike(rows.entropies), number("entropyPull", -settings.entropyCoefficient)),
        dValues: tf.mul(error, number("valuePull", -2 * settings.valueCoefficient)),
        terms: [tf.mul(dLogProbabilities, rows.logProbabilities), tf.square(error)]
      }
    }
  }
}

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
    case "ppo": {
      const { clipRange, entropyCoefficient, valueClipRange, valueCoefficient } = settings
      const logRatio = tf.sub<Matrix>(rows.logProbabilities, rows.behaviorLogProbabilities)
      const ratio = tf.exp(logRatio)
      const surrogate = tf.mul<Matrix>(ratio, rows.advantages)
      const clipped = tf.mul<Matrix>(tf.clipByValue(ratio, 1 - clipRange, 1 + clipRange), rows.advantages)
      const change = tf.sub<Matrix>(ratio, number("one", 1))

      const error = tf.sub<Matrix>(rows.returns, rows.values)
      const squared = tf.square(error)
      let valueLoss = squared
      let dValues = tf.mul<Matrix>(error, number("valuePull", -2 * valueCoefficient))
      if (valueClipRange !== null) {
        const moved = tf.sub<Matrix>(rows.values, rows.behaviorValues)
        const bound = tf.clipByValue(moved, -valueClipRange, valueClipRange)
        const bounded = tf.square(tf.sub<Matrix>(rows.returns, tf.add(rows.behaviorValues, bound)))
        const free = tf.lessEqual<Matrix>(tf.abs(moved), number("valueClipRange", valueClipRange))
        valueLoss = tf.where(free, squared, tf.maximum<Matrix>(squared, bounded))
        dValues = tf.mul(dValues, tf.cast(tf.logicalOr(free, tf.greaterEqual(squared, bounded)), "float32"))
      }
      return {
        dLogProbabilities: tf.neg(tf.mul(surrogate, tf.cast(tf.lessEqual(surrogate, clipped), "float32"))),
        dEntropies: tf.mul(tf.onesLike(rows.entropies), number("entropyPull", -entropyCoefficient)),
        dValues,
        terms: [
          tf.neg(tf.minimum(surrogate, clipped)),
          valueLoss,
          tf.sub(change, logRatio),
          tf.cast(tf.greater(tf.abs(change), number("clipRange", clipRange)), "float32")
        ]
      }
    }
  }
}

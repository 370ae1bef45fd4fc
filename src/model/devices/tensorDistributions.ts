/**
 * The distributions of `policy/` as operations on tensors: log-probability and entropy of each row, and the derivative by
 * the policy's outputs.
 */
import type * as tfjs from "@tensorflow/tfjs-core"
import type { DistributionSpec } from "../policy/DistributionSpec.ts"

type Matrix = tfjs.Tensor2D

/** What a distribution makes of some rows. */
export interface TensorRows {
  /** [rows][1] */
  readonly logProbabilities: Matrix
  /** [rows][1] */
  readonly entropies: Matrix
  /** The derivative by the outputs [rows][outputs], from those by log-probability and entropy, [rows][1] each. */
  readonly gradient: (dLogProbabilities: Matrix, dEntropies: Matrix) => Matrix
}

/** A distribution on tensors. */
export interface TensorDistribution {
  /** Numbers of a row of `encode`. */
  readonly width: number
  /** Actions as the device takes them, [rows][width]. */
  readonly encode: (actions: Int32Array | Float32Array, rows: number) => Float32Array
  readonly evaluate: (outputs: Matrix, taken: Matrix) => TensorRows
}

/** One of n actions: the one that was taken is 1 among zeros. */
const categorical = (tf: typeof tfjs, n: number): TensorDistribution => ({
  width: n,
  encode: (actions, rows) => {
    const taken = new Float32Array(rows * n)
    for (let row = 0; row < rows; row++) taken[row * n + actions[row]!] = 1
    return taken
  },
  evaluate: (logits, taken) => {
    const shifted = tf.sub<Matrix>(logits, tf.max(logits, 1, true))
    const logP = tf.sub<Matrix>(shifted, tf.log(tf.sum(tf.exp(shifted), 1, true)))
    const p = tf.exp(logP)
    const entropies = tf.neg<Matrix>(tf.sum(tf.mul(p, logP), 1, true))
    return {
      logProbabilities: tf.sum<Matrix>(tf.mul(taken, logP), 1, true),
      entropies,
      gradient: (dLogProbabilities, dEntropies) =>
        tf.sub(
          tf.mul(dLogProbabilities, tf.sub(taken, p)),
          tf.mul(dEntropies, tf.mul(p, tf.add(logP, entropies)))
        )
    }
  }
})

/** The distribution of a spec. */
export const tensorDistributionOf = (tf: typeof tfjs, spec: DistributionSpec): TensorDistribution => {
  switch (spec.kind) {
    case "categorical":
      return categorical(tf, spec.n)
  }
}

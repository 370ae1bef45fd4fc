/**
 * The distributions of `policy/` as operations on tensors: log-probability and entropy of each row, and the derivative by
 * the policy's outputs.
 */
import type * as tfjs from "@tensorflow/tfjs-core"
import type { DistributionSpec } from "../policy/DistributionSpec.ts"

type Matrix = tfjs.Tensor2D

type Vector = tfjs.Tensor1D

/** Keeps a number on the device. */
type Constant = (value: number) => tfjs.Scalar

/** What a distribution makes of some rows. */
export interface TensorRows {
  /** [rows][1] */
  readonly logProbabilities: Matrix
  /** [rows][1] */
  readonly entropies: Matrix
  /**
   * From the derivative by log-probability and entropy, [rows][1] each, that by the outputs [rows][outputs], and that by
   * the free parameters, summed over the rows, where there are any.
   */
  readonly gradient: (
    dLogProbabilities: Matrix,
    dEntropies: Matrix
  ) => { readonly outputs: Matrix; readonly free?: Vector }
}

/** A distribution on tensors. */
export interface TensorDistribution {
  /** Numbers of a row of `encode`. */
  readonly width: number
  /** Actions as the device takes them, [rows][width]. */
  readonly encode: (actions: Int32Array | Float32Array, rows: number) => Float32Array
  /** `free` are the free parameters; of no length where there are none. */
  readonly evaluate: (outputs: Matrix, taken: Matrix, free: () => Vector) => TensorRows
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
      gradient: (dLogProbabilities, dEntropies) => ({
        outputs: tf.sub(
          tf.mul(dLogProbabilities, tf.sub(taken, p)),
          tf.mul(dEntropies, tf.mul(p, tf.add(logP, entropies)))
        )
      })
    }
  }
})

/** Several choices: each on its part of the columns. */
const multiCategorical = (tf: typeof tfjs, nvec: ReadonlyArray<number>): TensorDistribution => {
  const width = nvec.reduce((sum, n) => sum + n, 0)
  let at = 0
  const choices = nvec.map((n, k) => {
    const from = at
    at += n
    return { n, k, from, choice: categorical(tf, n) }
  })
  const sum = (parts: ReadonlyArray<Matrix>): Matrix => parts.reduce((total, part) => tf.add<Matrix>(total, part))
  return {
    width,
    encode: (actions, rows) => {
      const taken = new Float32Array(rows * width)
      for (let row = 0; row < rows; row++) {
        for (const { from, k } of choices) taken[row * width + from + actions[row * nvec.length + k]!] = 1
      }
      return taken
    },
    evaluate: (logits, taken, free) => {
      const part = (of: Matrix, from: number, n: number) => tf.slice2d(of, [0, from], [of.shape[0], n])
      const parts = choices.map(({ choice, from, n }) =>
        choice.evaluate(part(logits, from, n), part(taken, from, n), free)
      )
      return {
        logProbabilities: sum(parts.map(({ logProbabilities }) => logProbabilities)),
        entropies: sum(parts.map(({ entropies }) => entropies)),
        gradient: (dLogProbabilities, dEntropies) => ({
          outputs: tf.concat2d(
            parts.map(({ gradient }) => gradient(dLogProbabilities, dEntropies).outputs),
            1
          )
        })
      }
    }
  }
}

/** Choices between 0 and 1, told from exp(−|z|) as `policy/bernoulli.ts` does. */
const bernoulli = (tf: typeof tfjs, constant: Constant, n: number): TensorDistribution => ({
  width: n,
  encode: (actions) => Float32Array.from(actions),
  evaluate: (logits, taken) => {
    const size = tf.abs(logits)
    const e = tf.exp(tf.neg(size))
    const common = tf.log1p(e)
    const larger = tf.div<Matrix>(constant(1), tf.add(e, constant(1)))
    const smaller = tf.mul<Matrix>(e, larger)
    const isPositive = tf.greaterEqual<Matrix>(logits, constant(0))
    const p = tf.where(isPositive, larger, smaller)
    const q = tf.where(isPositive, smaller, larger)
    // min(±z, 0): z of what was taken against it.
    const against = tf.minimum<Matrix>(
      tf.mul(logits, tf.sub(tf.mul(taken, constant(2)), constant(1))),
      constant(0)
    )
    return {
      logProbabilities: tf.sum<Matrix>(tf.sub(against, common), 1, true),
      entropies: tf.sum<Matrix>(tf.add(common, tf.mul(size, smaller)), 1, true),
      gradient: (dLogProbabilities, dEntropies) => ({
        outputs: tf.sub(
          // taken − p, without the digits that a subtraction would lose.
          tf.mul(dLogProbabilities, tf.sub(tf.mul(taken, q), tf.mul(tf.sub(constant(1), taken), p))),
          tf.mul(dEntropies, tf.mul(logits, tf.mul(p, q)))
        )
      })
    }
  }
})

/** log √(2π), and log √(2πe). */
const logRoot = 0.9189385332046727
const entropyOfUnit = 1.4189385332046727

/** Real numbers, of which the outputs are the means and the free parameters the logarithms of the deviations. */
const diagonalGaussian = (tf: typeof tfjs, constant: Constant, dims: number): TensorDistribution => ({
  width: dims,
  encode: (actions) => Float32Array.from(actions),
  evaluate: (means, taken, free) => {
    const logDeviations = free()
    const inverse = tf.exp(tf.neg(logDeviations))
    const t = tf.mul<Matrix>(tf.sub(taken, means), inverse)
    const rows = means.shape[0]
    return {
      logProbabilities: tf.neg(
        tf.sum<Matrix>(tf.add(tf.mul(tf.square(t), constant(0.5)), tf.add(logDeviations, constant(logRoot))), 1, true)
      ),
      entropies: tf.mul(tf.ones([rows, 1]), tf.sum(tf.add(logDeviations, constant(entropyOfUnit)))),
      gradient: (dLogProbabilities, dEntropies) => ({
        outputs: tf.mul(dLogProbabilities, tf.mul(t, inverse)),
        free: tf.sum<Vector>(tf.add(tf.mul(dLogProbabilities, tf.sub(tf.square(t), constant(1))), dEntropies), 0)
      })
    }
  }
})

/** The distribution of a spec. */
export const tensorDistributionOf = (
  tf: typeof tfjs,
  constant: Constant,
  spec: DistributionSpec
): TensorDistribution => {
  switch (spec.kind) {
    case "categorical":
      return categorical(tf, spec.n)
    case "multi-categorical":
      return multiCategorical(tf, spec.nvec)
    case "bernoulli":
      return bernoulli(tf, constant, spec.n)
    case "diagonal-gaussian":
      return diagonalGaussian(tf, constant, spec.dims)
  }
}

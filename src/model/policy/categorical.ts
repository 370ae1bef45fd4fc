/**
 * The distribution over discrete actions that a row of logits stands for: log-softmax, probabilities, entropy,
 * sampling. The kernels compute the same in WebAssembly; the sampling rule here is the one they follow.
 *
 * Every function works on the row of `length` numbers that begins at `offset`, and allocates nothing. Logits may be
 * −∞ (an action that is never taken) as long as one of them is finite.
 */
import { exp, log } from "../../math/index.ts"
import type { Distribution } from "./Distribution.ts"
import type { FloatArray } from "./Layer.ts"

/** The largest logit: taken off before anything is exponentiated, so that nothing overflows. */
const largestOf = (logits: FloatArray, offset: number, length: number): number => {
  let largest = logits[offset]!
  for (let j = offset + 1; j < offset + length; j++) if (logits[j]! > largest) largest = logits[j]!
  return largest
}

/** log Σⱼ exp(zⱼ − largest). Kept apart from `largest`: their sum would lose the digits of a small logarithm. */
const logSumExp = (logits: FloatArray, largest: number, offset: number, length: number): number => {
  let sum = 0
  for (let j = offset; j < offset + length; j++) sum += exp(logits[j]! - largest)
  return log(sum)
}

/** Log-probabilities: log pⱼ = zⱼ − log Σₖ exp(zₖ). `out` may be `logits` itself. */
export const logSoftmax = (out: FloatArray, logits: FloatArray, offset = 0, length = logits.length - offset): void => {
  const largest = largestOf(logits, offset, length)
  const normalizer = logSumExp(logits, largest, offset, length)
  for (let j = offset; j < offset + length; j++) out[j] = logits[j]! - largest - normalizer
}

/** Probabilities: pⱼ = exp(zⱼ) / Σₖ exp(zₖ). `out` may be `logits` itself. */
export const softmax = (out: FloatArray, logits: FloatArray, offset = 0, length = logits.length - offset): void => {
  const end = offset + length
  const largest = largestOf(logits, offset, length)
  let sum = 0
  for (let j = offset; j < end; j++) {
    out[j] = exp(logits[j]! - largest)
    sum += out[j]!
  }
  for (let j = offset; j < end; j++) out[j] = out[j]! / sum
}

/** log p(action) of one row of logits. */
export const logProbability = (
  logits: FloatArray,
  action: number,
  offset = 0,
  length = logits.length - offset
): number => {
  const largest = largestOf(logits, offset, length)
  return logits[offset + action]! - largest - logSumExp(logits, largest, offset, length)
}

/** Entropy in nats, H = −Σⱼ pⱼ log pⱼ, of one row of log-probabilities: 0 (certain) to log `length` (uniform). */
export const entropy = (
  logProbabilities: FloatArray,
  offset = 0,
  length = logProbabilities.length - offset
): number => {
  let sum = 0
  for (let j = offset; j < offset + length; j++) {
    const p = exp(logProbabilities[j]!)
    // 0 · log 0 counts 0.
    if (p > 0) sum -= p * logProbabilities[j]!
  }
  return sum
}

/**
 * Samples by inverse distribution function from one uniform number `u` in [0, 1): the action is the smallest a with
 * u < p₀ + … + pₐ, the sum taken in that order. Where rounding leaves the whole sum at or below `u`, it is the last
 * action.
 */
export const sampleAction = (
  probabilities: FloatArray,
  u: number,
  offset = 0,
  length = probabilities.length - offset
): number => {
  let cumulative = 0
  for (let a = 0; a < length - 1; a++) {
    cumulative += probabilities[offset + a]!
    if (u < cumulative) return a
  }
  return length - 1
}

/** The greedy action: the most likely one, and of equals the first. Takes logits or probabilities. */
export const greedyAction = (logits: FloatArray, offset = 0, length = logits.length - offset): number => {
  let best = 0
  for (let a = 1; a < length; a++) if (logits[offset + a]! > logits[offset + best]!) best = a
  return best
}

/** One of `n` actions. `parameters` are its logits. */
export const categorical = (n: number): Distribution => ({
  outputs: n,
  freeParameters: 0,
  masks: n,
  action: { type: "int32", width: 1 },
  sample: (logits, random, into) => {
    const probabilities = new Float64Array(n)
    softmax(probabilities, logits)
    into[0] = sampleAction(probabilities, random.random())
  },
  mode: (logits, into) => into[0] = greedyAction(logits),
  logProbability: (logits, action) => logProbability(logits, action[0]!),
  entropy: (logits) => {
    const logP = new Float64Array(n)
    logSoftmax(logP, logits)
    return entropy(logP)
  },
  // ∂log p(a)/∂zⱼ = 1{j = a} − pⱼ and ∂H/∂zⱼ = −pⱼ (log pⱼ + H).
  gradient: (logits, action, dLogProbability, dEntropy, into) => {
    logSoftmax(into, logits)
    const h = entropy(into)
    for (let j = 0; j < n; j++) {
      const logP = into[j]!
      const p = exp(logP)
      into[j] = dLogProbability * ((j === action[0] ? 1 : 0) - p) - (p > 0 ? dEntropy * p * (logP + h) : 0)
    }
  }
})

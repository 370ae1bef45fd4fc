/**
 * Real numbers, each from a normal distribution of its own: the head gives the means, and the logarithms of the deviations
 * are learned beside the network, the same for every observation, as in Stable-Baselines3. Actions are as they were drawn:
 * whoever has bounds clips what the environment gets.
 */
import { exp, log } from "../../math/index.ts"
import type { Pcg64 } from "../../random/Pcg64.ts"
import type { Distribution } from "./Distribution.ts"

/** log √(2π), and log √(2πe). */
const logRoot = 0.9189385332046727
const entropyOfUnit = 1.4189385332046727

/** Receives two normal numbers. */
const pair = new Float64Array(2)

/**
 * Two standard normal numbers by Marsaglia's polar method: a point (u, v) in the unit circle, u = 2 · random() − 1 and v
 * likewise, drawn again until it lies within; times √(−2 log s / s), s = u² + v².
 */
const drawPair = (random: Pcg64): void => {
  for (;;) {
    const u = 2 * random.random() - 1
    const v = 2 * random.random() - 1
    const s = u * u + v * v
    if (s >= 1 || s === 0) continue
    const length = Math.sqrt(-2 * log(s) / s)
    pair[0] = u * length
    pair[1] = v * length
    return
  }
}

/** `dims` numbers. `parameters` are their means, then the logarithms of their deviations. */
export const diagonalGaussian = (dims: number): Distribution => {
  const standardized = (parameters: ArrayLike<number>, action: ArrayLike<number>, d: number): number =>
    (action[d]! - parameters[d]!) * exp(-parameters[dims + d]!)
  return {
    outputs: dims,
    freeParameters: dims,
    masks: 0,
    action: { type: "float32", width: dims },
    /** A pair of normal numbers for every two dimensions; of the last pair of an odd number the second is dropped. */
    sample: (parameters, random, into) => {
      for (let d = 0; d < dims; d++) {
        if (d % 2 === 0) drawPair(random)
        into[d] = parameters[d]! + exp(parameters[dims + d]!) * pair[d % 2]!
      }
    },
    mode: (parameters, into) => {
      for (let d = 0; d < dims; d++) into[d] = parameters[d]!
    },
    logProbability: (parameters, action) => {
      let sum = 0
      for (let d = 0; d < dims; d++) {
        const t = standardized(parameters, action, d)
        sum -= 0.5 * t * t + parameters[dims + d]! + logRoot
      }
      return sum
    },
    entropy: (parameters) => {
      let sum = 0
      for (let d = 0; d < dims; d++) sum += parameters[dims + d]! + entropyOfUnit
      return sum
    },
    // With t = (a − μ) / σ: ∂log p/∂μ = t / σ, ∂log p/∂log σ = t² − 1, ∂H/∂log σ = 1.
    gradient: (parameters, action, dLogProbability, dEntropy, into) => {
      for (let d = 0; d < dims; d++) {
        const t = standardized(parameters, action, d)
        into[d] = dLogProbability * t * exp(-parameters[dims + d]!)
        into[dims + d] = dLogProbability * (t * t - 1) + dEntropy
      }
    }
  }
}

// dprint-ignore-file: the formatter drops decorators of functions
/**
 * Real numbers, each from a normal distribution of its own: the head's outputs are the means, the free parameters the
 * logarithms of the deviations. What is summed over the dimensions of a row is summed in float64 and rounded once.
 */
import { exp4 } from "./elementary"
import { log64 } from "./logarithm"
import { uniform } from "./pcg64"

/** log √(2π), and log √(2πe). */
const LOG_ROOT: f64 = 0.9189385332046727
const UNIT_ENTROPY: f64 = 1.4189385332046727

@inline
function exponential(x: f32): f32 {
  return f32x4.extract_lane(exp4(f32x4.splat(x)), 0)
}

/** (action - mean) / deviation */
@inline
function standardized(mean: usize, action: usize, logDeviation: f32): f32 {
  return (f32.load(action) - f32.load(mean)) * exponential(-logDeviation)
}

/** log of the density of one action. */
function logDensity(means: usize, dims: i32, logDeviations: usize, action: usize): f32 {
  let sum: f64 = 0
  for (let at: usize = 0, end = <usize>dims << 2; at < end; at += 4) {
    const logDeviation = f32.load(logDeviations + at)
    const t = <f64>standardized(means + at, action + at, logDeviation)
    sum -= 0.5 * t * t + <f64>logDeviation + LOG_ROOT
  }
  return <f32>sum
}

/**
 * An action of each row and its log-density. Normal numbers come in pairs, by Marsaglia's polar method: a point in the unit
 * circle, of two uniform doubles, drawn again until it lies within. Of the last pair of an odd number of dimensions the
 * second is dropped.
 */
export function sampleNormals(
  means: usize, stride: usize, rows: i32, dims: i32, logDeviations: usize, streams: usize, streamStride: usize,
  actions: usize, logProbabilities: usize, outputStride: usize
): void {
  for (let row = 0; row < rows; row++) {
    let second: f64 = 0
    for (let d = 0; d < dims; d++) {
      const at = <usize>d << 2
      let normal = second
      if (!(d & 1)) {
        let u: f64
        let v: f64
        let s: f64
        do {
          u = 2 * uniform(streams) - 1
          v = 2 * uniform(streams) - 1
          s = u * u + v * v
        } while (s >= 1 || s == 0)
        const length = sqrt(-2 * log64(s) / s)
        normal = u * length
        second = v * length
      }
      const deviation = <f64>exponential(f32.load(logDeviations + at))
      f32.store(actions + at, <f32>(<f64>f32.load(means + at) + deviation * normal))
    }
    f32.store(logProbabilities, logDensity(means, dims, logDeviations, actions))
    means += stride
    streams += streamStride
    actions += outputStride
    logProbabilities += outputStride
  }
}

/** The means. */
export function likeliestNormals(
  means: usize, stride: usize, rows: i32, dims: i32, actions: usize, outputStride: usize
): void {
  for (let row = 0; row < rows; row++) {
    memory.copy(actions, means, <usize>dims << 2)
    means += stride
    actions += outputStride
  }
}

/** Log-density of the actions, and entropy, of a chunk of rows. `d` gets (action - mean) / deviation, for `normalsGradient`. */
export function evaluateNormals(
  means: usize, dims: i32, rows: i32, logDeviations: usize, actions: usize, d: usize, logProbabilities: usize,
  entropies: usize
): void {
  const bytes = <usize>dims << 2
  let entropy: f64 = 0
  for (let at: usize = 0; at < bytes; at += 4) entropy += <f64>f32.load(logDeviations + at) + UNIT_ENTROPY
  for (let row = 0; row < rows; row++) {
    f32.store(logProbabilities, logDensity(means, dims, logDeviations, actions))
    f32.store(entropies, <f32>entropy)
    for (let at: usize = 0; at < bytes; at += 4) {
      f32.store(d + at, standardized(means + at, actions + at, f32.load(logDeviations + at)))
    }
    means += bytes
    actions += bytes
    d += bytes
    logProbabilities += 4
    entropies += 4
  }
}

/**
 * With t = (action - mean) / deviation: the derivative by the means, dLogP · t / deviation, in place of t; that by the
 * logarithms of the deviations, Σ rows dLogP · (t² - 1) + dH, added to `free` row by row.
 */
export function normalsGradient(
  d: usize, dims: i32, rows: i32, logDeviations: usize, dLogProbabilities: usize, dEntropies: usize, free: usize
): void {
  for (let row = 0; row < rows; row++) {
    const dLogP = f32.load(dLogProbabilities + (<usize>row << 2))
    const dEntropy = f32.load(dEntropies + (<usize>row << 2))
    for (let k = 0; k < dims; k++) {
      const at = <usize>k << 2
      const t = f32.load(d + at)
      f32.store(free + at, f32.load(free + at) + (dLogP * (t * t - 1) + dEntropy))
      f32.store(d + at, dLogP * t * exponential(-f32.load(logDeviations + at)))
    }
    d += <usize>dims << 2
  }
}

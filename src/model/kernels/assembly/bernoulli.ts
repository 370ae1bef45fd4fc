// dprint-ignore-file: the formatter drops decorators of functions
/**
 * Independent choices between 0 and 1, each with its logit z: p = 1 / (1 + exp(-z)). Everything is told from exp(-|z|),
 * which cannot overflow. Four rows at a time stand in the lanes of a vector.
 */
import { exp4, log4 } from "./elementary"
import { uniform } from "./pcg64"
import { gatherRows, loadRows, scatterRows } from "./rows"

/** The smaller of the two probabilities. */
@inline
function unlikely(z: v128): v128 {
  const e = exp4(f32x4.neg(f32x4.abs(z)))
  return f32x4.div(e, f32x4.add(f32x4.splat(1), e))
}

/** log of the probability of 1 (`one`: all bits of the lane) or 0: min(±z, 0) - log(1 + exp(-|z|)). */
@inline
function logOf(z: v128, one: v128): v128 {
  const common = log4(f32x4.add(f32x4.splat(1), exp4(f32x4.neg(f32x4.abs(z)))))
  return f32x4.sub(f32x4.pmin(v128.bitselect(z, f32x4.neg(z), one), f32x4.splat(0)), common)
}

/** The choices of each row, one uniform double each: 1 where it is below p; and their log-probability. */
export function sampleBits(
  logits: usize, stride: usize, rows: i32, n: i32, streams: usize, streamStride: usize, chosen: usize,
  logProbabilities: usize, outputStride: usize
): void {
  for (let row = 0; row < rows; row++) {
    let logP = f32x4.splat(0)
    for (let at: usize = 0, end = <usize>n << 2; at < end; at += 4) {
      const z = v128.load32_splat(logits + at)
      const smaller = <f64>f32x4.extract_lane(unlikely(z), 0)
      const bit = i32(uniform(streams) < (f32.load(logits + at) >= 0 ? 1 - smaller : smaller))
      i32.store(chosen + at, bit)
      logP = f32x4.add(logP, logOf(z, i32x4.splat(-bit)))
    }
    f32.store(logProbabilities, f32x4.extract_lane(logP, 0))
    logits += stride
    streams += streamStride
    chosen += outputStride
    logProbabilities += outputStride
  }
}

/** 1 where that is likelier. */
export function likeliestBits(
  logits: usize, stride: usize, rows: i32, n: i32, chosen: usize, outputStride: usize
): void {
  for (let row = 0; row < rows; row++) {
    for (let at: usize = 0, end = <usize>n << 2; at < end; at += 4) i32.store(chosen + at, i32(f32.load(logits + at) > 0))
    logits += stride
    chosen += outputStride
  }
}

/**
 * Log-probability of the choices taken, and entropy H = Σ log(1 + exp(-|z|)) + |z| · the smaller probability, of each row
 * of a chunk. `d` gets the logits, for `bitsGradient`.
 */
export function evaluateBits(
  logits: usize, n: i32, rows: i32, taken: usize, d: usize, logProbabilities: usize, entropies: usize
): void {
  const stride = <usize>n << 2
  const toward = d - logits
  for (let first = 0; first < rows; first += 4) {
    const left = rows - first
    const r0 = logits + <usize>first * stride
    const r1 = left > 1 ? r0 + stride : r0
    const r2 = left > 2 ? r1 + stride : r1
    const r3 = left > 3 ? r2 + stride : r2
    let logP = f32x4.splat(0)
    let entropy = logP
    for (let at: usize = 0; at < stride; at += 4) {
      const z = gatherRows(r0, r1, r2, r3, at)
      const bit = loadRows(taken + <usize>first * stride + at, stride, left)
      const one = i32x4.ne(bit, i32x4.splat(0))
      const size = f32x4.abs(z)
      logP = f32x4.add(logP, logOf(z, one))
      const common = log4(f32x4.add(f32x4.splat(1), exp4(f32x4.neg(size))))
      entropy = f32x4.add(entropy, f32x4.add(common, f32x4.mul(size, unlikely(z))))
      scatterRows(r0 + toward, r1 + toward, r2 + toward, r3 + toward, at, z)
    }
    const at = <usize>first << 2
    v128.store(logProbabilities + at, logP)
    v128.store(entropies + at, entropy)
  }
}

/**
 * The derivative by the logits: dLogP · (bit - p) - dH · z p (1 - p). `d` holds the logits, as `evaluateBits` left them, and
 * gets the derivative.
 */
export function bitsGradient(
  d: usize, n: i32, rows: i32, taken: usize, dLogProbabilities: usize, dEntropies: usize
): void {
  const one = f32x4.splat(1)
  for (let row = 0; row < rows; row++) {
    const dLogP = v128.load32_splat(dLogProbabilities + (<usize>row << 2))
    const dEntropy = v128.load32_splat(dEntropies + (<usize>row << 2))
    for (let k = 0; k < n; k++) {
      const z = v128.load32_splat(d)
      const smaller = unlikely(z)
      const larger = f32x4.sub(one, smaller)
      const isPositive = f32x4.ge(z, f32x4.splat(0))
      // bit - p, without the digits that a subtraction would lose.
      const difference = load<i32>(taken)
        ? v128.bitselect(smaller, larger, isPositive)
        : f32x4.neg(v128.bitselect(larger, smaller, isPositive))
      const spread = f32x4.mul(f32x4.mul(z, smaller), larger)
      f32.store(d, f32x4.extract_lane(f32x4.sub(f32x4.mul(dLogP, difference), f32x4.mul(dEntropy, spread)), 0))
      d += 4
      taken += 4
    }
  }
}

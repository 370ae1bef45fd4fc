// dprint-ignore-file: the formatter drops decorators of functions
/**
 * The categorical distribution of each row of logits: sampling, greedy choice, log-probability, entropy.
 *
 * Four rows at a time stand in the four lanes of a vector; where fewer are left, the last row fills the others, so that a
 * row meets the same instructions wherever it stands.
 */
import { exp4, log4 } from "./elementary"
import { uniform } from "./pcg64"

/** One number of each of four rows. */
@inline
export function gatherRows(r0: usize, r1: usize, r2: usize, r3: usize, at: usize): v128 {
  const two = v128.load32_lane(r1 + at, v128.load32_zero(r0 + at), 1)
  return v128.load32_lane(r3 + at, v128.load32_lane(r2 + at, two, 2), 3)
}

/** The largest logit of each of four rows. */
@inline
export function largest4(r0: usize, r1: usize, r2: usize, r3: usize, stride: usize): v128 {
  let largest = gatherRows(r0, r1, r2, r3, 0)
  for (let at: usize = 4; at < stride; at += 4) largest = f32x4.pmax(largest, gatherRows(r0, r1, r2, r3, at))
  return largest
}

/**
 * Samples an action for row `lane` from the running sums of exp(logit - largest) that stand at `sums` ([actions][4]): the
 * smallest a with u < p_0 + ... + p_a, both sides multiplied by the whole sum. Stores action and log-probability.
 */
@inline
function sampleRow(
  lane: usize, sums: usize, row: usize, actions: i32, stream: usize, largest: f32, logTotal: f32, action: usize,
  logProbability: usize
): void {
  const last = actions - 1
  let at = sums + (lane << 2)
  const threshold = uniform(stream) * <f64>f32.load(at + (<usize>last << 4))
  let chosen = 0
  while (chosen < last && threshold >= <f64>f32.load(at)) {
    at += 16
    chosen++
  }
  i32.store(action, chosen)
  f32.store(logProbability, (f32.load(row + (<usize>chosen << 2)) - largest) - logTotal)
}

/**
 * One action a row, sampled with one uniform double of the row's own stream; `sums` is scratch of 16 bytes an action.
 * Strides are the bytes from one row to the next: of logits, of streams, and of what is written.
 */
export function sampleActions(
  logits: usize, stride: usize, actions: i32, rows: i32, streams: usize, streamStride: usize, sums: usize, chosen: usize,
  logProbabilities: usize, outputStride: usize
): void {
  const rowBytes = <usize>actions << 2
  for (let first = 0; first < rows; first += 4) {
    const left = rows - first
    const r0 = logits + <usize>first * stride
    const r1 = left > 1 ? r0 + stride : r0
    const r2 = left > 2 ? r1 + stride : r1
    const r3 = left > 3 ? r2 + stride : r2
    const largest = largest4(r0, r1, r2, r3, rowBytes)
    let total = f32x4.splat(0)
    let to = sums
    for (let at: usize = 0; at < rowBytes; at += 4) {
      total = f32x4.add(total, exp4(f32x4.sub(gatherRows(r0, r1, r2, r3, at), largest)))
      v128.store(to, total)
      to += 16
    }
    const logTotal = log4(total)
    let s = streams + <usize>first * streamStride
    let a = chosen + <usize>first * outputStride
    let l = logProbabilities + <usize>first * outputStride
    sampleRow(0, sums, r0, actions, s, f32x4.extract_lane(largest, 0), f32x4.extract_lane(logTotal, 0), a, l)
    if (left > 1) {
      s += streamStride
      a += outputStride
      l += outputStride
      sampleRow(1, sums, r1, actions, s, f32x4.extract_lane(largest, 1), f32x4.extract_lane(logTotal, 1), a, l)
    }
    if (left > 2) {
      s += streamStride
      a += outputStride
      l += outputStride
      sampleRow(2, sums, r2, actions, s, f32x4.extract_lane(largest, 2), f32x4.extract_lane(logTotal, 2), a, l)
    }
    if (left > 3) {
      s += streamStride
      a += outputStride
      l += outputStride
      sampleRow(3, sums, r3, actions, s, f32x4.extract_lane(largest, 3), f32x4.extract_lane(logTotal, 3), a, l)
    }
  }
}

/** The action of the largest logit of each row; of equals the first. */
export function greedy(logits: usize, rows: i32, actions: i32, chosen: usize): void {
  for (let row = 0; row < rows; row++) {
    let best = 0
    let most = f32.load(logits)
    for (let a = 1; a < actions; a++) {
      const logit = f32.load(logits + (<usize>a << 2))
      if (logit > most) {
        most = logit
        best = a
      }
    }
    i32.store(chosen, best)
    logits += <usize>actions << 2
    chosen += 4
  }
}

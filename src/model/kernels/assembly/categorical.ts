// dprint-ignore-file: the formatter drops decorators of functions
/**
 * One choice among several actions, each with its logit: sampling, greedy choice, log-probability, entropy, gradient. An
 * action may consist of several such choices; the functions here are of one, whose logits stand side by side in each row.
 */
import { exp4, log4 } from "./elementary"
import { uniform } from "./pcg64"
import { gatherRows, loadRows, scatterRows } from "./rows"

/** The largest logit of each of four rows. */
@inline
export function largest4(r0: usize, r1: usize, r2: usize, r3: usize, stride: usize): v128 {
  let largest = gatherRows(r0, r1, r2, r3, 0)
  for (let at: usize = 4; at < stride; at += 4) largest = f32x4.pmax(largest, gatherRows(r0, r1, r2, r3, at))
  return largest
}

/**
 * Samples an action for row `lane` from the running sums of exp(logit - largest) that stand at `sums` ([actions][4]): the
 * smallest a with u < p_0 + ... + p_a, both sides multiplied by the whole sum. Stores the action, and its log-probability,
 * or where this is a `further` choice of the same action adds that.
 */
@inline
function sampleRow(
  further: bool, lane: usize, sums: usize, row: usize, actions: i32, stream: usize, largest: f32, logTotal: f32,
  action: usize, logProbability: usize
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
  const logP = (f32.load(row + (<usize>chosen << 2)) - largest) - logTotal
  f32.store(logProbability, further ? f32.load(logProbability) + logP : logP)
}

/**
 * One action a row, sampled with one uniform double of the row's own stream; `sums` is scratch of 16 bytes an action.
 * Strides are the bytes from one row to the next: of logits, of streams, and of what is written.
 */
export function sampleChoice(
  further: bool, logits: usize, stride: usize, actions: i32, rows: i32, streams: usize, streamStride: usize, sums: usize, chosen: usize,
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
    sampleRow(further, 0, sums, r0, actions, s, f32x4.extract_lane(largest, 0), f32x4.extract_lane(logTotal, 0), a, l)
    if (left > 1) {
      s += streamStride
      a += outputStride
      l += outputStride
      sampleRow(further, 1, sums, r1, actions, s, f32x4.extract_lane(largest, 1), f32x4.extract_lane(logTotal, 1), a, l)
    }
    if (left > 2) {
      s += streamStride
      a += outputStride
      l += outputStride
      sampleRow(further, 2, sums, r2, actions, s, f32x4.extract_lane(largest, 2), f32x4.extract_lane(logTotal, 2), a, l)
    }
    if (left > 3) {
      s += streamStride
      a += outputStride
      l += outputStride
      sampleRow(further, 3, sums, r3, actions, s, f32x4.extract_lane(largest, 3), f32x4.extract_lane(logTotal, 3), a, l)
    }
  }
}

/** The action of the largest logit of each row; of equals the first. Strides as above. */
export function likeliestChoice(
  logits: usize, stride: usize, rows: i32, actions: i32, chosen: usize, outputStride: usize
): void {
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
    logits += stride
    chosen += outputStride
  }
}

/**
 * Log-probability of the action taken, and entropy H = log total - Σ e z / total, of each row; added to those of the
 * choices before where this is a `further` one. `choiceEntropies` gets the entropy of this choice alone, `logP` (rows as
 * far apart as the logits) the logarithms of all probabilities: `choiceGradient` reads both.
 */
export function evaluateChoice(
  further: bool, logits: usize, stride: usize, actions: i32, rows: i32, taken: usize, takenStride: usize, logP: usize,
  logProbabilities: usize, entropies: usize, choiceEntropies: usize
): void {
  const rowBytes = <usize>actions << 2
  const toward = logP - logits
  for (let first = 0; first < rows; first += 4) {
    const left = rows - first
    const r0 = logits + <usize>first * stride
    const r1 = left > 1 ? r0 + stride : r0
    const r2 = left > 2 ? r1 + stride : r1
    const r3 = left > 3 ? r2 + stride : r2
    const largest = largest4(r0, r1, r2, r3, rowBytes)
    let total = f32x4.splat(0)
    let weighted = total
    for (let at: usize = 0; at < rowBytes; at += 4) {
      const z = f32x4.sub(gatherRows(r0, r1, r2, r3, at), largest)
      const e = exp4(z)
      total = f32x4.add(total, e)
      // An action that is never taken (logit -inf) counts nothing: 0 · -inf would be NaN.
      weighted = f32x4.add(weighted, v128.and(f32x4.mul(e, z), f32x4.ne(e, f32x4.splat(0))))
    }
    const logTotal = log4(total)
    const entropy = f32x4.sub(logTotal, f32x4.div(weighted, total))
    const action = loadRows(taken + <usize>first * takenStride, takenStride, left)
    let ofTaken = f32x4.splat(0)
    for (let j = 0; j < actions; j++) {
      const at = <usize>j << 2
      const logPj = f32x4.sub(f32x4.sub(gatherRows(r0, r1, r2, r3, at), largest), logTotal)
      ofTaken = v128.bitselect(logPj, ofTaken, i32x4.eq(action, i32x4.splat(j)))
      scatterRows(r0 + toward, r1 + toward, r2 + toward, r3 + toward, at, logPj)
    }
    const at = <usize>first << 2
    v128.store(choiceEntropies + at, entropy)
    v128.store(logProbabilities + at, further ? f32x4.add(v128.load(logProbabilities + at), ofTaken) : ofTaken)
    v128.store(entropies + at, further ? f32x4.add(v128.load(entropies + at), entropy) : entropy)
  }
}

/**
 * The derivative by the logits, from those by the log-probability and by the entropy of each row:
 *
 *     d/dz_j = dLogP · (1{j = action} - p_j) - dH · p_j · (log p_j + H)
 *
 * `d` holds log p_j, as `evaluateChoice` left it, and gets the derivative.
 */
export function choiceGradient(
  d: usize, stride: usize, actions: i32, rows: i32, taken: usize, takenStride: usize, dLogProbabilities: usize,
  dEntropies: usize, choiceEntropies: usize
): void {
  for (let first = 0; first < rows; first += 4) {
    const left = rows - first
    const r0 = d + <usize>first * stride
    const r1 = left > 1 ? r0 + stride : r0
    const r2 = left > 2 ? r1 + stride : r1
    const r3 = left > 3 ? r2 + stride : r2
    const at = <usize>first << 2
    const action = loadRows(taken + <usize>first * takenStride, takenStride, left)
    const pull = f32x4.neg(loadRows(dLogProbabilities + at, 4, left))
    const bonus = f32x4.neg(loadRows(dEntropies + at, 4, left))
    const entropy = loadRows(choiceEntropies + at, 4, left)
    for (let j = 0; j < actions; j++) {
      const at = <usize>j << 2
      const logPj = gatherRows(r0, r1, r2, r3, at)
      const p = exp4(logPj)
      const certain = v128.and(i32x4.eq(action, i32x4.splat(j)), f32x4.splat(1))
      const exploring = f32x4.mul(f32x4.mul(bonus, p), f32x4.add(logPj, entropy))
      scatterRows(
        r0, r1, r2, r3, at,
        f32x4.add(
          f32x4.mul(pull, f32x4.sub(p, certain)),
          v128.and(exploring, f32x4.ne(p, f32x4.splat(0)))
        )
      )
    }
  }
}

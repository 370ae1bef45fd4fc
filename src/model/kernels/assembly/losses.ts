// dprint-ignore-file: the formatter drops decorators of functions
/**
 * Losses with their derivatives by logits and values, and sums for the reports, in one pass over the rows.
 *
 * `statistics` is eight float64 numbers that are added to: sums of -log p · advantage, of squared errors of the value, of
 * the entropy, of log p, of the value's target, of its square, of the error (target - value), and the number of rows.
 * They are plain sums, before any coefficient.
 */
import { gatherRows, largest4 } from "./categorical"
import { exp4, log4 } from "./elementary"

@inline
function addTo(at: usize, n: f64): void {
  f64.store(at, f64.load(at) + n)
}

/** Four float32 numbers of which only the first `left` are there; the last of them stands in for the others. */
@inline
function loadRows(at: usize, left: i32): v128 {
  const r1 = left > 1 ? at + 4 : at
  const r2 = left > 2 ? r1 + 4 : r1
  return gatherRows(at, r1, r2, left > 3 ? r2 + 4 : r2, 0)
}

@inline
function scatterRows(r0: usize, r1: usize, r2: usize, r3: usize, at: usize, v: v128): void {
  v128.store32_lane(r0 + at, v, 0)
  v128.store32_lane(r1 + at, v, 1)
  v128.store32_lane(r2 + at, v, 2)
  v128.store32_lane(r3 + at, v, 3)
}

@inline
function policyStatistics(statistics: usize, logP: f32, advantage: f32, entropy: f32): void {
  addTo(statistics, -<f64>logP * <f64>advantage)
  addTo(statistics + 16, <f64>entropy)
  addTo(statistics + 24, <f64>logP)
}

/**
 * The policy's part: scale · Σ rows [-log p(action) · advantage - entropyCoefficient · H].
 *
 *     d/dz_j = scale · [ advantage · (p_j - 1{j = action}) + entropyCoefficient · p_j · (log p_j + H) ]
 *
 * The advantage is a constant in it.
 */
function policyLoss(
  logits: usize, actions: i32, taken: usize, advantages: usize, rows: i32, scale: f32, entropyCoefficient: f32,
  dLogits: usize, statistics: usize
): void {
  const stride = <usize>actions << 2
  const towardLogits = dLogits - logits
  for (let first = 0; first < rows; first += 4) {
    const left = rows - first
    const r0 = logits + <usize>first * stride
    const r1 = left > 1 ? r0 + stride : r0
    const r2 = left > 2 ? r1 + stride : r1
    const r3 = left > 3 ? r2 + stride : r2
    const largest = largest4(r0, r1, r2, r3, stride)
    let total = f32x4.splat(0)
    let weighted = total
    for (let at: usize = 0; at < stride; at += 4) {
      const z = f32x4.sub(gatherRows(r0, r1, r2, r3, at), largest)
      const e = exp4(z)
      total = f32x4.add(total, e)
      // An action that is never taken (logit -inf) counts nothing: 0 · -inf would be NaN.
      weighted = f32x4.add(weighted, v128.and(f32x4.mul(e, z), f32x4.ne(e, f32x4.splat(0))))
    }
    const logTotal = log4(total)
    // H = -Σ p (z - log total) = log total - Σ e z / total
    const entropy = f32x4.sub(logTotal, f32x4.div(weighted, total))
    const action = loadRows(taken + (<usize>first << 2), left)
    const advantage = loadRows(advantages + (<usize>first << 2), left)
    const pull = f32x4.mul(advantage, f32x4.splat(scale))
    const bonus = f32x4.splat(entropyCoefficient * scale)
    let logP = f32x4.splat(0)
    for (let j = 0; j < actions; j++) {
      const at = <usize>j << 2
      const logPj = f32x4.sub(f32x4.sub(gatherRows(r0, r1, r2, r3, at), largest), logTotal)
      const p = exp4(logPj)
      const isTaken = i32x4.eq(action, i32x4.splat(j))
      logP = v128.bitselect(logPj, logP, isTaken)
      const certain = v128.and(isTaken, f32x4.splat(1))
      const exploring = f32x4.mul(f32x4.mul(bonus, p), f32x4.add(logPj, entropy))
      const d = f32x4.add(
        f32x4.mul(pull, f32x4.sub(p, certain)),
        v128.and(exploring, f32x4.ne(p, f32x4.splat(0)))
      )
      scatterRows(r0 + towardLogits, r1 + towardLogits, r2 + towardLogits, r3 + towardLogits, at, d)
    }
    policyStatistics(
      statistics, f32x4.extract_lane(logP, 0), f32x4.extract_lane(advantage, 0), f32x4.extract_lane(entropy, 0)
    )
    if (left > 1) {
      policyStatistics(
        statistics, f32x4.extract_lane(logP, 1), f32x4.extract_lane(advantage, 1), f32x4.extract_lane(entropy, 1)
      )
    }
    if (left > 2) {
      policyStatistics(
        statistics, f32x4.extract_lane(logP, 2), f32x4.extract_lane(advantage, 2), f32x4.extract_lane(entropy, 2)
      )
    }
    if (left > 3) {
      policyStatistics(
        statistics, f32x4.extract_lane(logP, 3), f32x4.extract_lane(advantage, 3), f32x4.extract_lane(entropy, 3)
      )
    }
  }
}

@inline
function valueStatistics(statistics: usize, target: f64, error: f64): void {
  addTo(statistics + 8, error * error)
  addTo(statistics + 32, target)
  addTo(statistics + 40, target * target)
  addTo(statistics + 48, error)
}

/**
 * Advantage actor-critic (Mnih et al. 2016, "Asynchronous Methods for Deep Reinforcement Learning", algorithm S3):
 *
 *     scale · Σ rows [ -log p(action) · advantage + valueCoefficient · (return - value)² - entropyCoefficient · H ]
 *
 * advantages and returns are float32 [rows]; `advantages` 0 takes return - value, as a constant.
 */
export function lossA2C(
  actions: i32, logits: usize, taken: usize, values: usize, advantages: usize, returns: usize, rows: i32, scale: f64,
  valueCoefficient: f64, entropyCoefficient: f64, dLogits: usize, dValues: usize, statistics: usize
): void {
  const pull = -2 * valueCoefficient * scale
  // Where no advantages are given, they stand where the gradient of the values goes until the policy has read them.
  const constants = advantages ? advantages : dValues
  if (!advantages) {
    for (let at: usize = 0, end = <usize>rows << 2; at < end; at += 4) {
      f32.store(dValues + at, f32.load(returns + at) - f32.load(values + at))
    }
  }
  policyLoss(logits, actions, taken, constants, rows, <f32>scale, <f32>entropyCoefficient, dLogits, statistics)
  for (let at: usize = 0, end = <usize>rows << 2; at < end; at += 4) {
    const target = <f64>f32.load(returns + at)
    const error = target - <f64>f32.load(values + at)
    f32.store(dValues + at, <f32>(pull * error))
    valueStatistics(statistics, target, error)
  }
  addTo(statistics + 56, <f64>rows)
}

/**
 * One-step temporal differences along one piece of an episode, `rows` steps and `rows + 1` observations:
 *
 *     td_t = reward_t + gamma · value_{t+1} - value_t         (the last next value is 0 where `lastDone`)
 *     scale · Σ rows [ -log p(action) · td + valueCoefficient · td² - entropyCoefficient · H ]
 *
 * td is a constant in the policy's term. The value's gradient flows through both values, or, where `detachBootstrap`,
 * through value_t alone. rewards are float32 [rows]; logits, values and their gradients have rows + 1 rows, of which the
 * policy does not see the last.
 */
export function lossTD(
  actions: i32, logits: usize, taken: usize, values: usize, rewards: usize, rows: i32, lastDone: i32,
  detachBootstrap: i32, gamma: f64, scale: f64, valueCoefficient: f64, entropyCoefficient: f64, dLogits: usize,
  dValues: usize, statistics: usize
): void {
  const end = <usize>rows << 2
  // The differences stand where the gradient of the values goes until the policy has read them.
  for (let at: usize = 0; at < end; at += 4) {
    const next = lastDone && at + 4 == end ? 0.0 : <f64>f32.load(values + at, 4)
    const value = <f64>f32.load(values + at)
    const target = <f64>f32.load(rewards + at) + gamma * next
    f32.store(dValues + at, <f32>(target - value))
    valueStatistics(statistics, target, target - value)
  }
  policyLoss(logits, actions, taken, dValues, rows, <f32>scale, <f32>entropyCoefficient, dLogits, statistics)
  memory.fill(dLogits + end * <usize>actions, 0, <usize>actions << 2)
  const pull = -2 * valueCoefficient * scale
  let through: f64 = 0
  for (let at: usize = 0; at < end; at += 4) {
    const td = <f64>f32.load(dValues + at)
    f32.store(dValues + at, <f32>(pull * td + through))
    through = detachBootstrap ? 0.0 : -pull * gamma * td
  }
  f32.store(dValues + end, lastDone ? <f32>0 : <f32>through)
  addTo(statistics + 56, <f64>rows)
}

// dprint-ignore-file: the formatter drops decorators of functions
/**
 * Losses by their ids: from the log-probability, entropy and value of each row the derivatives by these three, and sums
 * for the reports. A loss knows neither the distribution nor the network.
 *
 * `statistics` is sixteen float64 numbers that are added to, as `Statistic` of the host names them: sums of the policy's
 * term, of the value's, of the entropy, of log p, of the value's target, of its square, of the error (target - value), and
 * the number of rows, then the loss's own. They are plain sums, before any coefficient.
 */
import { exp4 } from "./elementary"
import {
  advantageMeanOf, advantageScaleOf, advantagesOf, behaviorValuesOf, coefficientOf, isNormalized, isTerminated,
  logProbabilitiesOf, lossOf, returnsOf, rowsOf, scaleOf, statisticsOf
} from "./job"
import { ADVANTAGES, D_ENTROPIES, D_LOG_PROBABILITIES, ENTROPIES, LOG_PROBABILITIES, rowArrayAt } from "./net"

const A2C = 0
const TD = 1
const PPO = 2

@inline
function addTo(at: usize, n: f64): void {
  f64.store(at, f64.load(at) + n)
}

@inline
function targetStatistics(statistics: usize, target: f64, error: f64): void {
  addTo(statistics + 32, target)
  addTo(statistics + 40, target * target)
  addTo(statistics + 48, error)
}

@inline
function valueStatistics(statistics: usize, target: f64, error: f64): void {
  addTo(statistics + 8, error * error)
  targetStatistics(statistics, target, error)
}

/** The advantages of a chunk as the loss sees them. */
function advantagesOfChunk(net: usize, job: usize, scratch: usize, first: i32, n: i32): usize {
  const given = advantagesOf(job) + (<usize>first << 2)
  if (!isNormalized(job)) return given
  const mean = advantageMeanOf(job)
  const scale = advantageScaleOf(job)
  const normalized = rowArrayAt(net, scratch, n, ADVANTAGES)
  for (let at: usize = 0, end = <usize>n << 2; at < end; at += 4) {
    f32.store(normalized + at, <f32>((<f64>f32.load(given + at) - mean) * scale))
  }
  return normalized
}

/** The policy's part where its weight is constant: -Σ log p · advantage - entropyCoefficient · H, times the scale. */
function policyGradient(
  net: usize, job: usize, scratch: usize, n: i32, advantages: usize, entropyCoefficient: f64
): void {
  const statistics = statisticsOf(job)
  const scale = <f32>scaleOf(job)
  const dEntropy = -(<f32>entropyCoefficient * scale)
  const logP = rowArrayAt(net, scratch, n, LOG_PROBABILITIES)
  const dLogP = rowArrayAt(net, scratch, n, D_LOG_PROBABILITIES)
  const dEntropies = rowArrayAt(net, scratch, n, D_ENTROPIES)
  for (let at: usize = 0, end = <usize>n << 2; at < end; at += 4) {
    const advantage = f32.load(advantages + at)
    f32.store(dLogP + at, -(advantage * scale))
    f32.store(dEntropies + at, dEntropy)
    addTo(statistics, -<f64>f32.load(logP + at) * <f64>advantage)
  }
}

/**
 * Advantage actor-critic (Mnih et al. 2016, "Asynchronous Methods for Deep Reinforcement Learning", algorithm S3), the
 * advantage a constant:
 *
 *     scale · Σ rows [ -log p(action) · advantage + valueCoefficient · (return - value)² - entropyCoefficient · H ]
 *
 * Coefficients: of the value, of the entropy.
 */
function a2c(net: usize, job: usize, scratch: usize, first: i32, n: i32, values: usize, dValues: usize): void {
  policyGradient(net, job, scratch, n, advantagesOfChunk(net, job, scratch, first, n), coefficientOf(job, 1))
  const statistics = statisticsOf(job)
  const returns = returnsOf(job) + (<usize>first << 2)
  const pull = -2 * coefficientOf(job, 0) * scaleOf(job)
  for (let at: usize = 0, end = <usize>n << 2; at < end; at += 4) {
    const target = <f64>f32.load(returns + at)
    const error = target - <f64>f32.load(values + at)
    f32.store(dValues + at, <f32>(pull * error))
    valueStatistics(statistics, target, error)
  }
}

/**
 * One-step temporal differences along one piece of an episode, `rows` steps and `rows + 1` observations:
 *
 *     td_t = reward_t + gamma · value_{t+1} - value_t         (the last next value is 0 where it terminated)
 *     scale · Σ rows [ -log p(action) · td + valueCoefficient · td² - entropyCoefficient · H ]
 *
 * td is a constant in the policy's term. The value's gradient flows through both values, or, where the bootstrap is
 * detached, through value_t alone. The returns of the job are the rewards. Values and their gradients have rows + 1 rows.
 * Coefficients: of the value, of the entropy, gamma, whether the bootstrap is detached.
 */
function td(net: usize, job: usize, scratch: usize, first: i32, n: i32, values: usize, dValues: usize): void {
  const statistics = statisticsOf(job)
  const rewards = returnsOf(job) + (<usize>first << 2)
  const gamma = coefficientOf(job, 2)
  const last = first + n == rowsOf(job)
  const terminated = last && isTerminated(job)
  const end = <usize>n << 2
  const differences = rowArrayAt(net, scratch, n, ADVANTAGES)
  for (let at: usize = 0; at < end; at += 4) {
    const next = terminated && at + 4 == end ? 0.0 : <f64>f32.load(values + at, 4)
    const value = <f64>f32.load(values + at)
    const target = <f64>f32.load(rewards + at) + gamma * next
    f32.store(differences + at, <f32>(target - value))
    valueStatistics(statistics, target, target - value)
  }
  policyGradient(net, job, scratch, n, differences, coefficientOf(job, 1))
  const pull = -2 * coefficientOf(job, 0) * scaleOf(job)
  const bootstrap = coefficientOf(job, 3) != 0 ? 0.0 : -pull * gamma
  let through: f64 = 0
  if (first > 0 && bootstrap != 0) {
    // What the row before this chunk sends on.
    const target = <f64>f32.load(rewards - 4) + gamma * <f64>f32.load(values)
    through = bootstrap * <f64><f32>(target - <f64>f32.load(values - 4))
  }
  for (let at: usize = 0; at < end; at += 4) {
    const td = <f64>f32.load(differences + at)
    f32.store(dValues + at, <f32>(pull * td + through))
    through = bootstrap * td
  }
  if (last) f32.store(dValues + end, terminated ? <f32>0 : <f32>through)
}

/**
 * Proximal policy optimization (Schulman et al. 2017, equation 7): with ratio = exp(log p - behavior's log p), and c and v
 * for the two clip ranges,
 *
 *     scale · Σ rows [ -min(ratio · A, clip(ratio, 1 - c, 1 + c) · A) + valueCoefficient · value's term - ... · H ]
 *
 * The value's term is the square of the error, or, where v is not 0, the larger of that and of the error of the value that
 * is clipped to within v of behavior's. Coefficients: of the value, of the entropy, c, v. Own statistics: (ratio - 1) - log
 * ratio, and rows whose ratio is beyond c.
 */
function ppo(net: usize, job: usize, scratch: usize, first: i32, n: i32, values: usize, dValues: usize): void {
  const statistics = statisticsOf(job)
  const scale = <f32>scaleOf(job)
  const dEntropy = -(<f32>coefficientOf(job, 1) * scale)
  const clipRange = coefficientOf(job, 2)
  const valueClipRange = coefficientOf(job, 3)
  const pull = -2 * coefficientOf(job, 0) * scaleOf(job)
  const row = <usize>first << 2
  const advantages = advantagesOfChunk(net, job, scratch, first, n)
  const returns = returnsOf(job) + row
  const behaviorLogP = logProbabilitiesOf(job) + row
  const behaviorValues = behaviorValuesOf(job) + row
  const logP = rowArrayAt(net, scratch, n, LOG_PROBABILITIES)
  const dLogP = rowArrayAt(net, scratch, n, D_LOG_PROBABILITIES)
  const dEntropies = rowArrayAt(net, scratch, n, D_ENTROPIES)
  for (let at: usize = 0, end = <usize>n << 2; at < end; at += 4) {
    const logRatio = f32.load(logP + at) - f32.load(behaviorLogP + at)
    const ratio = f32x4.extract_lane(exp4(f32x4.splat(logRatio)), 0)
    const advantage = f32.load(advantages + at)
    const surrogate = ratio * advantage
    const clipped = <f32>max<f64>(1 - clipRange, min<f64>(1 + clipRange, <f64>ratio)) * advantage
    f32.store(dLogP + at, surrogate <= clipped ? -(surrogate * scale) : 0)
    f32.store(dEntropies + at, dEntropy)
    addTo(statistics, -<f64>min<f32>(surrogate, clipped))
    addTo(statistics + 64, <f64>ratio - 1 - <f64>logRatio)
    addTo(statistics + 72, abs<f64>(<f64>ratio - 1) > clipRange ? 1 : 0)

    const target = <f64>f32.load(returns + at)
    const value = <f64>f32.load(values + at)
    const error = target - value
    let loss = error * error
    let follows = true
    if (valueClipRange > 0) {
      const moved = value - <f64>f32.load(behaviorValues + at)
      if (abs<f64>(moved) > valueClipRange) {
        const bounded = target - (<f64>f32.load(behaviorValues + at) + copysign<f64>(valueClipRange, moved))
        follows = loss >= bounded * bounded
        if (!follows) loss = bounded * bounded
      }
    }
    f32.store(dValues + at, follows ? <f32>(pull * error) : 0)
    addTo(statistics + 8, loss)
    targetStatistics(statistics, target, error)
  }
}

/** Whether a loss reads one row more than it has steps. */
@inline
export function isAlongFragment(loss: i32): bool {
  return loss == TD
}

/**
 * The derivatives of the job's loss by log-probability and entropy of n rows from `first` on, a chunk at most, into the
 * scratch, and by their values, into `dValues`; and the sums.
 */
export function lossRows(
  net: usize, job: usize, scratch: usize, first: i32, n: i32, values: usize, dValues: usize
): void {
  const loss = lossOf(job)
  if (loss == A2C) a2c(net, job, scratch, first, n, values, dValues)
  else if (loss == TD) td(net, job, scratch, first, n, values, dValues)
  else if (loss == PPO) ppo(net, job, scratch, first, n, values, dValues)
  else unreachable()
  const statistics = statisticsOf(job)
  const logP = rowArrayAt(net, scratch, n, LOG_PROBABILITIES)
  const entropies = rowArrayAt(net, scratch, n, ENTROPIES)
  for (let at: usize = 0, end = <usize>n << 2; at < end; at += 4) {
    addTo(statistics + 16, <f64>f32.load(entropies + at))
    addTo(statistics + 24, <f64>f32.load(logP + at))
  }
  addTo(statistics + 56, <f64>n)
}

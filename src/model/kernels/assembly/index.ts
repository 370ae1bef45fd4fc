// dprint-ignore-file: the formatter drops decorators of functions
/**
 * What the module exports: pure functions of the memory their arguments point to. Pointers are byte offsets into the one
 * imported memory. Nothing is allocated, nothing is kept between calls, and there are no data segments: instantiating the
 * module in one more thread does not touch the memory.
 */
import { sampleActions } from "./categorical"
import { lossA2C as lossOfRows, lossTD as lossOfSteps } from "./losses"
import { CHUNK, actionsOf, activationStride, activationsAt, inputsOf, outputBytes, parameterBytes } from "./net"
import { backwardRows, forward, forwardRows } from "./network"

export { exponential, hyperbolicTangent, logarithm } from "./activation"
export { greedy } from "./categorical"
export { backward, forward, valuesMany } from "./network"
export { uniform } from "./pcg64"
export { adam, addInto, rmsprop, scaleInto, squaredNorm, sumInto } from "./optimizers"

/** `forward`, then one action a row, sampled with the next uniform double of the row's stream (ten u32 words). */
export function act(
  net: usize, params: usize, observations: usize, rows: i32, streams: usize, streamStride: usize, workspace: usize,
  logits: usize, values: usize, actions: usize, logProbabilities: usize
): void {
  forward(net, params, observations, rows, workspace, logits, values)
  const count = actionsOf(net)
  sampleActions(
    logits, <usize>count << 2, count, rows, streams, streamStride, workspace, actions, logProbabilities, 4
  )
}

/**
 * `act` for rows of which everything lies `stride` bytes apart, a chunk at a time. `activations`, where it is not 0, is
 * where the first row's activations stay for `gradientsOfActivations`.
 */
export function actMany(
  net: usize, params: usize, rows: i32, stride: usize, observations: usize, streams: usize, workspace: usize,
  activations: usize, logits: usize, values: usize, actions: usize, logProbabilities: usize
): void {
  const count = actionsOf(net)
  const passing = activationsAt(net, workspace, min(CHUNK, rows))
  const passingStride = activationStride(net)
  for (let first = 0; first < rows; first += CHUNK) {
    const n = min(CHUNK, rows - first)
    const at = <usize>first * stride
    forwardRows(
      net, params, observations + at, stride, n, activations ? activations + at : passing,
      activations ? stride : passingStride, logits + at, stride, values + at, stride
    )
    sampleActions(
      logits + at, stride, count, n, streams + at, stride, workspace, actions + at, logProbabilities + at, stride
    )
  }
}

/** See `losses.ts`. */
export function lossA2C(
  net: usize, logits: usize, actions: usize, values: usize, advantages: usize, returns: usize, rows: i32, scale: f64,
  valueCoefficient: f64, entropyCoefficient: f64, dLogits: usize, dValues: usize, statistics: usize
): void {
  lossOfRows(
    actionsOf(net), logits, actions, values, advantages, returns, rows, scale, valueCoefficient, entropyCoefficient,
    dLogits, dValues, statistics
  )
}

/** See `losses.ts`. */
export function lossTD(
  net: usize, logits: usize, actions: usize, values: usize, rewards: usize, rows: i32, lastDone: i32,
  detachBootstrap: i32, gamma: f64, scale: f64, valueCoefficient: f64, entropyCoefficient: f64, dLogits: usize,
  dValues: usize, statistics: usize
): void {
  lossOfSteps(
    actionsOf(net), logits, actions, values, rewards, rows, lastDone, detachBootstrap, gamma, scale, valueCoefficient,
    entropyCoefficient, dLogits, dValues, statistics
  )
}

/**
 * `forward`, `lossA2C` and `backward` in one, chunk by chunk, so that no activation leaves the cache: the same bits as
 * the three calls, and the workspace of a chunk is enough however many rows there are.
 */
export function gradientsA2C(
  net: usize, params: usize, observations: usize, rows: i32, workspace: usize, actions: usize, advantages: usize,
  returns: usize, scale: f64, valueCoefficient: f64, entropyCoefficient: f64, gradients: usize, accumulate: i32,
  statistics: usize
): void {
  gradientsOfActivations(
    net, params, observations, 0, 0, 0, rows, workspace, actions, advantages, returns, scale, valueCoefficient,
    entropyCoefficient, gradients, accumulate, statistics
  )
}

/** `gradientsA2C` without its `forward`, from what `actMany` left of it; where `activations` is 0, with it. */
export function gradientsOfActivations(
  net: usize, params: usize, observations: usize, activations: usize, logits: usize, values: usize, rows: i32,
  workspace: usize, actions: usize, advantages: usize, returns: usize, scale: f64, valueCoefficient: f64,
  entropyCoefficient: f64, gradients: usize, accumulate: i32, statistics: usize
): void {
  if (!accumulate && rows == 0) memory.fill(gradients, 0, parameterBytes(net))
  const count = actionsOf(net)
  const rowBytes = <usize>inputsOf(net) << 2
  const logitBytes = <usize>count << 2
  const stride = activationStride(net)
  for (let first = 0; first < rows; first += CHUNK) {
    const n = min(CHUNK, rows - first)
    const row = <usize>first
    const at = row << 2
    const x = observations + row * rowBytes
    // A chunk's logits and values, then their derivatives.
    let z = workspace
    let v = z + <usize>n * logitBytes
    let active = activationsAt(net, workspace, n)
    const dLogits = v + (<usize>n << 2)
    const dValues = dLogits + <usize>n * logitBytes
    if (activations) {
      z = logits + row * logitBytes
      v = values + at
      active = activations + row * stride
    } else {
      forwardRows(net, params, x, rowBytes, n, active, stride, z, logitBytes, v, 4)
    }
    lossOfRows(
      count, z, actions + at, v, advantages ? advantages + at : 0, returns + at, n, scale, valueCoefficient,
      entropyCoefficient, dLogits, dValues, statistics
    )
    backwardRows(
      net, params, x, n, active, stride, workspace + outputBytes(net, n), dLogits, dValues, gradients,
      !accumulate && first == 0
    )
  }
}

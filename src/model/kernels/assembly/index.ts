// dprint-ignore-file: the formatter drops decorators of functions
/**
 * What the module exports: pure functions of the memory their arguments point to. Pointers are byte offsets into the one
 * imported memory. Nothing is allocated, nothing is kept between calls, and there are no data segments: instantiating the
 * module in one more thread does not touch the memory.
 */
import { sampleActions } from "./categorical"
import { lossA2C as lossOfRows, lossTD as lossOfSteps } from "./losses"
import { CHUNK, actionsOf, activationsAt, inputsOf, outputBytes, parameterBytes } from "./net"
import { backward, forward } from "./network"

export { exponential, hyperbolicTangent, logarithm } from "./activation"
export { greedy } from "./categorical"
export { backward, forward } from "./network"
export { uniform } from "./pcg64"
export { adam, addInto, rmsprop, scaleInto, squaredNorm, sumInto } from "./optimisers"

/** `forward`, then one action a row, sampled with the next uniform double of the row's stream (ten u32 words). */
export function act(
  net: usize, params: usize, observations: usize, rows: i32, streams: usize, streamStride: usize, workspace: usize,
  logits: usize, values: usize, actions: usize, logProbabilities: usize
): void {
  forward(net, params, observations, rows, workspace, logits, values)
  sampleActions(logits, actionsOf(net), rows, streams, streamStride, workspace, actions, logProbabilities)
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
  if (!accumulate) memory.fill(gradients, 0, parameterBytes(net))
  const count = actionsOf(net)
  const rowBytes = <usize>inputsOf(net) << 2
  for (let first = 0; first < rows; first += CHUNK) {
    const n = min(CHUNK, rows - first)
    const at = <usize>first << 2
    const logits = workspace
    const values = logits + (<usize>(n * count) << 2)
    const dLogits = values + (<usize>n << 2)
    const dValues = dLogits + (<usize>(n * count) << 2)
    const rowsAt = observations + <usize>first * rowBytes
    forward(net, params, rowsAt, n, workspace, logits, values)
    lossOfRows(
      count, logits, actions + at, values, advantages ? advantages + at : 0, returns + at, n, scale, valueCoefficient,
      entropyCoefficient, dLogits, dValues, statistics
    )
    backward(net, params, rowsAt, n, workspace, dLogits, dValues, gradients, 1)
  }
}

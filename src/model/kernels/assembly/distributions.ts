// dprint-ignore-file: the formatter drops decorators of functions
/**
 * The distributions by their ids: whatever acts or learns goes through here, and knows none of them. A row's distribution
 * is made of the head's outputs of that row and of the free parameters.
 */
import { choiceGradient, evaluateChoice, likeliestChoice, sampleChoice } from "./categorical"
import { distributionOf, outputsOf, partWidth, partsOf } from "./net"

const CATEGORICAL = 0

/** The lowest finite number. */
const LOWEST: f32 = -3.4028234663852886e38

/** Numbers of an action. */
@inline
export function actionWidth(net: usize): i32 {
  return partsOf(net)
}

/** The lowest finite number in place of the outputs of actions that are not legal. Strides: bytes from row to row. */
export function applyMask(
  net: usize, outputs: usize, stride: usize, rows: i32, masks: usize, maskStride: usize
): void {
  const width = outputsOf(net)
  for (let row = 0; row < rows; row++) {
    for (let j = 0; j < width; j++) {
      if (!load<u8>(masks + <usize>j)) f32.store(outputs + (<usize>j << 2), LOWEST)
    }
    outputs += stride
    masks += maskStride
  }
}

/** An action of each row and its log-probability, from the row's own stream; strides are bytes from row to row. */
export function sampleRows(
  net: usize, outputs: usize, stride: usize, rows: i32, streams: usize, streamStride: usize, scratch: usize,
  actions: usize, logProbabilities: usize, outputStride: usize
): void {
  if (distributionOf(net) == CATEGORICAL) {
    sampleChoice(
      false, outputs, stride, partWidth(net, 0), rows, streams, streamStride, scratch, actions, logProbabilities,
      outputStride
    )
  } else unreachable()
}

/** The most likely action of each row; strides are bytes from row to row. */
export function likeliestRows(
  net: usize, outputs: usize, stride: usize, rows: i32, actions: usize, outputStride: usize
): void {
  if (distributionOf(net) == CATEGORICAL) {
    likeliestChoice(outputs, stride, rows, partWidth(net, 0), actions, outputStride)
  } else unreachable()
}

/**
 * Log-probability of the actions, and entropy, of at most a chunk of rows, and what `gradientRows` needs in `dOutputs` and
 * `partEntropies`.
 */
export function evaluateRows(
  net: usize, outputs: usize, rows: i32, actions: usize, dOutputs: usize, logProbabilities: usize, entropies: usize,
  partEntropies: usize
): void {
  if (distributionOf(net) == CATEGORICAL) {
    evaluateChoice(
      false, outputs, <usize>outputsOf(net) << 2, partWidth(net, 0), rows, actions, 4, dOutputs, logProbabilities,
      entropies, partEntropies
    )
  } else unreachable()
}

/** The derivative by the outputs, of the rows that `evaluateRows` went through before. */
export function gradientRows(
  net: usize, rows: i32, actions: usize, dOutputs: usize, dLogProbabilities: usize, dEntropies: usize,
  partEntropies: usize
): void {
  if (distributionOf(net) == CATEGORICAL) {
    choiceGradient(
      dOutputs, <usize>outputsOf(net) << 2, partWidth(net, 0), rows, actions, 4, dLogProbabilities, dEntropies,
      partEntropies
    )
  } else unreachable()
}

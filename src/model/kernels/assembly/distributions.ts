// dprint-ignore-file: the formatter drops decorators of functions
/**
 * The distributions by their ids: whatever acts or learns goes through here, and knows none of them. A row's distribution
 * is made of the head's outputs of that row and of the free parameters.
 */
import { bitsGradient, evaluateBits, likeliestBits, sampleBits } from "./bernoulli"
import { choiceGradient, evaluateChoice, likeliestChoice, sampleChoice } from "./categorical"
import { evaluateNormals, likeliestNormals, normalsGradient, sampleNormals } from "./gaussian"
import { distributionOf, outputsOf, partWidth, partsOf, rowArrayStride } from "./net"

/** One choice or several: each part of the outputs is one. */
const CATEGORICAL = 0
const BERNOULLI = 1
const DIAGONAL_GAUSSIAN = 2

/** The lowest finite number. */
const LOWEST: f32 = -3.4028234663852886e38

/** Numbers of an action. */
@inline
export function actionWidth(net: usize): i32 {
  return distributionOf(net) == CATEGORICAL ? partsOf(net) : outputsOf(net)
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

/**
 * An action of each row and its log-probability, from the row's own stream; strides are bytes from row to row. `free` are
 * the free parameters.
 */
export function sampleRows(
  net: usize, outputs: usize, stride: usize, rows: i32, free: usize, streams: usize, streamStride: usize, scratch: usize,
  actions: usize, logProbabilities: usize, outputStride: usize
): void {
  const distribution = distributionOf(net)
  if (distribution == CATEGORICAL) {
    const parts = partsOf(net)
    for (let part = 0; part < parts; part++) {
      const n = partWidth(net, part)
      sampleChoice(
        part > 0, outputs, stride, n, rows, streams, streamStride, scratch, actions, logProbabilities, outputStride
      )
      outputs += <usize>n << 2
      actions += 4
    }
  } else if (distribution == BERNOULLI) {
    sampleBits(
      outputs, stride, rows, outputsOf(net), streams, streamStride, actions, logProbabilities, outputStride
    )
  } else if (distribution == DIAGONAL_GAUSSIAN) {
    sampleNormals(
      outputs, stride, rows, outputsOf(net), free, streams, streamStride, actions, logProbabilities, outputStride
    )
  } else unreachable()
}

/** The most likely action of each row; strides are bytes from row to row. */
export function likeliestRows(
  net: usize, outputs: usize, stride: usize, rows: i32, actions: usize, outputStride: usize
): void {
  const distribution = distributionOf(net)
  if (distribution == CATEGORICAL) {
    const parts = partsOf(net)
    for (let part = 0; part < parts; part++) {
      const n = partWidth(net, part)
      likeliestChoice(outputs, stride, rows, n, actions, outputStride)
      outputs += <usize>n << 2
      actions += 4
    }
  } else if (distribution == BERNOULLI) likeliestBits(outputs, stride, rows, outputsOf(net), actions, outputStride)
  else if (distribution == DIAGONAL_GAUSSIAN) {
    likeliestNormals(outputs, stride, rows, outputsOf(net), actions, outputStride)
  } else unreachable()
}

/**
 * Log-probability of the actions, and entropy, of at most a chunk of rows, and what `gradientRows` needs in `dOutputs` and
 * `partEntropies`.
 */
export function evaluateRows(
  net: usize, outputs: usize, rows: i32, free: usize, actions: usize, dOutputs: usize, logProbabilities: usize,
  entropies: usize, partEntropies: usize
): void {
  const distribution = distributionOf(net)
  const width = outputsOf(net)
  if (distribution == CATEGORICAL) {
    const parts = partsOf(net)
    for (let part = 0; part < parts; part++) {
      const n = partWidth(net, part)
      evaluateChoice(
        part > 0, outputs, <usize>width << 2, n, rows, actions, <usize>parts << 2, dOutputs, logProbabilities, entropies,
        partEntropies
      )
      outputs += <usize>n << 2
      dOutputs += <usize>n << 2
      actions += 4
      partEntropies += rowArrayStride(rows)
    }
  } else if (distribution == BERNOULLI) {
    evaluateBits(outputs, width, rows, actions, dOutputs, logProbabilities, entropies)
  } else if (distribution == DIAGONAL_GAUSSIAN) {
    evaluateNormals(outputs, width, rows, free, actions, dOutputs, logProbabilities, entropies)
  } else unreachable()
}

/**
 * The derivative by the outputs, of the rows that `evaluateRows` went through before; that by the free parameters is added
 * to `dFree`.
 */
export function gradientRows(
  net: usize, rows: i32, free: usize, actions: usize, dOutputs: usize, dLogProbabilities: usize, dEntropies: usize,
  partEntropies: usize, dFree: usize
): void {
  const distribution = distributionOf(net)
  const width = outputsOf(net)
  if (distribution == CATEGORICAL) {
    const parts = partsOf(net)
    for (let part = 0; part < parts; part++) {
      const n = partWidth(net, part)
      choiceGradient(
        dOutputs, <usize>width << 2, n, rows, actions, <usize>parts << 2, dLogProbabilities, dEntropies, partEntropies
      )
      dOutputs += <usize>n << 2
      actions += 4
      partEntropies += rowArrayStride(rows)
    }
  } else if (distribution == BERNOULLI) {
    bitsGradient(dOutputs, width, rows, actions, dLogProbabilities, dEntropies)
  } else if (distribution == DIAGONAL_GAUSSIAN) {
    normalsGradient(dOutputs, width, rows, free, dLogProbabilities, dEntropies, dFree)
  } else unreachable()
}

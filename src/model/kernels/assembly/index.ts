// dprint-ignore-file: the formatter drops decorators of functions
/**
 * What the module exports: pure functions of the memory their arguments point to. Pointers are byte offsets into the one
 * imported memory. Nothing is allocated, nothing is kept between calls, and there are no data segments: instantiating the
 * module in one more thread does not touch the memory.
 *
 * What a kernel with many inputs is to do stands in a job record at the start of its workspace (`job.ts`).
 */
import { actionWidth, applyMask, evaluateRows, gradientRows, likeliestRows, sampleRows } from "./distributions"
import {
  accumulatesOf, actionsOf, dOutputsOf, dValuesOf, entropiesOf, gradientsOf, keptOf, logProbabilitiesOf, lossOf,
  masksOf, observationsOf, outputsAtOf, parametersOf, policyOf, rowsOf, startsOf, statesOf, streamsOf, strideOf, valuesOf
} from "./job"
import { isAlongFragment, lossRows } from "./losses"
import {
  CHUNK, D_ENTROPIES, D_LOG_PROBABILITIES, D_VALUES, ENTROPIES, LOG_PROBABILITIES, PART_ENTROPIES, VALUES,
  activationStride, activationsAt, dOutputsAt, deltasAt, freeOf, inputsOf, layersBytes, memoryOf, outputsAt, outputsOf,
  rowArrayAt, scratchAt
} from "./net"
import {
  backwardAlong, backwardRows, forwardAlong, forwardRows, headsOnCell, headsOnCellBackward
} from "./network"

export { exponential, hyperbolicTangent, logarithm } from "./activation"
export { backward, forward, valuesMany } from "./network"
export { uniform } from "./pcg64"
export { adam, addInto, rmsprop, squaredNorm, sumInto } from "./optimizers"

/**
 * The job's rows, of which everything lies `stride` bytes apart, a chunk at a time: outputs and values, and an action,
 * sampled with the next numbers of the row's stream (ten u32 words), with its log-probability. `kept`, where there is one,
 * is where the first row's activations stay for `gradients`. `states` is what each row remembers, and advances.
 */
export function act(job: usize): void {
  const net = policyOf(job)
  const params = parametersOf(job)
  const rows = rowsOf(job)
  const stride = strideOf(job)
  const masks = masksOf(job)
  const kept = keptOf(job)
  const scratch = scratchAt(net, job)
  const passing = activationsAt(net, job, min(CHUNK, rows))
  const passingStride = activationStride(net)
  for (let first = 0; first < rows; first += CHUNK) {
    const n = min(CHUNK, rows - first)
    const at = <usize>first * stride
    const outputs = outputsAtOf(job) + at
    forwardRows(
      net, params, observationsOf(job) + at, stride, n, kept ? kept + at : passing, kept ? stride : passingStride,
      outputs, stride, valuesOf(job) + at, stride, statesOf(job) + at, stride, true
    )
    if (masks) applyMask(net, outputs, stride, n, masks + at, stride)
    sampleRows(
      net, outputs, stride, n, params + layersBytes(net), streamsOf(job) + at, stride, scratch, actionsOf(job) + at,
      logProbabilitiesOf(job) + at, stride
    )
  }
}

/** The most likely action of each row of outputs. */
export function mode(net: usize, outputs: usize, rows: i32, actions: usize): void {
  likeliestRows(net, outputs, <usize>outputsOf(net) << 2, rows, actions, <usize>actionWidth(net) << 2)
}

/** Outputs, with the masks on them, log-probabilities and entropies of a chunk of the job's rows, into the scratch. */
@inline
function evaluateChunk(net: usize, job: usize, scratch: usize, first: i32, n: i32, outputs: usize, dOutputs: usize): void {
  const masks = masksOf(job)
  if (masks) {
    const width = <usize>outputsOf(net)
    applyMask(net, outputs, width << 2, n, masks + <usize>first * width, width)
  }
  evaluateRows(
    net, outputs, n, parametersOf(job) + layersBytes(net), actionsOf(job) + (<usize>(first * actionWidth(net)) << 2),
    dOutputs,
    rowArrayAt(net, scratch, n, LOG_PROBABILITIES), rowArrayAt(net, scratch, n, ENTROPIES),
    rowArrayAt(net, scratch, n, PART_ENTROPIES)
  )
}

/** Log-probability of the action, entropy and value of each of the job's rows; with a cell, consecutive ones. */
export function evaluate(job: usize): void {
  const net = policyOf(job)
  const rows = rowsOf(job)
  const scratch = scratchAt(net, job)
  const rowBytes = <usize>inputsOf(net) << 2
  const along = memoryOf(net) > 0
  const whole = activationsAt(net, job, rows)
  const stride = activationStride(net)
  if (along) {
    forwardAlong(net, parametersOf(job), observationsOf(job), rows, whole, stride, statesOf(job), startsOf(job))
  }
  for (let first = 0; first < rows; first += CHUNK) {
    const n = min(CHUNK, rows - first)
    const at = <usize>first << 2
    const outputs = outputsAt(scratch)
    const outputBytes = <usize>outputsOf(net) << 2
    if (along) {
      const active = whole + <usize>first * stride
      headsOnCell(net, parametersOf(job), n, active, stride, outputs, outputBytes, valuesOf(job) + at, 4)
    } else {
      forwardRows(
        net, parametersOf(job), observationsOf(job) + <usize>first * rowBytes, rowBytes, n, activationsAt(net, job, n),
        stride, outputs, outputBytes, valuesOf(job) + at, 4, 0, 0, false
      )
    }
    evaluateChunk(net, job, scratch, first, n, outputs, dOutputsAt(net, scratch, n))
    const bytes = <usize>n << 2
    memory.copy(logProbabilitiesOf(job) + at, rowArrayAt(net, scratch, n, LOG_PROBABILITIES), bytes)
    memory.copy(entropiesOf(job) + at, rowArrayAt(net, scratch, n, ENTROPIES), bytes)
  }
}

/** Where the gradients of the free parameters stand. */
@inline
function freeGradients(net: usize, job: usize): usize {
  return gradientsOf(job) + layersBytes(net)
}

/** From a chunk's outputs and values to the derivatives of the job's loss by them: distribution, loss, distribution. */
@inline
function differentiateChunk(
  net: usize, job: usize, scratch: usize, first: i32, n: i32, outputs: usize, values: usize, dOutputs: usize,
  dValues: usize
): void {
  evaluateChunk(net, job, scratch, first, n, outputs, dOutputs)
  lossRows(net, job, scratch, first, n, values, dValues)
  gradientRows(
    net, n, parametersOf(job) + layersBytes(net), actionsOf(job) + (<usize>(first * actionWidth(net)) << 2), dOutputs,
    rowArrayAt(net, scratch, n, D_LOG_PROBABILITIES), rowArrayAt(net, scratch, n, D_ENTROPIES),
    rowArrayAt(net, scratch, n, PART_ENTROPIES), freeGradients(net, job)
  )
}

/**
 * The derivatives of the job's loss by outputs and values that are there. Of a loss along a fragment, outputs and values
 * have one row more than the job, the observation that followed the last step; the derivative by its outputs is 0.
 */
export function differentiate(job: usize): void {
  const net = policyOf(job)
  const rows = rowsOf(job)
  const scratch = scratchAt(net, job)
  const outputBytes = <usize>outputsOf(net) << 2
  if (!accumulatesOf(job)) memory.fill(freeGradients(net, job), 0, <usize>freeOf(net) << 2)
  for (let first = 0; first < rows; first += CHUNK) {
    const row = <usize>first
    differentiateChunk(
      net, job, scratch, first, min(CHUNK, rows - first), outputsAtOf(job) + row * outputBytes,
      valuesOf(job) + (row << 2), dOutputsOf(job) + row * outputBytes, dValuesOf(job) + (row << 2)
    )
  }
  if (isAlongFragment(lossOf(job))) memory.fill(dOutputsOf(job) + <usize>rows * outputBytes, 0, outputBytes)
}

/**
 * The same with a cell, of consecutive rows: all of them forward, the loss chunk by chunk, all of them backward. So the
 * workspace must have room for all of them.
 */
function gradientsAlong(net: usize, job: usize, scratch: usize): void {
  const rows = rowsOf(job)
  if (rows == 0) return
  const params = parametersOf(job)
  const total = gradientsOf(job)
  const fresh = !accumulatesOf(job)
  const stride = activationStride(net)
  const active = activationsAt(net, job, rows)
  const outputBytes = <usize>outputsOf(net) << 2
  forwardAlong(net, params, observationsOf(job), rows, active, stride, statesOf(job), startsOf(job))
  for (let first = 0; first < rows; first += CHUNK) {
    const n = min(CHUNK, rows - first)
    const own = active + <usize>first * stride
    const outputs = outputsAt(scratch)
    const values = rowArrayAt(net, scratch, n, VALUES)
    const dOutputs = dOutputsAt(net, scratch, n)
    const dValues = rowArrayAt(net, scratch, n, D_VALUES)
    headsOnCell(net, params, n, own, stride, outputs, outputBytes, values, 4)
    differentiateChunk(net, job, scratch, first, n, outputs, values, dOutputs, dValues)
    headsOnCellBackward(net, params, n, own, stride, dOutputs, dValues, total, fresh && first == 0)
  }
  backwardAlong(
    net, params, observationsOf(job), rows, active, stride, startsOf(job), deltasAt(net, job, rows), total, fresh
  )
}

/**
 * Forward, the job's loss and backward in one, chunk by chunk, so that no activation leaves the cache: the same bits as
 * `forward`, `differentiate` and `backward`, and the workspace of a chunk is enough however many rows there are. Where
 * acting with the same parameters kept activations, outputs and values of the rows, they are taken from there.
 */
export function gradients(job: usize): void {
  const net = policyOf(job)
  const rows = rowsOf(job)
  const total = gradientsOf(job)
  const accumulates = accumulatesOf(job)
  const free = <usize>freeOf(net) << 2
  if (!accumulates) {
    if (rows == 0) memory.fill(total, 0, layersBytes(net) + free)
    else if (free) memory.fill(freeGradients(net, job), 0, free)
  }
  if (memoryOf(net) > 0) {
    gradientsAlong(net, job, scratchAt(net, job))
    return
  }
  const params = parametersOf(job)
  const kept = keptOf(job)
  const rowBytes = <usize>inputsOf(net) << 2
  const outputBytes = <usize>outputsOf(net) << 2
  const stride = activationStride(net)
  const scratch = scratchAt(net, job)
  for (let first = 0; first < rows; first += CHUNK) {
    const n = min(CHUNK, rows - first)
    const row = <usize>first
    const x = observationsOf(job) + row * rowBytes
    let outputs = outputsAt(scratch)
    let values = rowArrayAt(net, scratch, n, VALUES)
    let active = activationsAt(net, job, n)
    const dOutputs = dOutputsAt(net, scratch, n)
    const dValues = rowArrayAt(net, scratch, n, D_VALUES)
    if (kept) {
      outputs = outputsAtOf(job) + row * outputBytes
      values = valuesOf(job) + (row << 2)
      active = kept + row * stride
    } else {
      forwardRows(net, params, x, rowBytes, n, active, stride, outputs, outputBytes, values, 4, 0, 0, false)
    }
    differentiateChunk(net, job, scratch, first, n, outputs, values, dOutputs, dValues)
    backwardRows(
      net, params, x, n, active, stride, deltasAt(net, job, n), dOutputs, dValues, total, !accumulates && first == 0
    )
  }
}

// dprint-ignore-file: the formatter drops decorators of functions
/**
 * The whole network, forward and backward, a chunk of rows at a time so that a chunk's activations stay in the first-level
 * cache from layer to layer.
 */
import { tanhInPlace } from "./activation"
import { accumulateOuter, accumulateRows, denseDown, denseLayer } from "./dense"
import { afterAt, cellAlong, cellBackThrough, cellGradients, cellRows, derivativeAt } from "./gru"
import { activationBackward, denseHead, headBackward, narrowHeadBackward } from "./heads"
import {
  CHUNK, activationBytes, activationStride, activationsAt, cellBytes, deltaBytes, deltaStride, deltasAt, depthOf,
  headBytes, inputsOf, isRelu, isShared, layerBytes, layersBytes, memoryOf, outputsOf, towerActivationBytes, towerBytes,
  widthOf
} from "./net"

/** The hidden layers of one tower for n rows; `activations` is where the tower's begin in the first row's. */
function towerForward(
  net: usize, params: usize, observations: usize, xStride: usize, activations: usize, stride: usize, n: i32
): void {
  const depth = depthOf(net)
  const relu = isRelu(net)
  const floor: f32 = relu ? 0 : -Infinity
  let inputs = inputsOf(net)
  let x = observations
  for (let layer = 0; layer < depth; layer++) {
    const width = widthOf(net, layer)
    denseLayer(x, xStride, params, activations, stride, n, inputs, width, floor)
    if (!relu) for (let row = 0; row < n; row++) tanhInPlace(activations + <usize>row * stride, width)
    params += layerBytes(net, layer)
    x = activations
    xStride = stride
    activations += activationBytes(net, layer)
    inputs = width
  }
}

/** The heads of n rows on what a cell remembers after each; `outputs` 0 computes the values alone. */
export function headsOnCell(
  net: usize, params: usize, n: i32, activations: usize, stride: usize, outputs: usize, outputStride: usize, values: usize,
  valueStride: usize
): void {
  const width = outputsOf(net)
  const remembered = memoryOf(net)
  const heads = params + towerBytes(net) + cellBytes(net)
  const input = activations + afterAt(net)
  if (outputs) denseHead(input, stride, heads, outputs, outputStride, n, remembered, width)
  denseHead(input, stride, heads + headBytes(net, width), values, valueStride, n, remembered, 1)
}

/**
 * Logits and values of n rows, a chunk at most, whatever lies between one row and the next. `outputs` 0 computes the values
 * alone. The activations stay at `activations`. With a cell each row remembers what stands at `states`, which `advances` to
 * what it remembers then.
 */
export function forwardRows(
  net: usize, params: usize, observations: usize, xStride: usize, n: i32, activations: usize, stride: usize,
  outputs: usize, outputStride: usize, values: usize, valueStride: usize, states: usize, stateStride: usize, advances: bool
): void {
  if (memoryOf(net) > 0) {
    towerForward(net, params, observations, xStride, activations, stride, n)
    cellRows(net, params, observations, xStride, n, activations, stride, states, stateStride, advances)
    headsOnCell(net, params, n, activations, stride, outputs, outputStride, values, valueStride)
    return
  }
  const depth = depthOf(net)
  const width = outputsOf(net)
  const tower = towerBytes(net)
  const last = widthOf(net, depth - 1)
  const shared = isShared(net)
  const afterActor = params + tower + headBytes(net, width)
  // Heads read the last hidden layer's activations, or the observations.
  const headStride = depth > 0 ? stride : xStride
  const lastLayer = depth > 0 ? towerActivationBytes(net) - activationBytes(net, depth - 1) : 0
  if (outputs || shared) towerForward(net, params, observations, xStride, activations, stride, n)
  if (outputs) {
    const input = depth > 0 ? activations + lastLayer : observations
    denseHead(input, headStride, params + tower, outputs, outputStride, n, last, width)
  }
  let criticHead = afterActor
  if (!shared) {
    activations += towerActivationBytes(net)
    criticHead += tower
    towerForward(net, afterActor, observations, xStride, activations, stride, n)
  }
  const input = depth > 0 ? activations + lastLayer : observations
  denseHead(input, headStride, criticHead, values, valueStride, n, last, 1)
}

/**
 * outputs[rows][width] and values[rows]; leaves the activations in the workspace. With a cell each row remembers what stands
 * in states[rows][remembered], which advance.
 */
export function forward(
  net: usize, params: usize, observations: usize, rows: i32, workspace: usize, outputs: usize, values: usize, states: usize
): void {
  const stateStride = <usize>memoryOf(net) << 2
  const xStride = <usize>inputsOf(net) << 2
  const outputStride = <usize>outputsOf(net) << 2
  const activations = activationsAt(net, workspace, rows)
  const stride = activationStride(net)
  for (let first = 0; first < rows; first += CHUNK) {
    const row = <usize>first
    forwardRows(
      net, params, observations + row * xStride, xStride, min(CHUNK, rows - first), activations + row * stride, stride,
      outputs + row * outputStride, outputStride, values + (row << 2), 4, states + row * stateStride, stateStride, true
    )
  }
}

/**
 * The values of rows `stride` bytes apart, alone: half the work where the networks are separate. With a cell each row remembers
 * what stands at `states`, and goes on doing so.
 */
export function valuesMany(
  net: usize, params: usize, rows: i32, stride: usize, observations: usize, workspace: usize, values: usize, states: usize
): void {
  const activations = activationsAt(net, workspace, min(CHUNK, rows))
  for (let first = 0; first < rows; first += CHUNK) {
    const at = <usize>first * stride
    forwardRows(
      net, params, observations + at, stride, min(CHUNK, rows - first), activations, activationStride(net), 0, 0,
      values + at, stride, states + at, stride, false
    )
  }
}

/**
 * Consecutive rows through the layers and the cell, whose activations stay at `activations`: `headsOnCell` goes on from there.
 * Before the first, what stands at `state` is remembered; nothing where an episode begins.
 */
export function forwardAlong(
  net: usize, params: usize, observations: usize, rows: i32, activations: usize, stride: usize, state: usize, starts: usize
): void {
  const xStride = <usize>inputsOf(net) << 2
  for (let first = 0; first < rows; first += CHUNK) {
    const x = observations + <usize>first * xStride
    towerForward(net, params, x, xStride, activations + <usize>first * stride, stride, min(CHUNK, rows - first))
  }
  cellAlong(net, params, observations, xStride, rows, activations, stride, state, starts)
}

/**
 * Adds the heads' gradients of n of these rows, a chunk at most, or, where `fresh`, puts them there; leaves in each row the
 * derivative by what it remembers.
 */
export function headsOnCellBackward(
  net: usize, params: usize, n: i32, activations: usize, stride: usize, dOutputs: usize, dValues: usize, gradients: usize,
  fresh: bool
): void {
  const width = outputsOf(net)
  const remembered = memoryOf(net)
  const actor = towerBytes(net) + cellBytes(net)
  const critic = actor + headBytes(net, width)
  const dStride = <usize>width << 2
  const after = activations + afterAt(net)
  const down = activations + derivativeAt(net)
  accumulateRows(fresh, dOutputs, dStride, width, 0, n, gradients + actor + (<usize>(remembered * width) << 2))
  accumulateRows(fresh, dValues, 4, 1, 0, n, gradients + critic + (<usize>remembered << 2))
  for (let row = 0; row < n; row++) memory.fill(down + <usize>row * stride, 0, <usize>remembered << 2)
  headBackward(fresh, dOutputs, width, params + actor, after, stride, down, stride, n, remembered, gradients + actor)
  headBackward(fresh, dValues, 1, params + critic, after, stride, down, stride, n, remembered, gradients + critic)
}

/** Backward through the cell and the layers below it, from what `headsOnCellBackward` left; `fresh` as there. */
export function backwardAlong(
  net: usize, params: usize, observations: usize, rows: i32, activations: usize, stride: usize, starts: usize,
  scratch: usize, gradients: usize, fresh: bool
): void {
  cellBackThrough(net, params, rows, activations, stride, starts, scratch)
  const xStride = <usize>inputsOf(net) << 2
  for (let first = 0; first < rows; first += CHUNK) {
    const n = min(CHUNK, rows - first)
    const x = observations + <usize>first * xStride
    const active = activations + <usize>first * stride
    const begins = fresh && first == 0
    cellGradients(net, params, x, n, active, stride, scratch, gradients, begins)
    towerBackward(net, params, x, active, stride, n, scratch, scratch + deltaBytes(net, n), gradients, begins)
  }
}

/**
 * The hidden layers of one tower, backward, of n rows: `delta` holds the gradient of the last hidden layer's sums, `other`
 * is a buffer of the same size. Layer by layer: gradients of weight and bias, then what goes down.
 */
function towerBackward(
  net: usize, params: usize, observations: usize, activations: usize, stride: usize, n: i32, delta: usize, other: usize,
  gradients: usize, fresh: bool
): void {
  const relu = isRelu(net)
  const inputs = inputsOf(net)
  const dStride = deltaStride(net)
  let at = towerBytes(net)
  let active = activations + towerActivationBytes(net)
  for (let layer = depthOf(net) - 1; layer >= 0; layer--) {
    const width = widthOf(net, layer)
    const below = widthOf(net, layer - 1)
    at -= layerBytes(net, layer)
    active -= activationBytes(net, layer)
    const weight = gradients + at
    const bias = weight + (<usize>(below * width) << 2)
    if (layer == 0) {
      accumulateOuter(fresh, observations, <usize>inputs << 2, inputs, delta, dStride, width, n, weight, bias)
    } else {
      const x = active - activationBytes(net, layer - 1)
      accumulateOuter(fresh, x, stride, below, delta, dStride, width, n, weight, bias)
      denseDown(delta, params + at, x, stride, other, dStride, n, below, width, relu)
      const swap = delta
      delta = other
      other = swap
    }
  }
}

/**
 * Adds the gradient of n rows, a chunk at most, to `gradients`, or, where `fresh`, puts it there; scratch is the two buffers
 * of `deltaBytes`.
 */
export function backwardRows(
  net: usize, params: usize, observations: usize, n: i32, activations: usize, stride: usize, scratch: usize,
  dOutputs: usize, dValues: usize, gradients: usize, fresh: bool
): void {
  const width = outputsOf(net)
  const depth = depthOf(net)
  const relu = isRelu(net)
  const shared = isShared(net)
  const last = widthOf(net, depth - 1)
  const tower = towerBytes(net)
  const afterActor = tower + headBytes(net, width)
  const criticHead = shared ? afterActor : afterActor + tower
  const actorBias = tower + (<usize>(last * width) << 2)
  const criticBias = criticHead + (<usize>last << 2)
  const dStride = <usize>width << 2
  accumulateRows(fresh, dOutputs, dStride, width, 0, n, gradients + actorBias)
  accumulateRows(fresh, dValues, 4, 1, 0, n, gradients + criticBias)
  if (depth == 0) {
    const xStride = <usize>last << 2
    accumulateOuter(fresh, dOutputs, dStride, width, observations, xStride, last, n, gradients + tower, 0)
    accumulateOuter(fresh, dValues, 4, 1, observations, xStride, last, n, gradients + criticHead, 0)
    return
  }
  const down = deltaStride(net)
  const other = scratch + deltaBytes(net, n)
  const lastLayer = activations + towerActivationBytes(net) - activationBytes(net, depth - 1)
  if (shared) {
    memory.fill(scratch, 0, <usize>n * down)
    headBackward(fresh, dOutputs, width, params + tower, lastLayer, stride, scratch, down, n, last, gradients + tower)
    headBackward(fresh, dValues, 1, params + criticHead, lastLayer, stride, scratch, down, n, last, gradients + criticHead)
    activationBackward(scratch, down, lastLayer, stride, n, last, relu)
    towerBackward(net, params, observations, activations, stride, n, scratch, other, gradients, fresh)
    return
  }
  if (width <= 2) {
    narrowHeadBackward(
      fresh, dOutputs, width, params + tower, lastLayer, stride, scratch, down, n, last, gradients + tower, relu
    )
  } else {
    memory.fill(scratch, 0, <usize>n * down)
    headBackward(fresh, dOutputs, width, params + tower, lastLayer, stride, scratch, down, n, last, gradients + tower)
    activationBackward(scratch, down, lastLayer, stride, n, last, relu)
  }
  towerBackward(net, params, observations, activations, stride, n, scratch, other, gradients, fresh)
  const critic = towerActivationBytes(net)
  narrowHeadBackward(
    fresh, dValues, 1, params + criticHead, lastLayer + critic, stride, scratch, down, n, last, gradients + criticHead, relu
  )
  towerBackward(
    net, params + afterActor, observations, activations + critic, stride, n, scratch, other, gradients + afterActor,
    fresh
  )
}

/**
 * Gradients of a loss whose derivatives by outputs and values are given, in the order of the parameters, from the
 * activations that `forward` left in the workspace. `accumulate` 0 begins at zero, else adds to what is there. Not for a cell,
 * whose rows are not independent.
 */
export function backward(
  net: usize, params: usize, observations: usize, rows: i32, workspace: usize, dOutputs: usize, dValues: usize,
  gradients: usize, accumulate: i32
): void {
  if (memoryOf(net) > 0) unreachable()
  if (!accumulate && rows == 0) memory.fill(gradients, 0, layersBytes(net))
  const xStride = <usize>inputsOf(net) << 2
  const dStride = <usize>outputsOf(net) << 2
  const activations = activationsAt(net, workspace, rows)
  const stride = activationStride(net)
  for (let first = 0; first < rows; first += CHUNK) {
    const row = <usize>first
    backwardRows(
      net, params, observations + row * xStride, min(CHUNK, rows - first), activations + row * stride, stride,
      deltasAt(net, workspace, rows), dOutputs + row * dStride, dValues + (row << 2), gradients,
      !accumulate && first == 0
    )
  }
}

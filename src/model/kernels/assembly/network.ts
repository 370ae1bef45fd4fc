// dprint-ignore-file: the formatter drops decorators of functions
/**
 * The whole network, forward and backward, a chunk of rows at a time so that a chunk's activations stay in the first-level
 * cache from layer to layer.
 */
import { tanhInPlace } from "./activation"
import { accumulateOuter, accumulateRows, denseDown, denseLayer } from "./dense"
import { activationBackward, denseHead, headBackward, narrowHeadBackward } from "./heads"
import {
  CHUNK, activationBytes, activationsAt, actionsOf, deltaBytes, depthOf, headBytes, inputsOf, isRelu, isShared, layerBytes,
  outputBytes, parameterBytes, towerActivationBytes, towerBytes, widthOf
} from "./net"

/** The hidden layers of one tower for rows [first, first + n); `activations` is where the tower's begin. */
function towerForward(
  net: usize, params: usize, observations: usize, activations: usize, rows: i32, first: i32, n: i32
): void {
  const depth = depthOf(net)
  const relu = isRelu(net)
  const floor: f32 = relu ? 0 : -Infinity
  let inputs = inputsOf(net)
  let x = observations + (<usize>(first * inputs) << 2)
  for (let layer = 0; layer < depth; layer++) {
    const width = widthOf(net, layer)
    const y = activations + (<usize>(first * width) << 2)
    denseLayer(x, params, y, n, inputs, width, floor)
    if (!relu) tanhInPlace(y, n * width)
    params += layerBytes(net, layer)
    activations += activationBytes(net, layer, rows)
    inputs = width
    x = y
  }
}

/** What the heads read: the last hidden layer's activations for rows from `first` on, or the observations. */
function headInput(net: usize, observations: usize, activations: usize, rows: i32, first: i32): usize {
  const last = depthOf(net) - 1
  const width = widthOf(net, last)
  if (last < 0) return observations + (<usize>(first * width) << 2)
  return activations + towerActivationBytes(net, rows) - activationBytes(net, last, rows) + (<usize>(first * width) << 2)
}

/** logits[rows][actions] and values[rows]; leaves the activations in the workspace. */
export function forward(
  net: usize, params: usize, observations: usize, rows: i32, workspace: usize, logits: usize, values: usize
): void {
  const actions = actionsOf(net)
  const last = widthOf(net, depthOf(net) - 1)
  const tower = towerBytes(net)
  const shared = isShared(net)
  const actorHead = params + tower
  const afterActor = actorHead + headBytes(net, actions)
  const criticHead = shared ? afterActor : afterActor + tower
  const actorActivations = activationsAt(net, workspace, rows)
  const criticActivations = shared ? actorActivations : actorActivations + towerActivationBytes(net, rows)
  for (let first = 0; first < rows; first += CHUNK) {
    const n = min(CHUNK, rows - first)
    towerForward(net, params, observations, actorActivations, rows, first, n)
    const actorInput = headInput(net, observations, actorActivations, rows, first)
    denseHead(actorInput, actorHead, logits + (<usize>(first * actions) << 2), n, last, actions)
    if (!shared) towerForward(net, afterActor, observations, criticActivations, rows, first, n)
    const criticInput = shared ? actorInput : headInput(net, observations, criticActivations, rows, first)
    denseHead(criticInput, criticHead, values + (<usize>first << 2), n, last, 1)
  }
}

/**
 * The hidden layers of one tower, backward: `delta` holds the gradient of the last hidden layer's sums, `other` is a
 * buffer of the same size. Layer by layer: gradients of weight and bias, then what goes down.
 */
function towerBackward(
  net: usize, params: usize, observations: usize, activations: usize, rows: i32, first: i32, n: i32, delta: usize,
  other: usize, gradients: usize
): void {
  const relu = isRelu(net)
  let at = towerBytes(net)
  let active = activations + towerActivationBytes(net, rows)
  for (let layer = depthOf(net) - 1; layer >= 0; layer--) {
    const width = widthOf(net, layer)
    const inputs = widthOf(net, layer - 1)
    at -= layerBytes(net, layer)
    active -= activationBytes(net, layer, rows)
    const below = active - (layer > 0 ? activationBytes(net, layer - 1, rows) : 0)
    const x = (layer > 0 ? below : observations) + (<usize>(first * inputs) << 2)
    accumulateOuter(x, inputs, delta, width, n, gradients + at, gradients + at + (<usize>(inputs * width) << 2))
    if (layer > 0) {
      denseDown(delta, params + at, x, other, n, inputs, width, relu)
      const swap = delta
      delta = other
      other = swap
    }
  }
}

/** Adds one chunk's gradient to `gradients`; dLogits and dValues are the chunk's own. */
function chunkBackward(
  net: usize, params: usize, observations: usize, rows: i32, first: i32, n: i32, workspace: usize, dLogits: usize,
  dValues: usize, gradients: usize
): void {
  const actions = actionsOf(net)
  const depth = depthOf(net)
  const relu = isRelu(net)
  const shared = isShared(net)
  const last = widthOf(net, depth - 1)
  const tower = towerBytes(net)
  const afterActor = tower + headBytes(net, actions)
  const criticHead = shared ? afterActor : afterActor + tower
  const actorBias = tower + (<usize>(last * actions) << 2)
  const criticBias = criticHead + (<usize>last << 2)
  const delta = workspace + outputBytes(net, rows)
  const other = delta + deltaBytes(net, rows)
  const actorActivations = activationsAt(net, workspace, rows)
  const actorInput = headInput(net, observations, actorActivations, rows, first)
  accumulateRows(dLogits, actions, 0, n, gradients + actorBias)
  accumulateRows(dValues, 1, 0, n, gradients + criticBias)
  if (depth == 0) {
    accumulateOuter(dLogits, actions, actorInput, last, n, gradients + tower, 0)
    accumulateOuter(dValues, 1, actorInput, last, n, gradients + criticHead, 0)
    return
  }
  if (shared) {
    memory.fill(delta, 0, <usize>(n * last) << 2)
    headBackward(dLogits, actions, params + tower, actorInput, delta, n, last, gradients + tower)
    headBackward(dValues, 1, params + criticHead, actorInput, delta, n, last, gradients + criticHead)
    activationBackward(delta, actorInput, n * last, relu)
    towerBackward(net, params, observations, actorActivations, rows, first, n, delta, other, gradients)
    return
  }
  if (actions <= 2) {
    narrowHeadBackward(dLogits, actions, params + tower, actorInput, delta, n, last, gradients + tower, relu)
  } else {
    memory.fill(delta, 0, <usize>(n * last) << 2)
    headBackward(dLogits, actions, params + tower, actorInput, delta, n, last, gradients + tower)
    activationBackward(delta, actorInput, n * last, relu)
  }
  towerBackward(net, params, observations, actorActivations, rows, first, n, delta, other, gradients)
  const criticActivations = actorActivations + towerActivationBytes(net, rows)
  const criticInput = headInput(net, observations, criticActivations, rows, first)
  narrowHeadBackward(dValues, 1, params + criticHead, criticInput, delta, n, last, gradients + criticHead, relu)
  towerBackward(
    net, params + afterActor, observations, criticActivations, rows, first, n, delta, other, gradients + afterActor
  )
}

/**
 * Gradients of a loss whose derivatives by logits and values are given, in the order of the parameters, from the
 * activations that `forward` left in the workspace. `accumulate` 0 begins at zero, else adds to what is there.
 */
export function backward(
  net: usize, params: usize, observations: usize, rows: i32, workspace: usize, dLogits: usize, dValues: usize,
  gradients: usize, accumulate: i32
): void {
  if (!accumulate) memory.fill(gradients, 0, parameterBytes(net))
  const actions = actionsOf(net)
  for (let first = 0; first < rows; first += CHUNK) {
    chunkBackward(
      net, params, observations, rows, first, min(CHUNK, rows - first), workspace,
      dLogits + (<usize>(first * actions) << 2), dValues + (<usize>first << 2), gradients
    )
  }
}

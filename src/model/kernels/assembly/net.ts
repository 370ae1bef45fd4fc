// dprint-ignore-file: the formatter drops decorators of functions
/**
 * Where the numbers of a network lie: its descriptor, its flat parameters, its workspace.
 *
 * A descriptor is i32 words: kind (0 separate, 1 shared), inputs, actions, activation (0 tanh, 1 relu), depth, then one
 * width a hidden layer. Parameters are one float32 array without padding: the actor's hidden layers, its head, the
 * critic's hidden layers, its head; of a shared trunk: the trunk, the actor's head, the critic's head. A layer is its
 * weight, then its bias; hidden weights are [in][out], heads [out][in].
 *
 * A row's activations are those of its hidden layers in the order of the parameters, each 16-byte aligned. A workspace of
 * `rows` rows is scratch (of one chunk at most), then the rows' activations, `activationStride` bytes apart.
 * `Kernels.workspaceBytes` and `Kernels.activationStride` compute the same sizes.
 */

/** Rows worked on at a time, so that what a layer wrote is still in the first-level cache when the next one reads it. */
export const CHUNK: i32 = 32

@inline
export function isShared(net: usize): bool {
  return load<i32>(net) != 0
}
@inline
export function inputsOf(net: usize): i32 {
  return load<i32>(net, 4)
}
@inline
export function actionsOf(net: usize): i32 {
  return load<i32>(net, 8)
}
@inline
export function isRelu(net: usize): bool {
  return load<i32>(net, 12) != 0
}
@inline
export function depthOf(net: usize): i32 {
  return load<i32>(net, 16)
}
/** Width of a hidden layer; of layer -1, the inputs. */
@inline
export function widthOf(net: usize, layer: i32): i32 {
  return layer < 0 ? inputsOf(net) : load<i32>(net + (<usize>layer << 2), 20)
}

/** Bytes of the parameters of hidden layer `layer`. */
@inline
export function layerBytes(net: usize, layer: i32): usize {
  return <usize>((widthOf(net, layer - 1) + 1) * widthOf(net, layer)) << 2
}

/** Bytes of the parameters of all hidden layers of one tower. */
export function towerBytes(net: usize): usize {
  let bytes: usize = 0
  const depth = depthOf(net)
  for (let layer = 0; layer < depth; layer++) bytes += layerBytes(net, layer)
  return bytes
}

/** Bytes of a head's parameters. */
@inline
export function headBytes(net: usize, outputs: i32): usize {
  return <usize>((widthOf(net, depthOf(net) - 1) + 1) * outputs) << 2
}

/** Bytes of all parameters. */
export function parameterBytes(net: usize): usize {
  const tower = towerBytes(net)
  return (isShared(net) ? tower : tower + tower) + headBytes(net, actionsOf(net)) + headBytes(net, 1)
}

/**
 * An odd number of cache lines that holds `bytes`: rows that far apart fall into different sets of the cache, where those
 * a power of two apart would drive one another out.
 */
@inline
function spread(bytes: usize): usize {
  return ((bytes + 63) & ~63) | 64
}

/** Bytes of one row's activations of one hidden layer, padded to whole vectors. */
@inline
export function activationBytes(net: usize, layer: i32): usize {
  return ((<usize>widthOf(net, layer) << 2) + 15) & ~15
}

/** Bytes of one row's activations of all hidden layers of one tower. */
export function towerActivationBytes(net: usize): usize {
  let bytes: usize = 0
  const depth = depthOf(net)
  for (let layer = 0; layer < depth; layer++) bytes += activationBytes(net, layer)
  return bytes
}

/** Bytes from one row's activations to the next's where the rows lie side by side. */
export function activationStride(net: usize): usize {
  const tower = towerActivationBytes(net)
  return spread(isShared(net) ? tower : 2 * tower)
}

/** Rows that scratch is laid out for: at most a chunk, and whole groups of four. */
@inline
function scratchRows(rows: i32): i32 {
  return (min(rows, CHUNK) + 3) & ~3
}

/** Bytes from row to row in the two buffers in which `backward` passes a chunk's gradient from layer to layer. */
export function deltaStride(net: usize): usize {
  let widest = 0
  const depth = depthOf(net)
  for (let layer = 0; layer < depth; layer++) widest = max(widest, widthOf(net, layer))
  return spread(<usize>widest << 2)
}

/** Bytes of one of these two buffers. */
export function deltaBytes(net: usize, rows: i32): usize {
  return <usize>scratchRows(rows) * deltaStride(net)
}

/** Bytes of a chunk's logits and values and of their gradients, and of the running sums of a sampling. */
@inline
export function outputBytes(net: usize, rows: i32): usize {
  return <usize>(scratchRows(rows) * (actionsOf(net) + 1) * 2) << 2
}

/** Where the activations begin. */
@inline
export function activationsAt(net: usize, workspace: usize, rows: i32): usize {
  return workspace + outputBytes(net, rows) + 2 * deltaBytes(net, rows)
}

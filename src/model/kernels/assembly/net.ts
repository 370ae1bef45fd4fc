// dprint-ignore-file: the formatter drops decorators of functions
/**
 * Where the numbers of a policy lie: its descriptor, its flat parameters, its workspace.
 *
 * A descriptor is i32 words: encoder (0 a multilayer perceptron, 1 a gated recurrent unit on one), towers (0 separate, 1
 * shared), inputs, outputs of the policy's head, activation (0 tanh, 1 relu), depth, distribution (`distributions.ts`), parts
 * (a distribution of several choices has several), free parameters, bytes before the scratch of a workspace, numbers that
 * are remembered (0: nothing is); then one width a hidden layer, then the outputs of each part. Parameters are one float32 array without padding: the actor's hidden layers, its head, the
 * critic's hidden layers, its head; of a shared trunk: the trunk, the actor's head, the critic's head; last the free
 * parameters. A recurrent cell (`gru.ts`) stands between trunk and heads. A layer is its weight, then its bias; hidden weights are [in][out], heads [out][in].
 *
 * A row's activations are those of its hidden layers in the order of the parameters, each 16-byte aligned, then those of a
 * cell. A workspace of
 * `rows` rows is a job record (`job.ts`) and what the host keeps beside it, scratch (of one chunk at most), then the rows'
 * activations, `activationStride` bytes apart. `Kernels.workspaceBytes` and `Kernels.activationStride` compute the same
 * sizes.
 */

/** Rows worked on at a time, so that what a layer wrote is still in the first-level cache when the next one reads it. */
export const CHUNK: i32 = 32

@inline
export function isShared(net: usize): bool {
  return load<i32>(net, 4) != 0
}
@inline
export function inputsOf(net: usize): i32 {
  return load<i32>(net, 8)
}
@inline
export function outputsOf(net: usize): i32 {
  return load<i32>(net, 12)
}
@inline
export function isRelu(net: usize): bool {
  const activation = load<i32>(net, 16)
  if (activation > 1) unreachable()
  return activation == 1
}
@inline
export function depthOf(net: usize): i32 {
  return load<i32>(net, 20)
}
@inline
export function distributionOf(net: usize): i32 {
  return load<i32>(net, 24)
}
/** Choices that an action consists of. */
@inline
export function partsOf(net: usize): i32 {
  return load<i32>(net, 28)
}
@inline
export function freeOf(net: usize): i32 {
  return load<i32>(net, 32)
}
@inline
function preludeBytes(net: usize): usize {
  return <usize>load<i32>(net, 36)
}
/** Numbers that a recurrent cell remembers; 0: there is none. */
@inline
export function memoryOf(net: usize): i32 {
  return load<i32>(net, 40)
}
/** Width of a hidden layer; of layer -1, the inputs. */
@inline
export function widthOf(net: usize, layer: i32): i32 {
  return layer < 0 ? inputsOf(net) : load<i32>(net + (<usize>layer << 2), 44)
}
/** Outputs of the head that belong to one part. */
@inline
export function partWidth(net: usize, part: i32): i32 {
  return load<i32>(net + (<usize>(depthOf(net) + part) << 2), 44)
}
/** Numbers that the heads stand on. */
@inline
export function featuresOf(net: usize): i32 {
  const memory = memoryOf(net)
  return memory > 0 ? memory : widthOf(net, depthOf(net) - 1)
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
  return <usize>((featuresOf(net) + 1) * outputs) << 2
}

/** Bytes of what a cell's gates get from its input, and of what they get from what it remembers. */
@inline
export function cellInputBytes(net: usize): usize {
  return <usize>((widthOf(net, depthOf(net) - 1) + 1) * 3 * memoryOf(net)) << 2
}
@inline
export function cellRecurrentBytes(net: usize): usize {
  return <usize>((memoryOf(net) + 1) * 3 * memoryOf(net)) << 2
}

/** Bytes of a cell's parameters. */
export function cellBytes(net: usize): usize {
  return memoryOf(net) > 0 ? cellInputBytes(net) + cellRecurrentBytes(net) : 0
}

/** Bytes of the parameters of all layers, after which the free parameters stand. */
export function layersBytes(net: usize): usize {
  const tower = towerBytes(net)
  return (isShared(net) ? tower : tower + tower) + cellBytes(net) + headBytes(net, outputsOf(net)) + headBytes(net, 1)
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

/** Bytes of n numbers, padded to whole vectors. */
@inline
export function padded(n: i32): usize {
  return ((<usize>n << 2) + 15) & ~15
}

/**
 * Bytes of one row's activations of a cell: both halves of its gates, what it remembered before the row and after it, and the
 * derivative by that.
 */
function cellActivationBytes(net: usize): usize {
  const memory = memoryOf(net)
  return 2 * padded(3 * memory) + 3 * padded(memory)
}

/** Bytes from one row's activations to the next's where the rows lie side by side. */
export function activationStride(net: usize): usize {
  const tower = towerActivationBytes(net)
  return spread((isShared(net) ? tower : 2 * tower) + cellActivationBytes(net))
}

/** Rows that scratch is laid out for: at most a chunk, and whole groups of four. */
@inline
function scratchRows(rows: i32): i32 {
  return (min(rows, CHUNK) + 3) & ~3
}

/** Bytes from row to row in the two buffers in which `backward` passes a chunk's gradient from layer to layer. */
export function deltaStride(net: usize): usize {
  let widest = 3 * memoryOf(net)
  const depth = depthOf(net)
  for (let layer = 0; layer < depth; layer++) widest = max(widest, widthOf(net, layer))
  return spread(<usize>widest << 2)
}

/** Bytes of one of these two buffers. */
export function deltaBytes(net: usize, rows: i32): usize {
  return <usize>scratchRows(rows) * deltaStride(net)
}

/** Numbers of each row of a chunk that stand one array after the other: see the functions below. */
const ROW_ARRAYS = 7

/**
 * Where a chunk's scratch begins: outputs and values, then their derivatives, then of each row the log-probability, the
 * entropy, their derivatives, the advantage, and the entropy of each part. Sampling keeps its running sums there.
 */
@inline
export function scratchAt(net: usize, workspace: usize): usize {
  return workspace + preludeBytes(net)
}

/** Bytes of that scratch. */
@inline
export function scratchBytes(net: usize, rows: i32): usize {
  return <usize>(scratchRows(rows) * (2 * outputsOf(net) + ROW_ARRAYS + partsOf(net))) << 2
}

/** Where the two buffers of `deltaBytes` begin. */
@inline
export function deltasAt(net: usize, workspace: usize, rows: i32): usize {
  return scratchAt(net, workspace) + scratchBytes(net, rows)
}

/** Where the activations begin. */
@inline
export function activationsAt(net: usize, workspace: usize, rows: i32): usize {
  return deltasAt(net, workspace, rows) + 2 * deltaBytes(net, rows)
}

/** Where the k-th of the arrays of one number a row stands in a chunk's scratch. */
@inline
export function rowArrayAt(net: usize, scratch: usize, rows: i32, k: i32): usize {
  return scratch + (<usize>(scratchRows(rows) * (2 * outputsOf(net) + k)) << 2)
}

/** The arrays of one number a row, as `rowArrayAt` counts them: values and their derivatives are the first two. */
export const VALUES = 0
export const D_VALUES = 1
export const LOG_PROBABILITIES = 2
export const ENTROPIES = 3
export const D_LOG_PROBABILITIES = 4
export const D_ENTROPIES = 5
export const ADVANTAGES = 6
/** The first of as many as there are parts. */
export const PART_ENTROPIES = 7

/** Where a chunk's outputs stand in its scratch, and where their derivatives. */
@inline
export function outputsAt(scratch: usize): usize {
  return scratch
}
@inline
export function dOutputsAt(net: usize, scratch: usize, rows: i32): usize {
  return scratch + (<usize>(scratchRows(rows) * outputsOf(net)) << 2)
}

/** Bytes from one array of one number a row to the next. */
@inline
export function rowArrayStride(rows: i32): usize {
  return <usize>scratchRows(rows) << 2
}

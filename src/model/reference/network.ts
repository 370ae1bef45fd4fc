/**
 * The network itself, forwards and backwards, in readable float64: what the kernels are held to by tests, and what
 * computes where WebAssembly SIMD is missing.
 *
 * A network is chains of layers (see `ParameterLayout`): the trunk, a recurrent cell where there is one, and the actor's and
 * the critic's chain on top. Rows are independent but for the cell, to which they are steps one after the other; all arrays
 * are row-major.
 */
import { exp, tanh } from "../../math/index.ts"
import { type Activation, activations as functions } from "../policy/activations.ts"
import type { EncoderSpec, GruSpec, MemoryLayers, MlpSpec } from "../policy/Encoder.ts"
import type { FloatArray, Layer } from "../policy/Layer.ts"
import type { ParameterLayout } from "../policy/ParameterLayout.ts"
import type { OutputGradients } from "./losses.ts"

/** What a forward pass leaves for the backward one: `[0]` is the chain's input, `[k]` the output of its k-th layer. */
type Activations = ReadonlyArray<Float64Array>

/** A forward pass over `rows` observations. */
export interface ForwardPass {
  readonly rows: number
  /** [rows][outputs], what the policy's head gives. */
  readonly outputs: Float64Array
  /** [rows] */
  readonly values: Float64Array
  readonly trunk: Activations
  /** What the recurrent cell did; null where there is none. */
  readonly cell: CellPass | null
  readonly actor: Activations
  readonly critic: Activations
}

/** What was remembered before the first of some rows, and at which rows an episode begins, before which nothing was. */
export interface Remembered {
  /** [state words of the encoder] */
  readonly state: FloatArray
  /** [rows], 1 where an episode begins */
  readonly starts: ArrayLike<number>
}

/** A forward pass of a recurrent cell of width H. */
export interface CellPass {
  /** [rows][3 H]: reset, update and new gate. */
  readonly gates: Float64Array
  /** [rows][3 H]: what these three got from what was remembered. */
  readonly recurrent: Float64Array
  /** [rows][H]: what was remembered before each row, and after it. */
  readonly before: Float64Array
  readonly after: Float64Array
  readonly starts: ArrayLike<number>
}

/** y = f(W x + b), where f is the activation on hidden layers and nothing on heads. */
const layerForward = (
  layer: Layer,
  activation: Activation,
  parameters: FloatArray,
  x: Float64Array,
  rows: number
): Float64Array => {
  const y = new Float64Array(rows * layer.outputs)
  const { apply } = functions[activation]
  for (let row = 0; row < rows; row++) {
    for (let o = 0; o < layer.outputs; o++) {
      let sum = parameters[layer.bias + o]!
      const weight = layer.weight + o * layer.outputStride
      for (let i = 0; i < layer.inputs; i++) {
        sum += parameters[weight + i * layer.inputStride]! * x[row * layer.inputs + i]!
      }
      y[row * layer.outputs + o] = layer.role === "hidden" ? apply(sum) : sum
    }
  }
  return y
}

/**
 * Turns ∂L/∂y of a layer into ∂L/∂x and adds its parameters' share to `gradients`. A hidden layer's `dy` is overwritten
 * with the derivative before the activation.
 */
const layerBackward = (
  layer: Layer,
  activation: Activation,
  parameters: FloatArray,
  x: Float64Array,
  y: Float64Array,
  dy: Float64Array,
  rows: number,
  gradients: Float64Array
): Float64Array => {
  if (layer.role === "hidden") {
    const { slope } = functions[activation]
    for (let k = 0; k < dy.length; k++) dy[k] = dy[k]! * slope(y[k]!)
  }
  const dx = new Float64Array(rows * layer.inputs)
  for (let row = 0; row < rows; row++) {
    for (let o = 0; o < layer.outputs; o++) {
      const d = dy[row * layer.outputs + o]!
      const weight = layer.weight + o * layer.outputStride
      gradients[layer.bias + o]! += d
      for (let i = 0; i < layer.inputs; i++) {
        const at = weight + i * layer.inputStride
        gradients[at]! += d * x[row * layer.inputs + i]!
        dx[row * layer.inputs + i]! += d * parameters[at]!
      }
    }
  }
  return dx
}

const chainForward = (
  layers: ReadonlyArray<Layer>,
  activation: Activation,
  parameters: FloatArray,
  x: Float64Array,
  rows: number
): Activations => {
  const activations = [x]
  for (const layer of layers) activations.push(layerForward(layer, activation, parameters, activations.at(-1)!, rows))
  return activations
}

const chainBackward = (
  layers: ReadonlyArray<Layer>,
  activation: Activation,
  parameters: FloatArray,
  activations: Activations,
  dOutput: Float64Array,
  rows: number,
  gradients: Float64Array
): Float64Array => {
  let d = dOutput
  for (let k = layers.length - 1; k >= 0; k--) {
    d = layerBackward(layers[k]!, activation, parameters, activations[k]!, activations[k + 1]!, d, rows, gradients)
  }
  return d
}

const sigmoid = (x: number): number => 1 / (1 + exp(-x))

/**
 * A gated recurrent unit over consecutive rows, with x the row's input and h what is remembered (PyTorch's `GRUCell`):
 *
 *     r = σ(W_ir x + b_ir + W_hr h + b_hr),  z = σ(W_iz x + b_iz + W_hz h + b_hz)
 *     n = tanh(W_in x + b_in + r (W_hn h + b_hn)),  h' = n + z (h − n)
 *
 * Cho et al. 2014, *Learning Phrase Representations using RNN Encoder–Decoder for Statistical Machine Translation*.
 */
const cellForward = (
  { input, recurrent }: MemoryLayers,
  activation: Activation,
  parameters: FloatArray,
  x: Float64Array,
  rows: number,
  { starts, state }: Remembered
): CellPass => {
  const width = recurrent.inputs
  const pass: CellPass = {
    gates: layerForward(input, activation, parameters, x, rows),
    recurrent: new Float64Array(rows * 3 * width),
    before: new Float64Array(rows * width),
    after: new Float64Array(rows * width),
    starts
  }
  let remembered: FloatArray = state
  for (let row = 0; row < rows; row++) {
    const before = pass.before.subarray(row * width, (row + 1) * width)
    if (starts[row] !== 1) before.set(remembered)
    const gates = pass.gates.subarray(row * 3 * width, (row + 1) * 3 * width)
    const own = layerForward(recurrent, activation, parameters, before, 1)
    pass.recurrent.set(own, row * 3 * width)
    const after = pass.after.subarray(row * width, (row + 1) * width)
    for (let j = 0; j < width; j++) {
      const r = sigmoid(gates[j]! + own[j]!)
      const z = sigmoid(gates[width + j]! + own[width + j]!)
      const n = tanh(gates[2 * width + j]! + r * own[2 * width + j]!)
      gates[j] = r
      gates[width + j] = z
      gates[2 * width + j] = n
      after[j] = n + z * (before[j]! - n)
    }
    remembered = after
  }
  return pass
}

/**
 * Backward through the rows, the last first: turns the derivative by what each row remembers, as the heads have it, into
 * that by the cell's input, and adds its parameters' share to `gradients`. `dAfter` is overwritten.
 */
const cellBackward = (
  { input, recurrent }: MemoryLayers,
  activation: Activation,
  parameters: FloatArray,
  x: Float64Array,
  pass: CellPass,
  dAfter: Float64Array,
  rows: number,
  gradients: Float64Array
): Float64Array => {
  const width = recurrent.inputs
  const dGates = new Float64Array(rows * 3 * width)
  for (let row = rows - 1; row >= 0; row--) {
    const at = row * width
    const gate = row * 3 * width
    const dOwn = new Float64Array(3 * width)
    const dBefore = new Float64Array(width)
    for (let j = 0; j < width; j++) {
      const [r, z, n] = [0, 1, 2].map((k) => pass.gates[gate + k * width + j]!) as [number, number, number]
      const d = dAfter[at + j]!
      const dNew = d * (1 - z) * (1 - n * n)
      dGates[gate + j] = dNew * pass.recurrent[gate + 2 * width + j]! * r * (1 - r)
      dGates[gate + width + j] = d * (pass.before[at + j]! - n) * z * (1 - z)
      dGates[gate + 2 * width + j] = dNew
      dOwn[j] = dGates[gate + j]!
      dOwn[width + j] = dGates[gate + width + j]!
      dOwn[2 * width + j] = dNew * r
      dBefore[j] = d * z
    }
    const before = pass.before.subarray(at, at + width)
    const through = layerBackward(recurrent, activation, parameters, before, dOwn, dOwn, 1, gradients)
    if (row === 0 || pass.starts[row] === 1) continue
    for (let j = 0; j < width; j++) dAfter[at - width + j]! += dBefore[j]! + through[j]!
  }
  return layerBackward(input, activation, parameters, x, pass.gates, dGates, rows, gradients)
}

/**
 * What the policy's head and the value head give for a batch of observations.
 *
 * @param parameters the flat parameters, `layout.size` long
 * @param observations [rows][inputs]; of a policy that remembers, steps one after the other
 * @param remembered what such a policy remembers before them; left out: nothing
 */
export const forward = (
  layout: ParameterLayout,
  parameters: FloatArray,
  observations: FloatArray,
  remembered?: Remembered
): ForwardPass => {
  const { activation, inputs } = computed(layout.spec.encoder)
  const rows = observations.length / inputs
  const trunk = chainForward(layout.trunk, activation, parameters, Float64Array.from(observations), rows)
  const { memory } = layout
  const cell = memory === null
    ? null
    : cellForward(
      memory,
      activation,
      parameters,
      trunk.at(-1)!,
      rows,
      remembered ?? { state: new Float64Array(memory.recurrent.inputs), starts: [] }
    )
  const features = cell?.after ?? trunk.at(-1)!
  const actor = chainForward(layout.actor, activation, parameters, features, rows)
  const critic = chainForward(layout.critic, activation, parameters, features, rows)
  return { rows, outputs: actor.at(-1)!, values: critic.at(-1)!, trunk, cell, actor, critic }
}

/**
 * Backpropagation: the derivative of a loss with respect to every parameter, in flat order, from its derivative with
 * respect to outputs, values and free parameters. A shared trunk receives the sum of what both heads send down.
 *
 * @param parameters those of the forward pass
 * @param output the derivative by what the pass put out; left unchanged
 * @param gradients receives the result (what was there is lost); `layout.size` long
 */
export const backward = (
  layout: ParameterLayout,
  parameters: FloatArray,
  pass: ForwardPass,
  output: OutputGradients,
  gradients: Float64Array = new Float64Array(layout.size)
): Float64Array => {
  const { activation } = computed(layout.spec.encoder)
  const { rows } = pass
  gradients.fill(0)
  const dActor = chainBackward(layout.actor, activation, parameters, pass.actor, output.outputs, rows, gradients)
  const dCritic = chainBackward(
    layout.critic,
    activation,
    parameters,
    pass.critic,
    output.values,
    rows,
    gradients
  )
  if (layout.trunk.length > 0 || layout.memory !== null) {
    for (let k = 0; k < dActor.length; k++) dActor[k]! += dCritic[k]!
    const below = pass.trunk.at(-1)!
    const d = layout.memory === null || pass.cell === null
      ? dActor
      : cellBackward(layout.memory, activation, parameters, below, pass.cell, dActor, rows, gradients)
    chainBackward(layout.trunk, activation, parameters, pass.trunk, d, rows, gradients)
  }
  gradients.set(output.free, layout.free.at)
  return gradients
}

/** The kinds of encoders that are computed here: so far all. */
const computed = (encoder: EncoderSpec): MlpSpec | GruSpec => {
  switch (encoder.kind) {
    case "mlp":
    case "gru":
      return encoder
  }
}

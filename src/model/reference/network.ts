/**
 * The network itself, forwards and backwards, in readable float64: what the kernels are held to by tests, and what
 * computes where WebAssembly SIMD is missing.
 *
 * A network is chains of layers (see `ParameterLayout`): the trunk, and the actor's and the critic's chain on top of
 * it. Rows are independent; all arrays are row-major.
 */
import { type Activation, activations as functions } from "../policy/activations.ts"
import type { EncoderSpec, MlpSpec } from "../policy/Encoder.ts"
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
  readonly actor: Activations
  readonly critic: Activations
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

/**
 * What the policy's head and the value head give for a batch of observations.
 *
 * @param parameters the flat parameters, `layout.size` long
 * @param observations [rows][inputs]
 */
export const forward = (layout: ParameterLayout, parameters: FloatArray, observations: FloatArray): ForwardPass => {
  const { activation, inputs } = mlpOf(layout.spec.encoder)
  const rows = observations.length / inputs
  const trunk = chainForward(layout.trunk, activation, parameters, Float64Array.from(observations), rows)
  const actor = chainForward(layout.actor, activation, parameters, trunk.at(-1)!, rows)
  const critic = chainForward(layout.critic, activation, parameters, trunk.at(-1)!, rows)
  return { rows, outputs: actor.at(-1)!, values: critic.at(-1)!, trunk, actor, critic }
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
  const { activation } = mlpOf(layout.spec.encoder)
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
  if (layout.trunk.length > 0) {
    for (let k = 0; k < dActor.length; k++) dActor[k]! += dCritic[k]!
    chainBackward(layout.trunk, activation, parameters, pass.trunk, dActor, rows, gradients)
  }
  gradients.set(output.free, layout.free.at)
  return gradients
}

/** The kinds of encoders that are computed here: so far all. */
const mlpOf = (encoder: EncoderSpec): MlpSpec => {
  switch (encoder.kind) {
    case "mlp":
      return encoder
  }
}

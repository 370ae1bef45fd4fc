/** The network as operations on tensors: the forward pass, and the backward pass with the formulas of `reference/network.ts`. */
import type * as tfjs from "@tensorflow/tfjs-core"
import type { Activation } from "../policy/activations.ts"
import type { EncoderSpec, MlpSpec } from "../policy/Encoder.ts"
import type { Layer } from "../policy/Layer.ts"
import type { ParameterLayout } from "../policy/ParameterLayout.ts"

type Tensor = tfjs.Tensor
type Vector = tfjs.Tensor1D
type Matrix = tfjs.Tensor2D

/** Rows whose products WebGPU sums up in one piece. */
const sliceRows = 256

/** A layer's tensors, as slices of the flat parameters. */
interface LayerTensors {
  readonly layer: Layer
  /** `[in][out]` in hidden layers, `[out][in]` in heads. */
  readonly weight: Matrix
  readonly bias: Vector
}

/** The parameters as they are now, by each chain's layers. */
export interface LayersNow {
  readonly trunk: ReadonlyArray<LayerTensors>
  readonly actor: ReadonlyArray<LayerTensors>
  readonly critic: ReadonlyArray<LayerTensors>
}

/** An activation function, and its slope from what it put out. */
interface TensorActivation {
  readonly apply: (x: Matrix) => Matrix
  readonly slope: (y: Matrix) => Matrix
}

/** `one` is the number 1 on the device. */
const activationsOf = (
  tf: typeof tfjs,
  one: () => Tensor
): { readonly [Name in Activation]: TensorActivation } => ({
  tanh: { apply: (x) => tf.tanh(x), slope: (y) => tf.sub(one(), tf.square(y)) },
  // What ReLU gave is 0 or more, so that its sign is its derivative; tf.step takes 60 ms a time on CUDA.
  relu: { apply: (x) => tf.relu(x), slope: (y) => tf.sign(y) }
})

/** The encoders that are computed here, or why one is not. */
export const mlpOf = (encoder: EncoderSpec): MlpSpec | string => {
  switch (encoder.kind) {
    case "mlp":
      return encoder
    case "gru":
      return "a policy that remembers (gru) is not computed on this device; cpu and reference compute it"
  }
}

/** What each chain computes of some rows: `[0]` is its input, `[k]` the output of its k-th layer. */
export interface Activations {
  readonly trunk: ReadonlyArray<Matrix>
  readonly actor: ReadonlyArray<Matrix>
  readonly critic: ReadonlyArray<Matrix>
}

export interface TensorNetwork {
  readonly layersOf: (parameters: Vector) => LayersNow
  readonly forward: (layers: LayersNow, observations: Matrix) => Activations
  /** The gradient of the layers' parameters, in the order of the layout. */
  readonly backward: (
    layers: LayersNow,
    activations: Activations,
    dOutputs: Matrix,
    dValues: Matrix
  ) => ReadonlyArray<Vector>
}

/** `number` keeps a number on the device under a name. */
export const tensorNetworkOf = (
  tf: typeof tfjs,
  backend: string,
  number: (name: string, value: number) => tfjs.Scalar,
  network: MlpSpec,
  layout: ParameterLayout
): TensorNetwork => {
  const { apply, slope } = activationsOf(tf, () => number("one", 1))[network.activation]

  const chainOf = (flat: Vector, layers: ReadonlyArray<Layer>): ReadonlyArray<LayerTensors> =>
    layers.map((layer) => {
      const { bias, inputs, outputs, role, weight } = layer
      return {
        layer,
        weight: tf.reshape(
          tf.slice1d(flat, weight, inputs * outputs),
          role === "hidden" ? [inputs, outputs] : [outputs, inputs]
        ),
        bias: tf.slice1d(flat, bias, outputs)
      }
    })

  /** `[0]` is the chain's input, `[k]` the output of its k-th layer. */
  const chainForward = (layers: ReadonlyArray<LayerTensors>, input: Matrix): ReadonlyArray<Matrix> => {
    const activations = [input]
    for (const { bias, layer, weight } of layers) {
      const hidden = layer.role === "hidden"
      const y = tf.add<Matrix>(tf.matMul(activations.at(-1)!, weight, false, !hidden), bias)
      activations.push(hidden ? apply(y) : y)
    }
    return activations
  }

  /**
   * `aᵀ b`, which sums over the rows. Where that is all there is to divide, WebGPU's product has groups of threads add to the
   * same numbers in whatever order they come; instead the rows are divided here, and the sums added in order.
   */
  const overRows = (a: Matrix, b: Matrix): Matrix => {
    const [rows, m] = a.shape
    const [, n] = b.shape
    const tiles = Math.ceil(m / 32) * Math.ceil(n / 32)
    if (backend !== "webgpu" || rows < 2 * sliceRows || tiles > 32) return tf.matMul(a, b, true, false)
    const each = Math.max(sliceRows, Math.ceil(rows / 256))
    const slices = Math.floor(rows / each)
    const whole = slices * each
    const cut = (x: Matrix, width: number) =>
      tf.reshape<tfjs.Rank.R3>(whole === rows ? x : tf.slice2d(x, [0, 0], [whole, width]), [slices, each, width])
    const sums = tf.reshape<tfjs.Rank.R2>(
      tf.matMul(cut(a, m), cut(b, n), true, false),
      [slices, m * n]
    )
    const total = tf.reshape<tfjs.Rank.R2>(tf.matMul(tf.ones<tfjs.Rank.R2>([1, slices]), sums), [m, n])
    if (whole === rows) return total
    const rest = (x: Matrix, width: number) => tf.slice2d(x, [whole, 0], [rows - whole, width])
    return tf.add(total, tf.matMul(rest(a, m), rest(b, n), true, false))
  }

  /** Leaves the gradient of each layer's weight and bias in `into`; answers that of the chain's input, where it is asked for. */
  const chainBackward = (
    layers: ReadonlyArray<LayerTensors>,
    activations: ReadonlyArray<Matrix>,
    output: Matrix,
    inputToo: boolean,
    into: Map<Layer, readonly [weight: Matrix, bias: Vector]>
  ): Matrix => {
    let d = output
    for (let k = layers.length - 1; k >= 0; k--) {
      const { layer, weight } = layers[k]!
      const x = activations[k]!
      const y = activations[k + 1]!
      const hidden = layer.role === "hidden"
      if (hidden) d = tf.mul<Matrix>(d, slope(y))
      into.set(layer, [hidden ? overRows(x, d) : overRows(d, x), tf.sum(d, 0)])
      if (k > 0 || inputToo) d = tf.matMul(d, weight, false, hidden)
    }
    return d
  }

  return {
    layersOf: (parameters) => ({
      trunk: chainOf(parameters, layout.trunk),
      actor: chainOf(parameters, layout.actor),
      critic: chainOf(parameters, layout.critic)
    }),
    forward: (layers, observations) => {
      const trunk = chainForward(layers.trunk, observations)
      return {
        trunk,
        actor: chainForward(layers.actor, trunk.at(-1)!),
        critic: chainForward(layers.critic, trunk.at(-1)!)
      }
    },
    backward: (layers, { actor, critic, trunk }, dOutputs, dValues) => {
      const gradients = new Map<Layer, readonly [Matrix, Vector]>()
      const shared = layers.trunk.length > 0
      const dActor = chainBackward(layers.actor, actor, dOutputs, shared, gradients)
      const dCritic = chainBackward(layers.critic, critic, dValues, shared, gradients)
      if (shared) chainBackward(layers.trunk, trunk, tf.add(dActor, dCritic), false, gradients)
      return layout.layers.flatMap((layer) => {
        const [weight, bias] = gradients.get(layer)!
        return [tf.reshape<tfjs.Rank.R1>(weight, [-1]), bias]
      })
    }
  }
}

/**
 * A policy network as a LayersModel of TensorFlow.js: `model.json` and one file of weights beside it, for
 * `tf.loadLayersModel`. Its input is [batch, inputs], its outputs are `logits` [batch, actions] and `value` [batch, 1].
 * Where the policy normalizes observations, the model does it first. Pure; files are the caller's business.
 */
import { biasOf, weightOf } from "./namedTensors.ts"
import type { Activation } from "./policy/activations.ts"
import type { DistributionSpec } from "./policy/DistributionSpec.ts"
import type { EncoderSpec, MlpSpec } from "./policy/Encoder.ts"
import type { FloatArray, Layer } from "./policy/Layer.ts"
import { type Moments, normalClip, normalEpsilon } from "./policy/normalization.ts"
import { ParameterLayout } from "./policy/ParameterLayout.ts"
import type { PolicySpec } from "./policy/PolicySpec.ts"
import type { Tensor } from "./safetensors.ts"

/** The name of the file that `model.json` looks for beside it. */
export const weightsFile = "weights.bin"

/** The two files. */
export interface LayersModel {
  readonly json: string
  readonly weights: Uint8Array<ArrayBuffer>
}

/** The activation functions as Keras names them. */
const activationNames = { tanh: "tanh", relu: "relu" } as const satisfies { readonly [Name in Activation]: string }

/** What the policy's head is called: by what the distribution makes of it. */
const headNames = {
  categorical: "logits",
  "multi-categorical": "logits",
  bernoulli: "logits",
  "diagonal-gaussian": "mean"
} as const satisfies { readonly [Kind in DistributionSpec["kind"]]: string }

/** The encoders that can be written, or why one cannot. */
const mlpOf = (encoder: EncoderSpec): MlpSpec | string => {
  switch (encoder.kind) {
    case "mlp":
      return encoder
    case "gru":
      return "a LayersModel has no place for what a policy remembers (gru)"
  }
}

/** Why a policy cannot be written as a LayersModel; undefined where it can. */
export const obstacle = ({ encoder }: PolicySpec): string | undefined => {
  const found = mlpOf(encoder)
  return typeof found === "string" ? found : undefined
}

/**
 * Normalization as layers after `input`: Keras has no clipping but that of a ReLU from 0 on, so the numbers are shifted there
 * and back.
 */
const normalizing = ({ mean, variance, width }: Moments, weights: FloatArray, input: string) => {
  const layers = [
    {
      class_name: "BatchNormalization",
      config: { name: "normalized", epsilon: normalEpsilon, center: true, scale: false }
    },
    { class_name: "ReLU", config: { name: "clipped", max_value: 2 * normalClip } },
    { class_name: "Rescaling", config: { name: "seen", scale: 1, offset: -normalClip } }
  ]
  const tensor = (data: FloatArray): Tensor => ({ shape: [width], data: Float32Array.from(data) })
  return {
    layers: layers.map(({ class_name, config }, k) => ({
      class_name,
      config,
      name: config.name,
      inbound_nodes: [[[k === 0 ? input : layers[k - 1]!.config.name, 0, 0, {}]]]
    })),
    tensors: [
      ["normalized/beta", tensor(new Float32Array(width).fill(normalClip))],
      ["normalized/moving_mean", tensor(weights.subarray(mean, mean + width))],
      ["normalized/moving_variance", tensor(weights.subarray(variance, variance + width))]
    ] satisfies ReadonlyArray<readonly [name: string, tensor: Tensor]>
  }
}

/** The policy's files. `about` becomes the model's metadata. Throws where there is an `obstacle`. */
export const encode = (
  policy: PolicySpec,
  weights: FloatArray,
  about: Readonly<Record<string, string>> = {}
): LayersModel => {
  const layout = new ParameterLayout(policy)
  const encoder = mlpOf(policy.encoder)
  if (typeof encoder === "string") throw new TypeError(encoder)
  const { activation, inputs } = encoder
  const head = headNames[policy.distribution.kind]
  const layers: Array<unknown> = [{
    class_name: "InputLayer",
    config: { batch_input_shape: [null, inputs], dtype: "float32", sparse: false, name: "observation" },
    name: "observation",
    inbound_nodes: []
  }]
  const tensors: Array<readonly [name: string, tensor: Tensor]> = []
  const chain = (chain: ReadonlyArray<Layer>, input: string, output?: string): string => {
    let from = input
    for (const layer of chain) {
      const name = layer.role === "hidden" || output === undefined ? layer.name.replaceAll(".", "_") : output
      layers.push({
        class_name: "Dense",
        config: {
          units: layer.outputs,
          activation: layer.role === "hidden" ? activationNames[activation] : "linear",
          use_bias: true,
          name,
          trainable: true
        },
        name,
        inbound_nodes: [[[from, 0, 0, {}]]]
      })
      // A Dense layer of Keras keeps its weight as [in][out].
      tensors.push([`${name}/kernel`, weightOf(layer, weights, "in-out")], [
        `${name}/bias`,
        biasOf(layer, weights)
      ])
      from = name
    }
    return from
  }
  const observed = layout.statistics.find(({ name }) => name === "obs_rms")
  const first = observed === undefined ? undefined : normalizing(observed, weights, "observation")
  layers.push(...first?.layers ?? [])
  tensors.push(...first?.tensors ?? [])
  const trunk = chain(layout.trunk, first === undefined ? "observation" : "seen")
  chain(layout.actor, trunk, head)
  chain(layout.critic, trunk, "value")

  const bytes = new DataView(new ArrayBuffer(4 * tensors.reduce((sum, [, { data }]) => sum + data.length, 0)))
  let at = 0
  for (const [, { data }] of tensors) for (const value of data) bytes.setFloat32((at += 4) - 4, value, true)
  return {
    json: JSON.stringify({
      format: "layers-model",
      generatedBy: "troupe",
      convertedBy: null,
      modelTopology: {
        class_name: "Model",
        config: {
          name: "policy",
          layers,
          input_layers: [["observation", 0, 0]],
          output_layers: [[head, 0, 0], ["value", 0, 0]]
        },
        keras_version: "tfjs-layers 4.22.0",
        backend: "tensor_flow.js"
      },
      weightsManifest: [{
        paths: [weightsFile],
        weights: tensors.map(([name, { shape }]) => ({ name, shape, dtype: "float32" }))
      }],
      userDefinedMetadata: about
    }),
    weights: new Uint8Array(bytes.buffer)
  }
}

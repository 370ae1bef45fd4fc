/**
 * A policy network as an ONNX model (github.com/onnx/onnx, `onnx/onnx.proto`), which onnxruntime and many others run.
 *
 * Input `observation` [batch, inputs]; outputs `logits` [batch, actions] (the greedy action is the largest) and `value`
 * [batch, 1]. A policy that remembers also has an input `state` and an output `next_state` [batch, numbers remembered]: zeros
 * when an episode begins, then what came out of the step before. Parameters have PyTorch's names and its `[out][in]` order.
 * Where the policy normalizes observations, the graph does it first. Pure; files are the caller's business.
 */
import { biasOf, weightOf } from "./namedTensors.ts"
import type { Activation } from "./policy/activations.ts"
import { distributionOf, type DistributionSpec } from "./policy/DistributionSpec.ts"
import type { EncoderSpec, GruSpec, MemoryLayers, MlpSpec } from "./policy/Encoder.ts"
import type { FloatArray, Layer } from "./policy/Layer.ts"
import { normalClip, normalScale } from "./policy/normalization.ts"
import { ParameterLayout } from "./policy/ParameterLayout.ts"
import type { PolicySpec } from "./policy/PolicySpec.ts"
import * as protobuf from "./protobuf.ts"
import type { Tensor } from "./safetensors.ts"

const { bytes, integer, message, text } = protobuf

/** ONNX IR version 8 and operator set 13: of 2021, and read by everything since. */
const irVersion = 8
const operatorSet = 13

const float = 1

/** Little-endian float32, as `raw_data` wants them. */
const rawData = ({ data }: Tensor): Uint8Array => {
  const view = new DataView(new ArrayBuffer(data.length * 4))
  data.forEach((value, i) => view.setFloat32(i * 4, value, true))
  return new Uint8Array(view.buffer)
}

/** TensorProto: dims 1, data_type 2, name 8, raw_data 9. */
const initializer = (name: string, tensor: Tensor): protobuf.Bytes =>
  message(
    5,
    ...tensor.shape.map((n) => integer(1, n)),
    integer(2, float),
    text(8, name),
    bytes(9, rawData(tensor))
  )

/** NodeProto: input 1, output 2, name 3, op_type 4, attribute 5. */
const node = (operator: string, inputs: ReadonlyArray<string>, output: string, ...attributes: Array<protobuf.Bytes>) =>
  message(
    1,
    ...inputs.map((name) => text(1, name)),
    text(2, output),
    text(3, `${operator}:${output}`),
    text(4, operator),
    ...attributes
  )

/** y = x weightᵀ + bias. */
const gemm = ({ tensors }: Layer, input: string, output: string) =>
  node("Gemm", [input, tensors.weight, tensors.bias], output, integerAttribute("transB", 1))

/** A recurrent cell from its input and `state` to `next_state`: the formula of `reference/network.ts`. */
const cell = ({ input, recurrent }: MemoryLayers, from: string): ReadonlyArray<protobuf.Bytes> => {
  const half = (name: string, layer: Layer, x: string) => [
    gemm(layer, x, name),
    split(name, ["reset", "update", "new"].map((gate) => `${name}.${gate}`))
  ]
  return [
    ...half("gru.input", input, from),
    ...half("gru.recurrent", recurrent, "state"),
    ...["reset", "update"].flatMap((gate) => [
      node("Add", [`gru.input.${gate}`, `gru.recurrent.${gate}`], `gru.${gate}.sum`),
      node("Sigmoid", [`gru.${gate}.sum`], `gru.${gate}`)
    ]),
    node("Mul", ["gru.reset", "gru.recurrent.new"], "gru.remembered"),
    node("Add", ["gru.input.new", "gru.remembered"], "gru.new.sum"),
    node("Tanh", ["gru.new.sum"], "gru.new"),
    node("Sub", ["state", "gru.new"], "gru.change"),
    node("Mul", ["gru.update", "gru.change"], "gru.kept"),
    node("Add", ["gru.new", "gru.kept"], "next_state")
  ]
}

/** AttributeProto: name 1, i 3, type 20 (INT is 2). */
const integerAttribute = (name: string, value: number) => message(5, text(1, name), integer(3, value), integer(20, 2))

/** Cuts the columns of [batch, columns] into equal parts. */
const split = (input: string, outputs: ReadonlyArray<string>) =>
  message(
    1,
    text(1, input),
    ...outputs.map((name) => text(2, name)),
    text(3, `Split:${input}`),
    text(4, "Split"),
    integerAttribute("axis", 1)
  )

/** ValueInfoProto: name 1, type 2; in it tensor_type 1 { elem_type 1, shape 2 { dim 1 { dim_value 1, dim_param 2 } } }. */
const valueInfo = (field: number, name: string, width: number) =>
  message(
    field,
    text(1, name),
    message(
      2,
      message(
        1,
        integer(1, float),
        message(2, message(1, text(2, "batch")), message(1, integer(1, width)))
      )
    )
  )

/** The operators of the activation functions. */
const operators = { tanh: "Tanh", relu: "Relu" } as const satisfies { readonly [Name in Activation]: string }

/** What the policy's head is called: by what the distribution makes of it. */
const headNames = {
  categorical: "logits",
  "multi-categorical": "logits",
  bernoulli: "logits",
  "diagonal-gaussian": "mean"
} as const satisfies { readonly [Kind in DistributionSpec["kind"]]: string }

/** The encoders that can be written: so far all. */
const written = (encoder: EncoderSpec): MlpSpec | GruSpec => {
  switch (encoder.kind) {
    case "mlp":
    case "gru":
      return encoder
  }
}

/** The bytes of an `.onnx` file. `about` becomes the model's metadata. */
export const encode = (
  policy: PolicySpec,
  weights: FloatArray,
  about: Readonly<Record<string, string>> = {}
): Uint8Array<ArrayBuffer> => {
  const layout = new ParameterLayout(policy)
  const { activation, inputs } = written(policy.encoder)
  const head = headNames[policy.distribution.kind]
  const nodes: Array<protobuf.Bytes> = []
  const chain = (layers: ReadonlyArray<Layer>, input: string, output?: string): string => {
    let from = input
    for (const layer of layers) {
      const { name, role } = layer
      const sum = role === "hidden" || output === undefined ? name : output
      nodes.push(gemm(layer, from, sum))
      from = sum
      if (role !== "hidden") continue
      from = `${name}.out`
      nodes.push(node(operators[activation], [sum], from))
    }
    return from
  }
  const constants: Array<readonly [name: string, tensor: Tensor]> = []
  const constant = (name: string, shape: ReadonlyArray<number>, numbers: Iterable<number>): string => {
    constants.push([name, { shape, data: Float32Array.from(numbers) }])
    return name
  }
  /** What the layers see. */
  let seen = "observation"
  const observed = layout.statistics.find(({ name }) => name === "obs_rms")
  if (observed !== undefined) {
    const { mean, variance, width } = observed
    const center = constant("obs_rms.mean", [width], weights.subarray(mean, mean + width))
    const scale = constant(
      "obs_rms.scale",
      [width],
      Array.from(weights.subarray(variance, variance + width), normalScale)
    )
    nodes.push(
      node("Sub", [seen, center], "centered"),
      node("Mul", ["centered", scale], "scaled"),
      node(
        "Clip",
        ["scaled", constant("lowest", [], [-normalClip]), constant("highest", [], [normalClip])],
        "normalized"
      )
    )
    seen = "normalized"
  }
  const trunk = chain(layout.trunk, seen)
  const { memory } = layout
  if (memory !== null) nodes.push(...cell(memory, trunk))
  const features = memory === null ? trunk : "next_state"
  chain(layout.actor, features, head)
  chain(layout.critic, features, "value")
  const states = (field: number, name: string) =>
    memory === null ? [] : [valueInfo(field, name, memory.recurrent.inputs)]

  // ModelProto: ir_version 1, producer_name 2, graph 7, opset_import 8 { version 2 }, metadata_props 14 { key 1, value 2 }.
  return protobuf.encode(
    integer(1, irVersion),
    text(2, "troupe"),
    // GraphProto: node 1, name 2, initializer 5, input 11, output 12.
    message(
      7,
      ...nodes,
      text(2, "policy"),
      ...layout.layers.flatMap((layer) => [
        initializer(layer.tensors.weight, weightOf(layer, weights)),
        initializer(layer.tensors.bias, biasOf(layer, weights))
      ]),
      ...constants.map(([name, tensor]) => initializer(name, tensor)),
      valueInfo(11, "observation", inputs),
      ...states(11, "state"),
      valueInfo(12, head, distributionOf(policy.distribution).outputs),
      valueInfo(12, "value", 1),
      ...states(12, "next_state")
    ),
    message(8, integer(2, operatorSet)),
    ...Object.entries(about).map(([key, value]) => message(14, text(1, key), text(2, value)))
  )
}

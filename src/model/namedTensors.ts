/**
 * A network's parameters as tensors by PyTorch's names, in float32 and row-major order: what weight files hold. A weight
 * is `[out][in]`, a bias `[out]`.
 */
import * as Result from "effect/Result"
import { type FloatArray, type Layer, weightIndex } from "./policy/Layer.ts"
import { type ParameterLayout, ParameterMismatch } from "./policy/ParameterLayout.ts"
import type { Tensor } from "./safetensors.ts"

/** A layer's weight as `[out][in]`, or turned to `[in][out]`. */
export const weightOf = (layer: Layer, flat: FloatArray, order: "out-in" | "in-out" = "out-in"): Tensor => {
  const { inputs, outputs } = layer
  const data = new Float32Array(inputs * outputs)
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) {
      data[order === "out-in" ? o * inputs + i : i * outputs + o] = flat[weightIndex(layer, o, i)]!
    }
  }
  return { shape: order === "out-in" ? [outputs, inputs] : [inputs, outputs], data }
}

/** A layer's bias. */
export const biasOf = ({ bias, outputs }: Layer, flat: FloatArray): Tensor => ({
  shape: [outputs],
  data: Float32Array.from(flat.subarray(bias, bias + outputs))
})

/** All parameters, in flat order. */
export const toTensors = (layout: ParameterLayout, flat: FloatArray): Readonly<Record<string, Tensor>> => {
  const { at, length, name } = layout.free
  return Object.fromEntries([
    ...layout.layers.flatMap((layer) => [
      [`${layer.name}.weight`, weightOf(layer, flat)] as const,
      [`${layer.name}.bias`, biasOf(layer, flat)] as const
    ]),
    ...(length > 0
      ? [[name, { shape: [length], data: Float32Array.from(flat.subarray(at, at + length)) }] as const]
      : [])
  ])
}

/** The flat parameters. Fails where a tensor is missing, unknown, or of another shape. */
export const fromTensors = (
  layout: ParameterLayout,
  tensors: Readonly<Record<string, Tensor>>
): Result.Result<Float32Array<ArrayBuffer>, ParameterMismatch> => {
  const mismatch = (tensor: string, reason: string) => Result.fail(new ParameterMismatch({ tensor, reason }))
  const known = layout.shapes
  for (const [tensor, shape] of known) {
    const given = tensors[tensor]
    if (given === undefined) return mismatch(tensor, "missing")
    if (given.shape.join() !== shape.join()) {
      return mismatch(tensor, `expected the shape [${shape.join(", ")}], not [${given.shape.join(", ")}]`)
    }
  }
  const unknown = Object.keys(tensors).find((name) => !known.has(name))
  if (unknown !== undefined) {
    return mismatch(unknown, `this network has no such tensor; it has ${[...known.keys()].join(", ")}`)
  }
  const flat = new Float32Array(layout.size)
  for (const layer of layout.layers) {
    const { bias, inputs, name, outputs } = layer
    const weight = tensors[`${name}.weight`]!.data
    for (let o = 0; o < outputs; o++) {
      for (let i = 0; i < inputs; i++) flat[weightIndex(layer, o, i)] = weight[o * inputs + i]!
    }
    flat.set(tensors[`${name}.bias`]!.data, bias)
  }
  if (layout.free.length > 0) flat.set(tensors[layout.free.name]!.data, layout.free.at)
  return Result.succeed(flat)
}

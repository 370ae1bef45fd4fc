/**
 * A policy's weights as tensors by PyTorch's names, in float32 and row-major order: what weight files hold. A weight
 * is `[out][in]`, a bias `[out]`.
 */
import * as Result from "effect/Result"
import { type FloatArray, type Layer, weightIndex } from "./policy/Layer.ts"
import type { Moments } from "./policy/normalization.ts"
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

/** The three tensors of moments. */
const partsOf = ({ count, mean, name, variance, width }: Moments) => [
  { name: `${name}.mean`, at: mean, length: width },
  { name: `${name}.var`, at: variance, length: width },
  { name: `${name}.count`, at: count, length: 1 }
]

/** The statistics alone, in flat order: as Stable-Baselines3's `VecNormalize` names them. */
export const statisticsTensors = (layout: ParameterLayout, flat: FloatArray): Readonly<Record<string, Tensor>> =>
  Object.fromEntries(
    layout.statistics.flatMap(partsOf).map(({ at, length, name }) =>
      [name, { shape: [length], data: Float32Array.from(flat.subarray(at, at + length)) }] as const
    )
  )

/** All weights, in flat order. */
export const toTensors = (layout: ParameterLayout, flat: FloatArray): Readonly<Record<string, Tensor>> => {
  const { at, length, name } = layout.free
  return Object.fromEntries([
    ...layout.layers.flatMap((layer) => [
      [layer.tensors.weight, weightOf(layer, flat)] as const,
      [layer.tensors.bias, biasOf(layer, flat)] as const
    ]),
    ...(length > 0
      ? [[name, { shape: [length], data: Float32Array.from(flat.subarray(at, at + length)) }] as const]
      : []),
    ...Object.entries(statisticsTensors(layout, flat))
  ])
}

/** The flat weights. Fails where a tensor is missing, unknown, or of another shape, and where a variance is none. */
export const fromTensors = (
  layout: ParameterLayout,
  tensors: Readonly<Record<string, Tensor>>
): Result.Result<Float32Array<ArrayBuffer>, ParameterMismatch> => {
  const mismatch = (tensor: string, reason: string) => Result.fail(new ParameterMismatch({ tensor, reason }))
  const parts = layout.statistics.flatMap(partsOf)
  const known = new Map([...layout.shapes, ...parts.map(({ length, name }) => [name, [length]] as const)])
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
  const negative = parts.find(({ name }) => !name.endsWith(".mean") && tensors[name]!.data.some((value) => value < 0))
  if (negative !== undefined) return mismatch(negative.name, "it holds a negative number")
  const flat = new Float32Array(layout.weights)
  for (const layer of layout.layers) {
    const { bias, inputs, outputs } = layer
    const weight = tensors[layer.tensors.weight]!.data
    for (let o = 0; o < outputs; o++) {
      for (let i = 0; i < inputs; i++) flat[weightIndex(layer, o, i)] = weight[o * inputs + i]!
    }
    flat.set(tensors[layer.tensors.bias]!.data, bias)
  }
  if (layout.free.length > 0) flat.set(tensors[layout.free.name]!.data, layout.free.at)
  for (const { at, name } of parts) flat.set(tensors[name]!.data, at)
  return Result.succeed(flat)
}

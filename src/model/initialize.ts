/**
 * First weights, drawn from one random stream in flat order of layers (weight row by row as `[out][in]`, then bias),
 * so that a seed decides them to the last bit. Drawn in float64 and rounded once to float32.
 */
import type { Pcg64 } from "../random/Pcg64.ts"
import { type Layer, weightIndex } from "./policy/Layer.ts"
import { ParameterLayout } from "./policy/ParameterLayout.ts"
import type { PolicySpec } from "./policy/PolicySpec.ts"

/**
 * How first weights are drawn.
 *
 * - `orthogonal`: orthogonal weights with gain √2 in hidden layers, 0.01 in the actor's head, 1 in the critic's; biases
 *   are 0. As Stable-Baselines3 and CleanRL.
 * - `pytorch`: weights and biases uniform within ±1/√inputs, the default of `torch.nn.Linear`; in a recurrent cell within
 *   ±1/√width, the default of `torch.nn.GRUCell`.
 */
export type Initialization = "orthogonal" | "pytorch"

const gains: { readonly [Role in Layer["role"]]: number } = {
  hidden: Math.SQRT2,
  memory: 1,
  "actor-head": 0.01,
  "critic-head": 1
}

/** How each of them draws the numbers of one layer. */
const draws = {
  orthogonal: (flat, layer, random) => drawOrthogonal(flat, layer, random),
  pytorch: (flat, layer, random) => drawUniform(flat, layer, random)
} as const satisfies { readonly [Name in Initialization]: (flat: Float32Array, layer: Layer, random: Pcg64) => void }

/**
 * All parameters of a policy, in flat order. The stream moves on by what was drawn. A distribution's free parameters, the
 * logarithms of a Gaussian's deviations, begin at `logStd`; at 0, as in Stable-Baselines3, where nothing is said.
 */
export const initialParameters = (
  policy: PolicySpec,
  initialization: Initialization,
  random: Pcg64,
  logStd = 0
): Float32Array<ArrayBuffer> => {
  const layout = new ParameterLayout(policy)
  const flat = new Float32Array(layout.size)
  for (const layer of layout.layers) draws[initialization](flat, layer, random)
  const { at, length } = layout.free
  return flat.fill(logStd, at, at + length)
}

const drawUniform = (flat: Float32Array, layer: Layer, random: Pcg64): void => {
  // A cell has three gates of its width.
  const bound = 1 / Math.sqrt(layer.role === "memory" ? layer.outputs / 3 : layer.inputs)
  for (let o = 0; o < layer.outputs; o++) {
    for (let i = 0; i < layer.inputs; i++) flat[weightIndex(layer, o, i)] = random.uniform(-bound, bound)
  }
  for (let o = 0; o < layer.outputs; o++) flat[layer.bias + o] = random.uniform(-bound, bound)
}

const drawOrthogonal = (flat: Float32Array, layer: Layer, random: Pcg64): void => {
  const { inputs, outputs } = layer
  const normal = new Float64Array(outputs * inputs)
  for (let k = 0; k < normal.length; k++) normal[k] = random.standardNormal()
  // The shorter side's vectors become orthonormal: rows of a wide matrix, columns of a tall one.
  const wide = outputs <= inputs
  const vectors = Array.from(
    { length: Math.min(outputs, inputs) },
    (_, v) =>
      Float64Array.from(
        { length: Math.max(outputs, inputs) },
        (_, k) => normal[wide ? v * inputs + k : k * inputs + v]!
      )
  )
  orthonormalize(vectors)
  const gain = gains[layer.role]
  for (let o = 0; o < outputs; o++) {
    for (let i = 0; i < inputs; i++) flat[weightIndex(layer, o, i)] = gain * (wide ? vectors[o]![i]! : vectors[i]![o]!)
  }
}

/**
 * Orthonormalizes linearly independent vectors in place, in order, by modified Gram-Schmidt run twice (once loses
 * digits when vectors are nearly parallel). This is Q of the QR decomposition whose R has a positive diagonal: the sign
 * that `torch.nn.init.orthogonal_` fixes after a Householder QR, and what makes Q uniformly distributed.
 *
 * Saxe et al. 2014, *Exact solutions to the nonlinear dynamics of learning in deep linear neural networks*.
 */
export const orthonormalize = (vectors: ReadonlyArray<Float64Array>): void => {
  for (let v = 0; v < vectors.length; v++) {
    const vector = vectors[v]!
    for (let round = 0; round < 2; round++) {
      for (let u = 0; u < v; u++) {
        const other = vectors[u]!
        let projection = 0
        for (let k = 0; k < vector.length; k++) projection += vector[k]! * other[k]!
        for (let k = 0; k < vector.length; k++) vector[k]! -= projection * other[k]!
      }
    }
    let squares = 0
    for (let k = 0; k < vector.length; k++) squares += vector[k]! * vector[k]!
    const norm = Math.sqrt(squares)
    for (let k = 0; k < vector.length; k++) vector[k]! /= norm
  }
}

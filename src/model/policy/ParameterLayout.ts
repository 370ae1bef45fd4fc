/**
 * Where each number of a policy stands in one flat array.
 *
 * Everything that owns parameters (kernels, reference, optimizers, checkpoints) shares this one order, so that a whole
 * model is one typed array: actor hidden layers, actor head, critic hidden layers, critic head when the two have towers
 * of their own; trunk, recurrent cell where there is one, actor head, critic head when they share one; last the distribution's free parameters. Each layer
 * is its weight, then its bias, without padding. Hidden weights are stored `[in][out]` and heads `[out][in]`, which is
 * how the kernels read them fastest; `toNamed` and `fromNamed` translate to PyTorch's names and its `[out][in]` order.
 *
 * A policy that normalizes has the statistics for it behind its parameters: both together are its *weights*.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { distributionOf } from "./DistributionSpec.ts"
import { encoderOf, type MemoryLayers, type PolicyLayers } from "./Encoder.ts"
import { type FloatArray, type Layer, placing, weightIndex } from "./Layer.ts"
import { type Moments, momentsLength, momentsOf, unnormalized } from "./normalization.ts"
import type { PolicySpec } from "./PolicySpec.ts"

/** One tensor as PyTorch lists it: a bias is `[out]`, a weight `[out][in]`. */
export type Tensor = ReadonlyArray<number> | ReadonlyArray<ReadonlyArray<number>>

/** Parameters by PyTorch's names, as a JSON file keeps them. */
export const NamedParameters = Schema.Record(
  Schema.String,
  Schema.Union([Schema.Array(Schema.Number), Schema.Array(Schema.Array(Schema.Number))])
)
/** The decoded value of the schema of the same name. */
export type NamedParameters = typeof NamedParameters.Type

/** Named parameters that do not fit the network: which tensor, and what was expected. */
export class ParameterMismatch extends Schema.TaggedError<ParameterMismatch>()("ParameterMismatch", {
  tensor: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `${this.tensor}: ${this.reason}`
  }
}

/** Numbers that are learned but belong to no layer, such as the logarithms of a Gaussian's deviations. */
export interface FreeParameters {
  /** The name of their tensor, that of Stable-Baselines3's policies. */
  readonly name: "log_std"
  /** Index of the first number. */
  readonly at: number
  /** How many there are; 0: no such tensor. */
  readonly length: number
}

/**
 * The order of a policy's parameters in one flat array: the layers one after another, then the distribution's free
 * parameters.
 */
export class ParameterLayout implements PolicyLayers {
  readonly spec: PolicySpec
  readonly trunk: ReadonlyArray<Layer>
  readonly memory: MemoryLayers | null
  readonly actor: ReadonlyArray<Layer>
  readonly critic: ReadonlyArray<Layer>
  /** All layers, in flat order. */
  readonly layers: ReadonlyArray<Layer>
  readonly free: FreeParameters
  /** How many parameters the policy has: what is learned. */
  readonly size: number
  /** The statistics behind the parameters; none where nothing is normalized. */
  readonly statistics: ReadonlyArray<Moments>
  /** How many numbers the weights are: parameters and statistics. */
  readonly weights: number

  constructor(spec: PolicySpec) {
    this.spec = spec
    const { layer, size } = placing()
    const { freeParameters, outputs } = distributionOf(spec.distribution)
    const { actor, critic, memory, trunk } = encoderOf(spec.encoder).layers(outputs, layer)
    this.trunk = trunk
    this.memory = memory
    this.actor = actor
    this.critic = critic
    this.layers = [...trunk, ...(memory === null ? [] : [memory.input, memory.recurrent]), ...actor, ...critic]
    this.free = { name: "log_std", at: size(), length: freeParameters }
    this.size = size() + freeParameters
    const { inputs } = encoderOf(spec.encoder)
    this.statistics = momentsOf(spec.normalization ?? unnormalized, inputs, this.size)
    this.weights = this.size + momentsLength(spec.normalization ?? unnormalized, inputs)
  }

  /** The parameters by PyTorch's names, weights as `[out][in]`. */
  toNamed(flat: FloatArray): NamedParameters {
    const named: Record<string, Tensor> = {}
    for (const layer of this.layers) {
      named[layer.tensors.weight] = Array.from(
        { length: layer.outputs },
        (_, o) => Array.from({ length: layer.inputs }, (_, i) => flat[weightIndex(layer, o, i)]!)
      )
      named[layer.tensors.bias] = Array.from({ length: layer.outputs }, (_, o) => flat[layer.bias + o]!)
    }
    const { at, length, name } = this.free
    if (length > 0) named[name] = Array.from(flat.subarray(at, at + length))
    return named
  }

  /**
   * Writes named parameters into `flat` (length `size`) and answers it. Fails when a tensor is missing, unknown, or of
   * another shape; `flat` is then left as it was.
   */
  fromNamed<Flat extends FloatArray>(named: NamedParameters, flat: Flat): Result.Result<Flat, ParameterMismatch> {
    const known = this.shapes
    for (const tensor of Object.keys(named)) {
      if (!known.has(tensor)) {
        return mismatch(tensor, `this network has no such tensor; it has ${[...known.keys()].join(", ")}`)
      }
    }
    for (const [tensor, shape] of known) {
      const given = named[tensor]
      if (given === undefined) return mismatch(tensor, "missing")
      if (!hasShape(given, shape)) return mismatch(tensor, `expected the shape [${shape.join(", ")}]`)
    }
    for (const layer of this.layers) {
      const weight = named[layer.tensors.weight]!.flat()
      const bias = named[layer.tensors.bias]!.flat()
      for (let o = 0; o < layer.outputs; o++) {
        for (let i = 0; i < layer.inputs; i++) flat[weightIndex(layer, o, i)] = weight[o * layer.inputs + i]!
        flat[layer.bias + o] = bias[o]!
      }
    }
    flat.set((named[this.free.name] ?? []).flat(), this.free.at)
    return Result.succeed(flat)
  }

  /** The shape of each tensor by its name, in flat order. */
  get shapes(): ReadonlyMap<string, ReadonlyArray<number>> {
    return new Map([
      ...this.layers.flatMap(({ inputs, outputs, tensors }): Array<[string, ReadonlyArray<number>]> => [
        [tensors.weight, [outputs, inputs]],
        [tensors.bias, [outputs]]
      ]),
      ...(this.free.length > 0 ? [[this.free.name, [this.free.length]] as const] : [])
    ])
  }
}

const mismatch = (tensor: string, reason: string) => Result.fail(new ParameterMismatch({ tensor, reason }))

const hasShape = (tensor: Tensor, shape: ReadonlyArray<number>): boolean =>
  tensor.length === shape[0] &&
  tensor.every((row) => typeof row === "number" ? shape.length === 1 : shape.length === 2 && row.length === shape[1])

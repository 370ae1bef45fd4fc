/**
 * What a policy network looks like (`NetworkSpec`) and where each of its numbers stands in one flat array
 * (`ParameterLayout`).
 *
 * Everything that owns parameters (kernels, reference, optimizers, checkpoints) shares this one order, so that a whole
 * model is one typed array: actor hidden layers, actor head, critic hidden layers, critic head when the two are
 * separate; trunk, actor head, critic head when they share a trunk. Each layer is its weight, then its bias, without
 * padding. Hidden weights are stored `[in][out]` and heads `[out][in]`, which is how the kernels read them fastest;
 * `toNamed` and `fromNamed` translate to PyTorch's names and its `[out][in]` order.
 */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"

const Width = Schema.Int.check(Schema.isGreaterThanOrEqualTo(1))

/**
 * A multilayer perceptron with a policy head (one logit an action) and a value head (one number).
 *
 * `separate`: actor and critic are two networks with the same hidden widths. `shared`: both heads stand on one trunk.
 * `hidden` may be empty: both heads are then linear in the observation.
 */
export const NetworkSpec = Schema.Struct({
  kind: Schema.Literals(["separate", "shared"]),
  inputs: Width,
  actions: Width,
  hidden: Schema.Array(Width),
  activation: Schema.Literals(["tanh", "relu"])
})
/** The decoded value of the schema of the same name. */
export type NetworkSpec = typeof NetworkSpec.Type

/** An array of parameters or gradients: float32 in a run, float64 in the reference. */
export type FloatArray = Float32Array | Float64Array

/** One fully connected layer inside the flat array: `y[o] = bias[o] + Σᵢ weight[o, i] · x[i]`. */
export interface Layer {
  /** PyTorch's module name, such as `actor.0`; its tensors are `name.weight` and `name.bias`. */
  readonly name: string
  readonly role: "hidden" | "actor-head" | "critic-head"
  readonly inputs: number
  readonly outputs: number
  /** Index of the weight's first number. */
  readonly weight: number
  /** Index of the bias's first number. */
  readonly bias: number
  /** `weight[o, i]` stands at `weight + o * outputStride + i * inputStride`. */
  readonly outputStride: number
  readonly inputStride: number
}

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

/** Hands out consecutive places in the flat array. */
const placing = () => {
  let next = 0
  const layer = (name: string, role: Layer["role"], inputs: number, outputs: number): Layer => {
    const weight = next
    const bias = weight + inputs * outputs
    next = bias + outputs
    return role === "hidden"
      ? { name, role, inputs, outputs, weight, bias, outputStride: 1, inputStride: outputs }
      : { name, role, inputs, outputs, weight, bias, outputStride: inputs, inputStride: 1 }
  }
  return { layer, size: () => next }
}

/**
 * The order of a network's parameters in one flat array.
 *
 * An observation goes through `trunk`, and what comes out of it through `actor` and through `critic`; the last layer
 * of each of these two is a head. Separate networks have an empty trunk, networks with a shared trunk have nothing but
 * the heads above it.
 */
export class ParameterLayout {
  readonly spec: NetworkSpec
  readonly trunk: ReadonlyArray<Layer>
  readonly actor: ReadonlyArray<Layer>
  readonly critic: ReadonlyArray<Layer>
  /** All layers, in flat order. */
  readonly layers: ReadonlyArray<Layer>
  /** How many numbers the whole network has. */
  readonly size: number

  constructor(spec: NetworkSpec) {
    this.spec = spec
    const { layer, size } = placing()
    const hidden = (name: (index: number) => string): Array<Layer> =>
      spec.hidden.map((outputs, index) =>
        layer(name(index), "hidden", index === 0 ? spec.inputs : spec.hidden[index - 1]!, outputs)
      )
    const last = spec.hidden.at(-1) ?? spec.inputs
    if (spec.kind === "separate") {
      // torch.nn.Sequential counts the activations too: actor.0 is a layer, actor.1 its activation.
      const network = (name: string, role: Layer["role"], outputs: number) => [
        ...hidden((index) => `${name}.${2 * index}`),
        layer(`${name}.${2 * spec.hidden.length}`, role, last, outputs)
      ]
      this.trunk = []
      this.actor = network("actor", "actor-head", spec.actions)
      this.critic = network("critic", "critic-head", 1)
    } else {
      // One hidden layer is a plain `trunk`; a deeper trunk is a Sequential.
      this.trunk = hidden((index) => spec.hidden.length === 1 ? "trunk" : `trunk.${2 * index}`)
      this.actor = [layer("actor_head", "actor-head", last, spec.actions)]
      this.critic = [layer("critic_head", "critic-head", last, 1)]
    }
    this.layers = [...this.trunk, ...this.actor, ...this.critic]
    this.size = size()
  }

  /** The parameters by PyTorch's names, weights as `[out][in]`. */
  toNamed(flat: FloatArray): NamedParameters {
    const named: Record<string, Tensor> = {}
    for (const layer of this.layers) {
      named[`${layer.name}.weight`] = Array.from(
        { length: layer.outputs },
        (_, o) => Array.from({ length: layer.inputs }, (_, i) => flat[weightIndex(layer, o, i)]!)
      )
      named[`${layer.name}.bias`] = Array.from({ length: layer.outputs }, (_, o) => flat[layer.bias + o]!)
    }
    return named
  }

  /**
   * Writes named parameters into `flat` (length `size`) and answers it. Fails when a tensor is missing, unknown, or of
   * another shape; `flat` is then left as it was.
   */
  fromNamed<Flat extends FloatArray>(named: NamedParameters, flat: Flat): Result.Result<Flat, ParameterMismatch> {
    const known = new Map(
      this.layers.flatMap((layer) => [
        [`${layer.name}.weight`, [layer.outputs, layer.inputs]],
        [`${layer.name}.bias`, [layer.outputs]]
      ])
    )
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
      const weight = named[`${layer.name}.weight`]!.flat()
      const bias = named[`${layer.name}.bias`]!.flat()
      for (let o = 0; o < layer.outputs; o++) {
        for (let i = 0; i < layer.inputs; i++) flat[weightIndex(layer, o, i)] = weight[o * layer.inputs + i]!
        flat[layer.bias + o] = bias[o]!
      }
    }
    return Result.succeed(flat)
  }
}

/** Where `weight[output, input]` of a layer stands in the flat array. */
export const weightIndex = (layer: Layer, output: number, input: number): number =>
  layer.weight + output * layer.outputStride + input * layer.inputStride

const mismatch = (tensor: string, reason: string) => Result.fail(new ParameterMismatch({ tensor, reason }))

const hasShape = (tensor: Tensor, shape: ReadonlyArray<number>): boolean =>
  tensor.length === shape[0] &&
  tensor.every((row) => typeof row === "number" ? shape.length === 1 : shape.length === 2 && row.length === shape[1])

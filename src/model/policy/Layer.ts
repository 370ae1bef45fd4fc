/** One fully connected layer of a policy, and where its numbers stand in the flat array of all parameters. */

/** An array of parameters or gradients: float32 in a run, float64 in the reference. */
export type FloatArray = Float32Array | Float64Array

/** A layer inside the flat array: `y[o] = bias[o] + Σᵢ weight[o, i] · x[i]`. */
export interface Layer {
  /** PyTorch's module name, such as `actor.0`. */
  readonly name: string
  /** PyTorch's names of its weight and its bias: `actor.0.weight`. */
  readonly tensors: { readonly weight: string; readonly bias: string }
  /** `memory`: one of the two layers that the gates of a recurrent cell are made from. */
  readonly role: "hidden" | "memory" | "actor-head" | "critic-head"
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

/** Where `weight[output, input]` of a layer stands in the flat array. */
export const weightIndex = (layer: Layer, output: number, input: number): number =>
  layer.weight + output * layer.outputStride + input * layer.inputStride

/** Gives a layer the next numbers of the flat array. `suffix` ends the names of its tensors. */
export type PlaceLayer = (
  name: string,
  role: Layer["role"],
  inputs: number,
  outputs: number,
  suffix?: string
) => Layer

/** Whether a weight is stored `[in][out]`; else it is `[out][in]`. */
export const isInputMajor = ({ role }: Pick<Layer, "role">): boolean => role === "hidden" || role === "memory"

/** Hands out consecutive parts of a flat array; `size` is how many numbers were handed out. */
export const placing = (): { readonly layer: PlaceLayer; readonly size: () => number } => {
  let next = 0
  return {
    layer: (name, role, inputs, outputs, suffix = "") => {
      const weight = next
      const bias = weight + inputs * outputs
      next = bias + outputs
      const tensors = { weight: `${name}.weight${suffix}`, bias: `${name}.bias${suffix}` }
      return isInputMajor({ role })
        ? { name, tensors, role, inputs, outputs, weight, bias, outputStride: 1, inputStride: outputs }
        : { name, tensors, role, inputs, outputs, weight, bias, outputStride: inputs, inputStride: 1 }
    },
    size: () => next
  }
}

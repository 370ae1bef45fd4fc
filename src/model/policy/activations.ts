/**
 * The activation functions of hidden layers, in float64: each with its slope, told from what it put out. Whatever
 * computes a network (kernels, devices, exports) has a table of its own with an entry for each of them.
 */
import * as Schema from "effect/Schema"
import { tanh } from "../../math/index.ts"

/** The names of the activation functions. */
export const Activation = Schema.Literals(["tanh", "relu"])
/** The decoded value of the schema of the same name. */
export type Activation = typeof Activation.Type

/** An activation function y = f(x). */
export interface ActivationFunction {
  readonly apply: (x: number) => number
  /** f′(x), where f(x) = y. */
  readonly slope: (y: number) => number
}

/** The functions by name. ReLU's slope at 0 is 0, as in PyTorch. */
export const activations = {
  tanh: { apply: tanh, slope: (y) => 1 - y * y },
  relu: { apply: (x) => Math.max(0, x), slope: (y) => y > 0 ? 1 : 0 }
} as const satisfies { readonly [Name in Activation]: ActivationFunction }

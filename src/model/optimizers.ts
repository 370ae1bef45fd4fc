/**
 * Adam and RMSProp in PyTorch's form, gradient clipping and the learning-rate schedules.
 *
 * An optimizer is a specification (plain data, part of a configuration) and a state (numbers and plain arrays, part of
 * a checkpoint). Arithmetic is double throughout; float32 parameters are rounded once, when they are written. Nothing
 * here takes a power: the corrections of Adam's first steps are running products, kept in the state, so a resumed run
 * has them to the last bit.
 */
import * as Schema from "effect/Schema"
import type { FloatArray } from "./policy/Layer.ts"

const Fraction = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))
/** A decay of 1 would never learn: Adam's corrections would divide by 0. */
const Decay = Schema.Finite.check(Schema.isGreaterThanOrEqualTo(0), Schema.isLessThan(1))
const Positive = Schema.Finite.check(Schema.isGreaterThan(0))

/** Adam's constants. PyTorch's defaults: β₁ 0.9, β₂ 0.999, ε 1e-8. */
export const AdamSpec = Schema.Struct({
  kind: Schema.Literal("adam"),
  beta1: Decay,
  beta2: Decay,
  epsilon: Positive
})
/** The decoded value of the schema of the same name. */
export type AdamSpec = typeof AdamSpec.Type

/** RMSProp's constants. PyTorch's defaults: α 0.99, ε 1e-8 outside the root; TensorFlow's form has it inside. */
export const RmsPropSpec = Schema.Struct({
  kind: Schema.Literal("rmsprop"),
  alpha: Fraction,
  epsilon: Positive,
  /** Left out: outside. */
  epsilonPlacement: Schema.optionalKey(Schema.Literals(["outside", "inside"]))
})
/** The decoded value of the schema of the same name. */
export type RmsPropSpec = typeof RmsPropSpec.Type

/** Which optimizer, and its constants. */
export const OptimizerSpec = Schema.Union([AdamSpec, RmsPropSpec])
/** The decoded value of the schema of the same name. */
export type OptimizerSpec = typeof OptimizerSpec.Type

/** PyTorch's defaults for Adam. */
export const adam: AdamSpec = { kind: "adam", beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }
/** PyTorch's defaults for RMSProp. */
export const rmsProp: RmsPropSpec = { kind: "rmsprop", alpha: 0.99, epsilon: 1e-8 }

/** What an optimizer remembers, by name: with it, and its specification, another goes on to the same bits. */
export interface OptimizerState {
  /** One number a parameter each. */
  readonly arrays: Readonly<Record<string, FloatArray>>
  scalars: Readonly<Record<string, number>>
}

/** An optimizer of given constants. */
export interface Optimizer {
  /** The names of the arrays it remembers; all begin at 0. */
  readonly arrays: ReadonlyArray<string>
  /** The single numbers it remembers, as they begin. */
  readonly scalars: Readonly<Record<string, number>>
  /**
   * One update of `parameters` (in place) and of the state.
   *
   * @param gradients of the same length as `parameters`; unchanged
   * @param learningRate step size; its schedule is the caller's
   */
  readonly apply: (
    state: OptimizerState,
    parameters: FloatArray,
    gradients: FloatArray,
    learningRate: number
  ) => void
}

/** The optimizer of a specification. */
export const optimizerOf = (spec: OptimizerSpec): Optimizer => {
  switch (spec.kind) {
    case "adam":
      return adamOf(spec)
    case "rmsprop":
      return rmsPropOf(spec)
  }
}

/** The state before the first update. The default arrays are float64; give others to keep it elsewhere. */
export const initialOptimizerState = (
  spec: OptimizerSpec,
  size: number,
  allocate: (length: number) => FloatArray = (length) => new Float64Array(length)
): OptimizerState => {
  const { arrays, scalars } = optimizerOf(spec)
  return { arrays: Object.fromEntries(arrays.map((name) => [name, allocate(size)])), scalars }
}

/** Whether a saved state is one of this optimizer, for so many parameters. */
export const fitsOptimizer = (spec: OptimizerSpec, size: number, saved: OptimizerState): boolean => {
  const { arrays, scalars } = optimizerOf(spec)
  return sameNames(arrays, Object.keys(saved.arrays)) && sameNames(Object.keys(scalars), Object.keys(saved.scalars)) &&
    Object.values(saved.arrays).every(({ length }) => length === size)
}

const sameNames = (some: ReadonlyArray<string>, others: ReadonlyArray<string>): boolean =>
  some.length === others.length && some.every((name) => others.includes(name))

/** One update of `parameters` and of the state; see `Optimizer.apply`. */
export const applyOptimizer = (
  spec: OptimizerSpec,
  state: OptimizerState,
  parameters: FloatArray,
  gradients: FloatArray,
  learningRate: number
): void => optimizerOf(spec).apply(state, parameters, gradients, learningRate)

/**
 * Adam: m ← β₁ m + (1 − β₁) g, v ← β₂ v + (1 − β₂) g², θ ← θ − η/(1 − β₁ᵗ) · m / (√v / √(1 − β₂ᵗ) + ε).
 *
 * Kingma and Ba 2015, *Adam: A Method for Stochastic Optimization*, algorithm 1, in the form of `torch.optim.Adam`.
 */
const adamOf = ({ beta1, beta2, epsilon }: AdamSpec): Optimizer => ({
  arrays: ["mean", "square"],
  // β₁ᵗ and β₂ᵗ after t updates, multiplied up update by update.
  scalars: { beta1Product: 1, beta2Product: 1 },
  apply: (state, parameters, gradients, learningRate) => {
    const mean = state.arrays["mean"]!
    const square = state.arrays["square"]!
    const beta1Product = state.scalars["beta1Product"]! * beta1
    const beta2Product = state.scalars["beta2Product"]! * beta2
    state.scalars = { beta1Product, beta2Product }
    const stepSize = learningRate / (1 - beta1Product)
    const rootCorrection = Math.sqrt(1 - beta2Product)
    for (let k = 0; k < parameters.length; k++) {
      const g = gradients[k]!
      const m = mean[k]! + (1 - beta1) * (g - mean[k]!)
      const v = beta2 * square[k]! + (1 - beta2) * g * g
      mean[k] = m
      square[k] = v
      parameters[k] = parameters[k]! - stepSize * (m / (Math.sqrt(v) / rootCorrection + epsilon))
    }
  }
})

/**
 * RMSProp: s ← α s + (1 − α) g², θ ← θ − η g / (√s + ε), or with ε inside the root θ ← θ − η g / √(s + ε).
 *
 * Tieleman and Hinton 2012, *Neural Networks for Machine Learning*, lecture 6.5, in the form of `torch.optim.RMSprop`
 * (no momentum, not centered). Stable-Baselines3's `RMSpropTFLike` is ε inside and a `square` that begins at 1.
 */
const rmsPropOf = ({ alpha, epsilon, epsilonPlacement = "outside" }: RmsPropSpec): Optimizer => {
  const inside = epsilonPlacement === "inside" ? epsilon : 0
  const outside = epsilonPlacement === "outside" ? epsilon : 0
  return {
    arrays: ["square"],
    scalars: {},
    apply: (state, parameters, gradients, learningRate) => {
      const square = state.arrays["square"]!
      for (let k = 0; k < parameters.length; k++) {
        const g = gradients[k]!
        const s = alpha * square[k]! + (1 - alpha) * g * g
        square[k] = s
        parameters[k] = parameters[k]! - learningRate * (g / (Math.sqrt(s + inside) + outside))
      }
    }
  }
}

/** √Σ gₖ², summed in flat order. */
export const gradientNorm = (gradients: FloatArray): number => {
  let squares = 0
  for (let k = 0; k < gradients.length; k++) squares += gradients[k]! * gradients[k]!
  return Math.sqrt(squares)
}

/**
 * Scales the gradients (in place) so that their global norm is at most `maxGradNorm`: by min(1, maxGradNorm / (norm + 1e-6)),
 * as `torch.nn.utils.clip_grad_norm_`. A `maxGradNorm` of 0 never clips.
 *
 * @returns the norm before clipping
 */
export const clipGradientNorm = (gradients: FloatArray, maxGradNorm: number): number => {
  const norm = gradientNorm(gradients)
  const coefficient = maxGradNorm / (norm + 1e-6)
  if (maxGradNorm > 0 && coefficient < 1) { for (let k = 0; k < gradients.length; k++) gradients[k]! *= coefficient }
  return norm
}

/**
 * The linear learning-rate schedule: from `initial` at progress 0 to `final` at progress 1 (and from there on).
 *
 * @param progress the share of the run that is done, such as environment steps over their total
 */
export const linearSchedule = (initial: number, final: number, progress: number): number =>
  initial + (final - initial) * Math.min(1, Math.max(0, progress))

/**
 * What a policy draws its actions from. A distribution says how many numbers it takes of the policy's head, what an
 * action is, and everything that acting and learning need of it; no loss and no encoder knows which one it is.
 *
 * The functions here are the float64 reference, one row at a time. Kernels and devices compute the same, each with a
 * table of its own that has an entry for each kind (`DistributionSpec.ts`).
 */
import type { Pcg64 } from "../../random/Pcg64.ts"
import type { FloatArray } from "./Layer.ts"

/** The numbers of one action: `action.width` of them. */
export type ActionArray = Int32Array | FloatArray

/**
 * A distribution over actions. `parameters` are what one row's distribution is made from: the `outputs` numbers of the
 * policy's head, then the `freeParameters` numbers that are the same for all rows.
 */
export interface Distribution {
  /** Numbers the policy's head gives. */
  readonly outputs: number
  /** Numbers that are learned but do not depend on the observation; they stand last in the flat parameters. */
  readonly freeParameters: number
  /** Numbers of a mask, which says of each output whether what it stands for is legal; 0: there are no masks. */
  readonly masks: number
  readonly action: { readonly type: "int32" | "float32"; readonly width: number }
  /** Draws an action. */
  readonly sample: (parameters: FloatArray, random: Pcg64, into: ActionArray) => void
  /** The most likely action; of equals the first. */
  readonly mode: (parameters: FloatArray, into: ActionArray) => void
  /** log p(action), in nats; for continuous actions the logarithm of the density. */
  readonly logProbability: (parameters: FloatArray, action: ArrayLike<number>) => number
  /** Entropy in nats; for continuous actions the differential entropy. */
  readonly entropy: (parameters: FloatArray) => number
  /**
   * Backpropagation: writes dLogProbability · ∂log p(action)/∂parameters + dEntropy · ∂H/∂parameters, the only thing
   * that a loss needs of a distribution.
   */
  readonly gradient: (
    parameters: FloatArray,
    action: ArrayLike<number>,
    dLogProbability: number,
    dEntropy: number,
    into: Float64Array
  ) => void
}

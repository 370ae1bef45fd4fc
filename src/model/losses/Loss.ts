/**
 * What a loss is: from what is known of a row (its log-probability, entropy and value now, and what acting left behind)
 * the derivative of the loss with respect to the first three. A loss knows neither the distribution nor the network:
 * `policy/Distribution.ts` takes the derivatives on to the head's outputs, a backward pass from there to the parameters.
 *
 * Sums over rows are kept in one array, `Statistic` says where; a loss adds its own after the common ones.
 */

/** What a loss reads of one step. */
export interface LossRow {
  /** log π(a|s) now, and as it was when the policy acted. */
  logProbability: number
  behaviorLogProbability: number
  entropy: number
  /** V(s) now, and as it was when the policy acted. */
  value: number
  behaviorValue: number
  /** What weighs the policy gradient; a constant. */
  advantage: number
  /** What the value is drawn to. */
  return: number
}

/** The derivative of one row's loss by the log-probability, the entropy and the value. */
export interface LossRowDerivative {
  logProbability: number
  entropy: number
  value: number
}

/** A loss that is a sum over rows, each by itself. */
export interface RowLoss {
  readonly scope: "row"
  /** Writes the derivative of the row's loss, and adds its policy and value term and its own statistics to `sums`. */
  readonly row: (row: LossRow, derivative: LossRowDerivative, sums: Float64Array) => void
}

/** What a loss along a fragment reads of n consecutive steps of one episode. */
export interface LossFragment {
  /** [n] */
  readonly logProbabilities: Float64Array
  /** [n] */
  readonly entropies: Float64Array
  /** [n + 1]; the last is of the observation that followed the last step. */
  readonly values: Float64Array
  /** [n] */
  readonly rewards: Float64Array
  /** Whether the last step ended its episode: the value that follows it then counts 0. */
  readonly terminated: boolean
}

/** The derivative of a fragment's loss: [n], [n] and [n + 1]. */
export interface LossFragmentDerivative {
  readonly logProbabilities: Float64Array
  readonly entropies: Float64Array
  readonly values: Float64Array
}

/** A loss in which steps next to each other have to do with one another. */
export interface FragmentLoss {
  readonly scope: "fragment"
  /** Writes the derivative of the sum over the rows, and adds the rows' terms to `sums`. */
  readonly rows: (fragment: LossFragment, derivative: LossFragmentDerivative, sums: Float64Array) => void
}

/** Where the sums over the rows stand, before any coefficient; `Statistic.count` float64 numbers. */
export const Statistic = {
  policyLoss: 0,
  valueLoss: 1,
  entropy: 2,
  /** log p(action) */
  logProbability: 3,
  /** What the value is drawn to: the return, or reward + gamma · next value. */
  target: 4,
  targetSquared: 5,
  /** target − value */
  error: 6,
  rows: 7,
  /** The first of those that a loss has for itself. */
  own: 8,
  /** How many there are. */
  count: 16
} as const

/** Adds to one of the sums. */
export const addTo = (sums: Float64Array, statistic: number, x: number): void => {
  sums[statistic] = sums[statistic]! + x
}

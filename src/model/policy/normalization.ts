/**
 * Observations and rewards brought to about mean 0 and deviation 1 by what was seen so far: running means and variances, as
 * Stable-Baselines3's `VecNormalize` has them. They are part of the weights: a policy means something only together with
 * the statistics it has learned under. They lie behind the parameters, and nothing differentiates them.
 *
 * An observation is seen as clip((x − mean) / √(var + 1e-8)), number by number; a reward is paid as clip(r / √(var + 1e-8)),
 * the variance being that of the discounted return so far. Both are clipped to ±10.
 */
import * as Schema from "effect/Schema"
import type { FloatArray } from "./Layer.ts"

/** What is normalized; a policy that does not say normalizes nothing. */
export const NormalizationSpec = Schema.Struct({ observations: Schema.Boolean, rewards: Schema.Boolean })
/** The decoded value of the schema of the same name. */
export type NormalizationSpec = typeof NormalizationSpec.Type

/** Nothing is. */
export const unnormalized: NormalizationSpec = { observations: false, rewards: false }

/** Normalized numbers lie within ± this. */
export const normalClip = 10

/** Added to a variance before its root is taken. */
export const normalEpsilon = 1e-8

/** How much the beginning, mean 0 and variance 1, weighs: as so many observations. */
const firstCount = 1e-4

/** Mean and variance of `width` numbers and how many of each were seen: 2 · width + 1 numbers next to each other. */
export interface Moments {
  /** What Stable-Baselines3 calls it; its numbers are `name.mean`, `name.var` and `name.count`. */
  readonly name: "obs_rms" | "ret_rms"
  readonly width: number
  /** Indices of the first mean, the first variance, and the count. */
  readonly mean: number
  readonly variance: number
  readonly count: number
}

const momentsAt = (name: Moments["name"], width: number, at: number): Moments => ({
  name,
  width,
  mean: at,
  variance: at + width,
  count: at + 2 * width
})

/** The moments that are kept of so many inputs, one after the other from index `at` on. */
export const momentsOf = (
  { observations, rewards }: NormalizationSpec,
  inputs: number,
  at = 0
): ReadonlyArray<Moments> => [
  ...(observations ? [momentsAt("obs_rms", inputs, at)] : []),
  ...(rewards ? [momentsAt("ret_rms", 1, at + (observations ? 2 * inputs + 1 : 0))] : [])
]

/** How many numbers all of them are. */
export const momentsLength = (spec: NormalizationSpec, inputs: number): number =>
  momentsOf(spec, inputs).reduce((sum, { width }) => sum + 2 * width + 1, 0)

/** Writes what is taken for known before anything was seen: mean 0, variance 1. */
export const beginMoments = (into: FloatArray, all: ReadonlyArray<Moments>): void => {
  for (const { count, mean, variance, width } of all) {
    into.fill(0, mean, mean + width)
    into.fill(1, variance, variance + width)
    into[count] = firstCount
  }
}

/**
 * Joins two of them: `into` is then the moments of all numbers of both. Chan, Golub and LeVeque 1979, "Updating formulae and
 * a pairwise algorithm for computing sample variances".
 */
export const mergeMoments = (
  into: Float64Array,
  from: Float64Array,
  { count, mean, variance, width }: Moments
): void => {
  const before = into[count]!
  const more = from[count]!
  if (more === 0) return
  const total = before + more
  for (let k = 0; k < width; k++) {
    const delta = from[mean + k]! - into[mean + k]!
    const squares = into[variance + k]! * before + from[variance + k]! * more + delta * delta * before * more / total
    into[mean + k] = into[mean + k]! + delta * more / total
    into[variance + k] = squares / total
  }
  into[count] = total
}

/**
 * Takes one more vector into moments that began as zeros; until `endMoments` the variances are sums of squares. Welford
 * 1962, "Note on a method for calculating corrected sums of squares and products".
 */
export const addToMoments = (
  into: Float64Array,
  { count, mean, variance, width }: Moments,
  numbers: ArrayLike<number>
): void => {
  const n = into[count]! + 1
  into[count] = n
  for (let k = 0; k < width; k++) {
    const x = numbers[k]!
    const delta = x - into[mean + k]!
    const now = into[mean + k]! + delta / n
    into[mean + k] = now
    into[variance + k] = into[variance + k]! + delta * (x - now)
  }
}

/** What was added becomes means and variances. */
export const endMoments = (into: Float64Array, { count, variance, width }: Moments): void => {
  const n = into[count]!
  if (n === 0) return
  for (let k = 0; k < width; k++) into[variance + k] = into[variance + k]! / n
}

/** What a difference from the mean is multiplied by. */
export const normalScale = (variance: number): number => 1 / Math.sqrt(variance + normalEpsilon)

const clipped = (value: number): number => Math.max(-normalClip, Math.min(normalClip, value))

/** A scaled reward: its mean stays. */
export const normalReward = (reward: number, scale: number): number => clipped(reward * scale)

/** How observations are seen under some statistics. Kept, and told of others from time to time: allocates nothing then. */
export class ObservationScale {
  private readonly moments: Moments
  private readonly mean: Float64Array
  private readonly scale: Float64Array

  constructor(moments: Moments) {
    this.moments = moments
    this.mean = new Float64Array(moments.width)
    this.scale = new Float64Array(moments.width)
  }

  /** Takes up the statistics of these weights. */
  take(weights: FloatArray): void {
    const { mean, variance, width } = this.moments
    for (let k = 0; k < width; k++) {
      this.mean[k] = weights[mean + k]!
      this.scale[k] = normalScale(weights[variance + k]!)
    }
  }

  /** Writes what is seen of `raw`, which may be `into` itself. */
  see(raw: ArrayLike<number>, into: FloatArray): void {
    const { mean, scale } = this
    for (let k = 0; k < mean.length; k++) into[k] = clipped((raw[k]! - mean[k]!) * scale[k]!)
  }
}

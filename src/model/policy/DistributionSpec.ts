/** The kinds of distributions there are, as plain data, and what each of them is. */
import * as Schema from "effect/Schema"
import { bernoulli } from "./bernoulli.ts"
import { categorical } from "./categorical.ts"
import { diagonalGaussian } from "./diagonalGaussian.ts"
import type { Distribution } from "./Distribution.ts"
import { Width } from "./Encoder.ts"
import { multiCategorical } from "./multiCategorical.ts"

/** One of `n` actions, numbered from 0; the head gives a logit for each. */
export const CategoricalSpec = Schema.Struct({ kind: Schema.Literal("categorical"), n: Width })
/** The decoded value of the schema of the same name. */
export type CategoricalSpec = typeof CategoricalSpec.Type

/** Several choices at once, choice k among `nvec[k]` actions; the head gives the logits of all of them, one after another. */
export const MultiCategoricalSpec = Schema.Struct({
  kind: Schema.Literal("multi-categorical"),
  nvec: Schema.Array(Width).check(Schema.isMinLength(1))
})
/** The decoded value of the schema of the same name. */
export type MultiCategoricalSpec = typeof MultiCategoricalSpec.Type

/** `n` independent choices between 0 and 1; the head gives a logit for each. */
export const BernoulliSpec = Schema.Struct({ kind: Schema.Literal("bernoulli"), n: Width })
/** The decoded value of the schema of the same name. */
export type BernoulliSpec = typeof BernoulliSpec.Type

/** `dims` real numbers; the head gives their means, the logarithms of their deviations are free parameters. */
export const DiagonalGaussianSpec = Schema.Struct({ kind: Schema.Literal("diagonal-gaussian"), dims: Width })
/** The decoded value of the schema of the same name. */
export type DiagonalGaussianSpec = typeof DiagonalGaussianSpec.Type

/** Which distribution, and its sizes: plain data, part of a policy file. */
export const DistributionSpec = Schema.Union([
  CategoricalSpec,
  MultiCategoricalSpec,
  BernoulliSpec,
  DiagonalGaussianSpec
])
/** The decoded value of the schema of the same name. */
export type DistributionSpec = typeof DistributionSpec.Type

/** The distribution of a spec. */
export const distributionOf = (spec: DistributionSpec): Distribution => {
  switch (spec.kind) {
    case "categorical":
      return categorical(spec.n)
    case "multi-categorical":
      return multiCategorical(spec.nvec)
    case "bernoulli":
      return bernoulli(spec.n)
    case "diagonal-gaussian":
      return diagonalGaussian(spec.dims)
  }
}

/** The kinds of distributions there are, as plain data, and what each of them is. */
import * as Schema from "effect/Schema"
import { categorical } from "./categorical.ts"
import type { Distribution } from "./Distribution.ts"
import { Width } from "./Encoder.ts"

/** One of `n` actions, numbered from 0; the head gives a logit for each. */
export const CategoricalSpec = Schema.Struct({ kind: Schema.Literal("categorical"), n: Width })
/** The decoded value of the schema of the same name. */
export type CategoricalSpec = typeof CategoricalSpec.Type

/** Which distribution, and its sizes: plain data, part of a policy file. */
export const DistributionSpec = Schema.Union([CategoricalSpec])
/** The decoded value of the schema of the same name. */
export type DistributionSpec = typeof DistributionSpec.Type

/** The distribution of a spec. */
export const distributionOf = (spec: DistributionSpec): Distribution => {
  switch (spec.kind) {
    case "categorical":
      return categorical(spec.n)
  }
}

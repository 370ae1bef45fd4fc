/**
 * What a policy is: an encoder of observations and a distribution over actions, with a value head beside it; and what of
 * its observations and rewards is normalized first.
 */
import * as Schema from "effect/Schema"
import * as SchemaGetter from "effect/SchemaGetter"
import { DistributionSpec } from "./DistributionSpec.ts"
import { EncoderSpec, MlpSpec, Width } from "./Encoder.ts"
import { NormalizationSpec } from "./normalization.ts"

/** Encoder, distribution and normalization, as plain data. */
export const PolicySpec = Schema.Struct({
  encoder: EncoderSpec,
  distribution: DistributionSpec,
  /** Left out: nothing. */
  normalization: Schema.optionalKey(NormalizationSpec)
})
/** The decoded value of the schema of the same name. */
export type PolicySpec = typeof PolicySpec.Type

/** The sizes of a multilayer perceptron that chooses one of `actions` actions. */
export type CategoricalMlp = Omit<MlpSpec, "kind"> & { readonly actions: number }

/** The usual policy of a discrete space, from its sizes. */
export const categoricalMlp = ({ actions, ...sizes }: CategoricalMlp): PolicySpec => ({
  encoder: { kind: "mlp", ...sizes },
  distribution: { kind: "categorical", n: actions }
})

/** How policy files up to 0.1 describe what is now a multilayer perceptron and a categorical distribution. */
const NetworkSpec = Schema.Struct({
  kind: MlpSpec.fields.towers,
  inputs: Width,
  actions: Width,
  hidden: MlpSpec.fields.hidden,
  activation: MlpSpec.fields.activation
})

/** Reads the description of a policy that files up to 0.1 have. */
export const PolicySpecOfNetwork = NetworkSpec.pipe(
  Schema.decodeTo(PolicySpec, {
    decode: SchemaGetter.transform(({ kind, ...sizes }) => categoricalMlp({ towers: kind, ...sizes })),
    encode: SchemaGetter.forbidden(() => "files are written in the form of today")
  })
)

/** `learner.json`: both notebooks' networks, and what PyTorch made of them in float64. */
import * as Result from "effect/Result"
import * as Schema from "effect/Schema"
import { NamedParameters, ParameterLayout } from "../../src/model/policy/ParameterLayout.ts"
import { type CategoricalMlp, categoricalMlp } from "../../src/model/policy/PolicySpec.ts"
import { recorded } from "./recorded.ts"

const Numbers = Schema.Array(Schema.Finite)
const LearnerCase = Schema.Struct({
  kind: Schema.Literals(["separate", "shared"]),
  learning_rate: Schema.Finite,
  adam: Schema.Struct({ beta1: Schema.Finite, beta2: Schema.Finite, epsilon: Schema.Finite }),
  initial: NamedParameters,
  observations: Schema.Array(Numbers),
  actions: Schema.Array(Schema.Int),
  returns: Numbers,
  rewards: Numbers,
  updates: Schema.Array(Schema.Struct({
    loss: Schema.Finite,
    policy_loss: Schema.Finite,
    value_loss: Schema.Finite,
    entropy: Schema.optionalKey(Schema.Finite),
    gradients: Schema.optionalKey(NamedParameters),
    after: Schema.optionalKey(NamedParameters)
  }))
})
export type LearnerCase = typeof LearnerCase.Type

const LearnerFile = Schema.Struct({
  hidden: Schema.Int,
  gamma: Schema.Finite,
  entropy_coef: Schema.Finite,
  cases: Schema.Array(LearnerCase)
})

/** The file, where the folder of recorded data has it. */
export const learnerFile = recorded("learner.json", LearnerFile)

/** The sizes of a case's network: one hidden layer of ReLU; all widths are read off the data. */
export const sizesOf = (learnerCase: LearnerCase): CategoricalMlp => {
  const head = learnerCase.kind === "separate" ? "actor.2.bias" : "actor_head.bias"
  const first = learnerCase.kind === "separate" ? "actor.0.bias" : "trunk.bias"
  return {
    towers: learnerCase.kind,
    inputs: learnerCase.observations[0]!.length,
    actions: learnerCase.initial[head]!.length,
    hidden: [learnerCase.initial[first]!.length],
    activation: "relu"
  }
}

/** The layout of a case's network. */
export const layoutOf = (learnerCase: LearnerCase): ParameterLayout =>
  new ParameterLayout(categoricalMlp(sizesOf(learnerCase)))

/** Named parameters in flat order. */
export const flatten = (layout: ParameterLayout, named: NamedParameters): Float64Array =>
  Result.getOrThrow(layout.fromNamed(named, new Float64Array(layout.size)))

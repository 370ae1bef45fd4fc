/** `distributions.json`: log-probabilities, entropies, modes and gradients as PyTorch computed them in float64. */
import * as Schema from "effect/Schema"
import type { DistributionSpec } from "../../src/model/policy/DistributionSpec.ts"
import { recorded } from "./recorded.ts"

const Numbers = Schema.Array(Schema.Finite)
const Rows = Schema.Array(Numbers)
const common = {
  parameters: Schema.Array(Rows),
  log_prob: Numbers,
  entropy: Numbers,
  weights_log_prob: Numbers,
  weights_entropy: Numbers,
  gradients: Schema.Array(Rows)
}
const DistributionCase = Schema.Union([
  Schema.Struct({ kind: Schema.Literal("categorical"), n: Schema.Int, mode: Numbers, actions: Numbers, ...common }),
  Schema.Struct({
    kind: Schema.Literal("multi_categorical"),
    nvec: Schema.Array(Schema.Int),
    mode: Rows,
    actions: Rows,
    ...common
  }),
  Schema.Struct({ kind: Schema.Literal("bernoulli"), n: Schema.Int, mode: Rows, actions: Rows, ...common }),
  Schema.Struct({ kind: Schema.Literal("diagonal_gaussian"), n: Schema.Int, mode: Rows, actions: Rows, ...common })
])
export type DistributionCase = typeof DistributionCase.Type

/** The file, where the folder of recorded data has it. */
export const distributionsFile = recorded(
  "distributions.json",
  Schema.Struct({ cases: Schema.Array(DistributionCase) })
)

/** The distribution of a case. */
export const specOf = (given: DistributionCase): DistributionSpec => {
  switch (given.kind) {
    case "categorical":
      return { kind: "categorical", n: given.n }
    case "multi_categorical":
      return { kind: "multi-categorical", nvec: given.nvec }
    case "bernoulli":
      return { kind: "bernoulli", n: given.n }
    case "diagonal_gaussian":
      return { kind: "diagonal-gaussian", dims: given.n }
  }
}

/** What a case says of each row; numbers of an action stand in an array. */
export const rowsOf = (given: DistributionCase) =>
  given.log_prob.map((logProbability, row) => ({
    parameters: given.parameters.flatMap((parameter) => parameter[row]!),
    action: [given.actions[row]!].flat(),
    mode: [given.mode[row]!].flat(),
    logProbability,
    entropy: given.entropy[row]!,
    dLogProbability: given.weights_log_prob[row]!,
    dEntropy: given.weights_entropy[row]!,
    gradient: given.gradients.flatMap((gradient) => gradient[row]!)
  }))

/** A case's name in a test. */
export const nameOf = (given: DistributionCase): string =>
  `${given.kind} ${given.kind === "multi_categorical" ? given.nvec.join("-") : given.n}`

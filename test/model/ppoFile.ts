/** `ppo.json`: learners with the clipped surrogate, and what PyTorch made of them in float64. */
import * as Schema from "effect/Schema"
import { NamedParameters } from "../../src/model/policy/ParameterLayout.ts"
import type { PolicySpec } from "../../src/model/policy/PolicySpec.ts"
import { recorded } from "./recorded.ts"

const Numbers = Schema.Array(Schema.Finite)
const PpoCase = Schema.Struct({
  name: Schema.String,
  network: Schema.Literals(["separate", "shared"]),
  actions: Schema.Literals(["discrete", "continuous"]),
  inputs: Schema.Int,
  outputs: Schema.Int,
  hidden: Schema.Array(Schema.Int),
  activation: Schema.Literals(["tanh", "relu"]),
  learning_rate: Schema.Finite,
  adam: Schema.Struct({ beta1: Schema.Finite, beta2: Schema.Finite, epsilon: Schema.Finite }),
  clip_range: Schema.Finite,
  value_clip: Schema.NullOr(Schema.Finite),
  normalise: Schema.Literals(["sample", "none"]),
  entropy_coef: Schema.Finite,
  value_coef: Schema.Finite,
  max_grad_norm: Schema.Finite,
  initial: NamedParameters,
  observations: Schema.Array(Numbers),
  taken: Schema.Union([Schema.Array(Schema.Finite), Schema.Array(Numbers)]),
  old_log_probs: Numbers,
  old_values: Numbers,
  advantages: Numbers,
  returns: Numbers,
  updates: Schema.Array(Schema.Struct({
    rows: Schema.Array(Schema.Int),
    loss: Schema.Finite,
    policy_loss: Schema.Finite,
    value_loss: Schema.Finite,
    entropy: Schema.Finite,
    approx_kl: Schema.Finite,
    clip_fraction: Schema.Finite,
    grad_norm: Schema.Finite,
    gradients: Schema.optionalKey(NamedParameters),
    after: Schema.optionalKey(NamedParameters)
  }))
})
export type PpoCase = typeof PpoCase.Type

/** The file, where the folder of recorded data has it. */
export const ppoFile = recorded("ppo.json", Schema.Struct({ cases: Schema.Array(PpoCase) }))

/** The policy of a case. */
export const policyOf = ({ actions, activation, hidden, inputs, network, outputs }: PpoCase): PolicySpec => ({
  encoder: { kind: "mlp", towers: network, inputs, hidden, activation },
  distribution: actions === "discrete"
    ? { kind: "categorical", n: outputs }
    : { kind: "diagonal-gaussian", dims: outputs }
})

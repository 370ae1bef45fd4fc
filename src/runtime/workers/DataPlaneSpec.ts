/** The sizes that decide where a run's data lies. They are handed to every worker, which lays its memory out by them. */
import * as Schema from "effect/Schema"
import { momentsLength, NormalizationSpec } from "../../model/policy/normalization.ts"

const Count = Schema.Int.check(Schema.isGreaterThanOrEqualTo(0))

/** The sizes that decide the layout. */
export const DataPlaneSpec = Schema.Struct({
  /** Environments, one slot each. */
  slots: Count,
  /** Steps a fragment may hold. */
  steps: Count,
  /** Numbers of one observation as the network sees it. */
  inputs: Count,
  /** Numbers that the policy's head gives. */
  actions: Count,
  /** Numbers of an action, and whether they are real numbers. */
  actionWidth: Count,
  continuous: Schema.Boolean,
  /** Numbers of an action mask; 0: actions are not masked. */
  masks: Count,
  /** Numbers that the policy remembers of an environment; 0: it remembers nothing. */
  memory: Count,
  /** float64 numbers of an environment's state. */
  stateSize: Count,
  /** Parameters of the policy network. */
  parameters: Count,
  /** What is normalized: the statistics for it lie behind the parameters. */
  normalization: NormalizationSpec,
  /** Bytes of the kernels' network descriptor. */
  descriptorBytes: Count,
  /** EnvWorkers, one region to compute in each. */
  workers: Count,
  /** Bytes the kernels need for what a worker computes. */
  workspaceBytes: Count,
  /** Weights a worker keeps a copy of: all of them where it works at its own pace, none where all work in step. */
  pulled: Count,
  /** Bytes that acting leaves of a row for its gradient, where they are kept; 0: they are computed again. */
  activationBytes: Count,
  /** Environments whose gradients are summed together. */
  unit: Schema.Int.check(Schema.isGreaterThanOrEqualTo(1)),
  /** Parameters a worker computes gradients of: all, or none where experience travels. */
  gradient: Count,
  /** The most iterations that the workers take by themselves in one piece of work; 0: the trainer has a part in each. */
  stretch: Count,
  /** Bytes of a replica of the Learner, where there are stretches. */
  replicaBytes: Count
})
export type DataPlaneSpec = typeof DataPlaneSpec.Type

/** How many numbers the statistics behind the parameters are. */
export const statisticsLength = ({ inputs, normalization }: Pick<DataPlaneSpec, "inputs" | "normalization">): number =>
  momentsLength(normalization, inputs)

/** How many numbers a version of the weights is: parameters, and the statistics behind them. */
export const weightsLength = (spec: Pick<DataPlaneSpec, "inputs" | "normalization" | "parameters">): number =>
  spec.parameters + statisticsLength(spec)

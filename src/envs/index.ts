/** Worlds and spaces: Gymnasium's contract, typed. Stands on its own: knows nothing of actors or models. */
export { CartPoleV0, CartPoleV1 } from "./cartpole/CartPole.ts"
export { renderAnsi, renderEpisodeSvg, renderSvg } from "./cartpole/rendering.ts"
export { check, type CheckOptions, Finding } from "./check.ts"
export {
  Environment,
  EnvironmentSnapshot,
  type EnvironmentSpec,
  InvalidAction,
  InvalidSeed,
  ResetNeeded,
  type ResetOptions,
  type ResetResult,
  SnapshotMismatch,
  type StepResult
} from "./Environment.ts"
export {
  definitionProblem,
  type Dynamics,
  type EnvironmentDefinition,
  InvalidDefinition,
  isDefinition,
  type JsonRecord,
  type Transition
} from "./EnvironmentDefinition.ts"
export { EnvironmentFault, stepFault } from "./EnvironmentFault.ts"
export { EnvironmentNotLoaded, environmentReference, loadEnvironment } from "./loadEnvironment.ts"
export { Registry, UnknownEnvironment } from "./Registry.ts"
export * from "./spaces/index.ts"
export { TimeLimit } from "./wrappers/TimeLimit.ts"
export { TransformObservation } from "./wrappers/TransformObservation.ts"
export { TransformReward } from "./wrappers/TransformReward.ts"

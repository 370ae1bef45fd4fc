/** Worlds and spaces: Gymnasium's contract, typed. Stands on its own: knows nothing of actors or models. */
export { AcrobotV1 } from "./acrobot/Acrobot.ts"
export { BlackjackV1 } from "./blackjack/Blackjack.ts"
export { CartPoleV0, CartPoleV1 } from "./cartpole/CartPole.ts"
export { renderAnsi, renderEpisodeSvg, renderSvg } from "./cartpole/rendering.ts"
export { check, type CheckOptions, Finding } from "./check.ts"
export { CliffWalkingSlipperyV1, CliffWalkingV1 } from "./cliffwalking/CliffWalking.ts"
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
export { type FlatDynamics, type FlatOutcome, fromFlat } from "./FlatDynamics.ts"
export { FrozenLake8x8V1, FrozenLakeV1 } from "./frozenlake/FrozenLake.ts"
export { EnvironmentNotLoaded, environmentReference, loadEnvironment } from "./loadEnvironment.ts"
export { MountainCarV0 } from "./mountaincar/MountainCar.ts"
export { MountainCarContinuousV0 } from "./mountaincar/MountainCarContinuous.ts"
export {
  type Configurable,
  type EnvironmentOption,
  type EnvironmentOptions,
  InvalidOption,
  withOptions
} from "./options.ts"
export { PendulumV1 } from "./pendulum/Pendulum.ts"
export { Registry, UnknownEnvironment } from "./Registry.ts"
export * from "./spaces/index.ts"
export { TaxiV4 } from "./taxi/Taxi.ts"
export { VectorEnvironment } from "./VectorEnvironment.ts"
export { ClipAction } from "./wrappers/ClipAction.ts"
export { ClipReward, type ClipRewardOptions } from "./wrappers/ClipReward.ts"
export { InvalidWrapper } from "./wrappers/derive.ts"
export { FlattenObservation, OneHotObservation } from "./wrappers/FlattenObservation.ts"
export { FrameStackObservation, type FrameStackObservationOptions } from "./wrappers/FrameStackObservation.ts"
export { MaxAndSkipObservation, type MaxAndSkipObservationOptions } from "./wrappers/MaxAndSkipObservation.ts"
export { UnknownWrapper, wrapNamed, wrapperNames } from "./wrappers/namedWrappers.ts"
export { NormalizeObservation, type NormalizeObservationOptions } from "./wrappers/NormalizeObservation.ts"
export { NormalizeReward, type NormalizeRewardOptions } from "./wrappers/NormalizeReward.ts"
export { RecordEpisodeStatistics, type RecordEpisodeStatisticsOptions } from "./wrappers/RecordEpisodeStatistics.ts"
export { RescaleAction, type RescaleActionOptions } from "./wrappers/RescaleAction.ts"
export { RescaleObservation, type RescaleObservationOptions } from "./wrappers/RescaleObservation.ts"
export type { Bound } from "./wrappers/rescaling.ts"
export { StickyAction, type StickyActionOptions } from "./wrappers/StickyAction.ts"
export { TimeAwareObservation, type TimeAwareObservationOptions } from "./wrappers/TimeAwareObservation.ts"
export { TimeLimit } from "./wrappers/TimeLimit.ts"
export { TransformAction } from "./wrappers/TransformAction.ts"
export { TransformObservation } from "./wrappers/TransformObservation.ts"
export { TransformReward } from "./wrappers/TransformReward.ts"

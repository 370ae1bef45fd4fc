/**
 * Troupe: supervised actors, environments, and learning that gives the same weights however it is laid out.
 *
 * This module is what a training program needs. The rooms stand on their own too: `troupe/actors`, `troupe/envs`,
 * `troupe/model`, `troupe/random`, `troupe/simulation`.
 */
export { ActorSystem } from "./actors/ActorSystem.ts"
export { Environment, type EnvironmentDefinition } from "./envs/index.ts"
export { Device, type DeviceFault, type DeviceName, DeviceUnavailable } from "./model/Device.ts"
export { ArrivalLog, Arrivals } from "./runtime/arrivals/Arrivals.ts"
export { CheckpointKeeper, resumeFrom } from "./runtime/checkpoint/Checkpoints.ts"
export * as checkpoint from "./runtime/checkpoint/RunState.ts"
export { ConfigError, type PartialConfig, resolve } from "./runtime/config/configSources.ts"
export { presets } from "./runtime/config/presets.ts"
export { CurrentConfig, RunConfig } from "./runtime/config/RunConfig.ts"
export { Seed } from "./runtime/config/Seed.ts"
export { type Evaluation, Evaluator } from "./runtime/evaluation/Evaluator.ts"
export { Policy } from "./runtime/evaluation/Policy.ts"
export { initialWeights } from "./runtime/learning/initialWeights.ts"
export { Learner, type LearnReport } from "./runtime/learning/Learner.ts"
export { RunEvent } from "./runtime/monitoring/RunEvent.ts"
export { RunEvents, RunMonitor, RunOrigin } from "./runtime/monitoring/RunMonitor.ts"
export { type PassOrder, type Plan, UpdatePlan } from "./runtime/plan/UpdatePlan.ts"
export { type Replacements, Run, type RunError, type RunSetupError, weightsHash } from "./runtime/Run.ts"
export {
  type DecidedSpace,
  simulationEnvironment,
  type SimulationEnvironmentOptions
} from "./runtime/simulations/simulationEnvironment.ts"
export { DataPlane } from "./runtime/workers/DataPlane.ts"
export type { Fragment } from "./runtime/workers/dataPlaneLayout.ts"
export { EnvFault, EnvWorker, EnvWorkerBehavior } from "./runtime/workers/EnvWorker.ts"
export { EnvWorkerGroup } from "./runtime/workers/EnvWorkerGroup.ts"
export { type Experience, type ExperienceBatch, ExperienceListener } from "./runtime/workers/Experience.ts"

/**
 * Troupe: supervised actors, environments, and learning that gives the same weights however it is laid out.
 *
 * This module is what a training program needs. The rooms stand on their own too: `troupe/actors`, `troupe/envs`,
 * `troupe/model`, `troupe/random`.
 */
export { ActorSystem } from "./actors/ActorSystem.ts"
export { Environment, type EnvironmentDefinition } from "./envs/index.ts"
export { Device, type DeviceFault, type DeviceName, DeviceUnavailable } from "./model/Device.ts"
export { ArrivalLog, Arrivals } from "./runtime/Arrivals.ts"
export * as checkpoint from "./runtime/checkpoint/RunState.ts"
export { CheckpointKeeper, resumeFrom } from "./runtime/Checkpoints.ts"
export { ConfigError, type PartialConfig, resolve } from "./runtime/configSources.ts"
export { DataPlane } from "./runtime/DataPlane.ts"
export { EnvFault, EnvWorker, EnvWorkerBehavior } from "./runtime/EnvWorker.ts"
export { EnvWorkerGroup } from "./runtime/EnvWorkerGroup.ts"
export { type Evaluation, Evaluator } from "./runtime/Evaluator.ts"
export { Learner, type LearnReport } from "./runtime/Learner.ts"
export { Policy } from "./runtime/Policy.ts"
export { presets } from "./runtime/presets.ts"
export { Run, type RunError, type RunSetupError, weightsHash } from "./runtime/Run.ts"
export { CurrentConfig, RunConfig } from "./runtime/RunConfig.ts"
export { RunEvent } from "./runtime/RunEvent.ts"
export { RunEvents, RunMonitor, RunOrigin } from "./runtime/RunMonitor.ts"
export { Seed } from "./runtime/Seed.ts"

/**
 * Actors with supervision, across fibers, threads, processes and machines: `troupe/actors`. It knows nothing of learning and stands alone.
 *
 * Read `Actor.ts` (what an actor is), `ActorSystem.ts` (how a program gets some), `Supervision.ts` (what happens when one
 * dies), then `Guardian.ts`, which is where nothing is lost.
 */
export * as Actor from "./Actor.ts"
export type { ActorRef, AnyRef, AskOptions } from "./ActorRef.ts"
export {
  type ActorInfo,
  ActorSystem,
  type Asking,
  type Ended,
  type EndedActor,
  type MessageInHand,
  type ProcessSystemOptions,
  type RunnerSystemOptions,
  type SpawnOptions,
  type SystemOptions,
  type ThreadSystemOptions
} from "./ActorSystem.ts"
export { Death } from "./Death.ts"
export * from "./errors.ts"
export * as Fault from "./Fault.ts"
export * as ActorHost from "./hosts/ActorHost.ts"
export * as Runner from "./hosts/Runner.ts"
export * as Inspection from "./inspection/Inspection.ts"
export { LifecycleEvent } from "./LifecycleEvent.ts"
export * as HandOvers from "./links/HandOvers.ts"
export type { Command, HostLink, LinkEvents, OpenLink, Report, TimerChange } from "./links/HostLink.ts"
export { type RunnerAddress, RunnerDirectory } from "./links/RunnerDirectory.ts"
export * as ObjectStore from "./messages/ObjectStore.ts"
export * as Shared from "./messages/Shared.ts"
export type { Answered, Observer } from "./Observer.ts"
export type { Placement } from "./Placement.ts"
export type { Self, TimerOptions } from "./Self.ts"
export * as Supervision from "./Supervision.ts"

/** The entry of a host thread or process: serves EnvWorkers to the actor system that started it, and first loadings. */
import * as ActorHost from "../../actors/hosts/ActorHost.ts"
import { EnvironmentTrialBehavior } from "./EnvironmentTrial.ts"
import { EnvWorkerBehavior } from "./EnvWorker.ts"
import { buildId } from "./hostEntry.ts"

ActorHost.launch([EnvWorkerBehavior, EnvironmentTrialBehavior], { buildId })

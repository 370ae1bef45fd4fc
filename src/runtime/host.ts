/** The entry of a host thread or process: serves EnvWorkers to the actor system that started it, and first loadings. */
import * as ActorHost from "../actors/hosts/ActorHost.ts"
import * as Replica from "./stretches/Replica.ts"
import { EnvironmentTrialBehavior } from "./workers/EnvironmentTrial.ts"
import { EnvWorkerBehavior } from "./workers/EnvWorker.ts"
import { buildId } from "./workers/hostEntry.ts"

ActorHost.launch([EnvWorkerBehavior, EnvironmentTrialBehavior], { buildId, layer: Replica.layer })

/** The entry of a host thread: serves EnvWorkers to the actor system that started it. */
import * as ActorHost from "../../actors/hosts/ActorHost.ts"
import { EnvWorkerBehavior } from "./EnvWorker.ts"
import { buildId } from "./hostEntry.ts"

ActorHost.launch([EnvWorkerBehavior], { buildId })

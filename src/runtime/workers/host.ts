/**
 * The entry of a host thread or process: serves EnvWorkers to the actor system that started it, and first loadings. Where a
 * runner started it, it serves whoever the runner lets in: EnvWorkers of the environments that the runner offers, alone.
 */
import * as Layer from "effect/Layer"
import * as ActorHost from "../../actors/hosts/ActorHost.ts"
import * as ProcessLink from "../../actors/links/ProcessLink.ts"
import { EnvironmentTrialBehavior } from "./EnvironmentTrial.ts"
import { EnvWorkerBehavior } from "./EnvWorker.ts"
import { buildId } from "./hostEntry.ts"
import { decodeOffers, Offers } from "./offers.ts"

const offers = decodeOffers(ProcessLink.toldBy(process.argv))
if (offers === null) ActorHost.launch([EnvWorkerBehavior, EnvironmentTrialBehavior], { buildId })
else ActorHost.launch([EnvWorkerBehavior], { buildId, layer: Layer.succeed(Offers, offers) })

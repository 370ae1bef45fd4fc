/**
 * The entry of a host that a runner has started, for whoever the runner lets in: EnvWorkers of the environments and shares of
 * the simulations that the runner offers, alone.
 */
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as ActorHost from "../../actors/hosts/ActorHost.ts"
import * as ProcessLink from "../../actors/links/ProcessLink.ts"
import { ModelSource, type Rejections, SimulationHostBehavior } from "../../simulation/hosts/SimulationHost.ts"
import { plainLine, thrownText } from "../../text/plainLine.ts"
import { EnvWorkerBehavior } from "../workers/EnvWorker.ts"
import { buildId } from "../workers/hostEntry.ts"
import { Offers } from "../workers/offers.ts"
import { offeredModel } from "./offeredModels.ts"
import { decodeTold } from "./runnerEntry.ts"

const { environments, simulations } = decodeTold(ProcessLink.toldBy(process.argv))

const rejections: Rejections = { first: undefined }
let isWatched = false
/** Whoever asks next is told. Hosts that hold no shares end of it, as ever. */
const watch = (): void => {
  if (isWatched) return
  isWatched = true
  process.on("unhandledRejection", (reason) => {
    rejections.first ??= plainLine(thrownText(reason))
  })
}
const models = Layer.succeed(ModelSource, {
  load: (_module, name) => Effect.tap(offeredModel(simulations, name), () => Effect.sync(watch)),
  rejections
})

ActorHost.launch([EnvWorkerBehavior, SimulationHostBehavior], {
  buildId,
  layer: Layer.merge(Layer.succeed(Offers, environments), models)
})

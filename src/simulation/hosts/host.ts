/** The entry of a host thread of a simulation: serves shares to whoever has started it. */
import * as Layer from "effect/Layer"
import * as ActorHost from "../../actors/hosts/ActorHost.ts"
import { plainLine, thrownText } from "../../text/plainLine.ts"
import { buildId } from "./hostEntry.ts"
import { importModel, ModelSource, type Rejections, SimulationHostBehavior } from "./SimulationHost.ts"

const rejections: Rejections = { first: undefined }
// The thread would end of it, and be started again to the same end; so whoever asks next is told.
process.on("unhandledRejection", (reason) => {
  rejections.first ??= plainLine(thrownText(reason))
})

ActorHost.launch([SimulationHostBehavior], {
  buildId,
  layer: Layer.succeed(ModelSource, { load: importModel, rejections })
})

/** The placements under which the common suite runs. */
import type { Layer } from "effect"
import { ActorSystem, type SystemOptions, type ThreadSystemOptions } from "../../src/actors/ActorSystem.ts"
import type { HostStartFailed } from "../../src/actors/errors.ts"
import { ProbeBehavior } from "./fixtures/probe.ts"

export const entry = new URL("./fixtures/probe.host.ts", import.meta.url)

export const thread = (options: Partial<ThreadSystemOptions> = {}) =>
  ActorSystem.layerThread({ entry, hosts: 2, ...options })

export const placements: Record<
  "fiber" | "thread",
  (options?: SystemOptions) => Layer.Layer<ActorSystem, HostStartFailed>
> = {
  fiber: (options) => ActorSystem.layerFiber([ProbeBehavior], options),
  thread
}

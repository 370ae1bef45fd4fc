/** The placements under which the common suite runs. */
import type { Layer } from "effect"
import {
  ActorSystem,
  type ProcessSystemOptions,
  type SystemOptions,
  type ThreadSystemOptions
} from "../../src/actors/ActorSystem.ts"
import type { SystemFailure } from "../../src/actors/errors.ts"
import type { Placement } from "../../src/actors/Placement.ts"
import { ProbeBehavior } from "./fixtures/probe.ts"

export const entry = new URL("./fixtures/probe.host.ts", import.meta.url)

export const thread = (options: Partial<ThreadSystemOptions> = {}) =>
  ActorSystem.layerThread({ entry, hosts: 2, ...options })

export const child = (options: Partial<ProcessSystemOptions> = {}) =>
  ActorSystem.layerProcess({ entry, hosts: 2, ...options })

export const placements: Record<
  Placement,
  (options?: SystemOptions) => Layer.Layer<ActorSystem, SystemFailure>
> = {
  fiber: (options) => ActorSystem.layerFiber([ProbeBehavior], options),
  thread,
  process: child
}

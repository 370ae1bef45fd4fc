/** The placements under which the common suite runs. */
import { Effect, Layer, Redacted } from "effect"
import {
  ActorSystem,
  type ProcessSystemOptions,
  type RunnerSystemOptions,
  type SystemOptions,
  type ThreadSystemOptions
} from "../../src/actors/ActorSystem.ts"
import type { SystemFailure } from "../../src/actors/errors.ts"
import * as Runner from "../../src/actors/hosts/Runner.ts"
import { show } from "../../src/actors/links/RunnerDirectory.ts"
import type { Placement } from "../../src/actors/Placement.ts"
import { ProbeBehavior } from "./fixtures/probe.ts"

export const entry = new URL("./fixtures/probe.host.ts", import.meta.url)

export const thread = (options: Partial<ThreadSystemOptions> = {}) =>
  ActorSystem.layerThread({ entry, hosts: 2, ...options })

export const child = (options: Partial<ProcessSystemOptions> = {}) =>
  ActorSystem.layerProcess({ entry, hosts: 2, ...options })

const secret = "a secret of the tests"
const build = "of the tests"

/** A runner of this process on a port of its own, and a system on it. */
export const runner = (options: Partial<Runner.RunnerOptions> = {}, system: Partial<RunnerSystemOptions> = {}) =>
  Layer.unwrap(Effect.map(
    Runner.make({
      listen: { host: "127.0.0.1", port: 0 },
      entry,
      secrets: () => [secret],
      build,
      ...options
    }).pipe(Effect.orDie),
    ({ address }) =>
      ActorSystem.layerRunner({ runners: [show(address)], secret: Redacted.make(secret), build, ...system })
  ))

export const placements: Record<
  Placement,
  (options?: SystemOptions) => Layer.Layer<ActorSystem, SystemFailure>
> = {
  fiber: (options) => ActorSystem.layerFiber([ProbeBehavior], options),
  thread,
  process: child,
  runner: (options) => runner({}, { hosts: 2, ...options })
}

/**
 * What happens to actors and hosts, as a stream of values for logs, metrics and tests (`system.events`).
 */
import * as Schema from "effect/Schema"
import { Death } from "./Death.ts"
import { PoisonMessage } from "./errors.ts"

const actor = { actor: Schema.String }

/**
 * - `Spawned`: the name is taken, the first incarnation is being placed on `host`.
 * - `Started`: the first incarnation serves.
 * - `Died`: an incarnation ended; supervision decides what follows.
 * - `Restarted`: the next incarnation serves; `recoveryMillis` after the death was seen, `replayed` messages run again.
 * - `Stopped`: it ended because it was asked to.
 * - `Failed`: supervision gave it up, for `poison` where one message killed it again and again.
 * - `Unheard`: a message failed and nobody waits for its outcome: a `tell`, or an ask that was given up. `failure` is what
 *   an ask would have failed with.
 * - `HostStarted`, `HostExited`: a thread came up, or ended (`expected` when the system closed it).
 */
export const LifecycleEvent = Schema.TaggedUnion({
  Spawned: { ...actor, host: Schema.Int, placement: Schema.String },
  Started: { ...actor, incarnation: Schema.Int },
  Died: { ...actor, incarnation: Schema.Int, death: Death },
  Restarted: {
    ...actor,
    incarnation: Schema.Int,
    death: Death,
    recoveryMillis: Schema.Finite,
    replayed: Schema.Int
  },
  Stopped: actor,
  Failed: { ...actor, restarts: Schema.Int, death: Death, poison: Schema.optionalKey(PoisonMessage) },
  Unheard: { ...actor, method: Schema.String, failure: Schema.Defect() },
  HostStarted: { host: Schema.Int, millis: Schema.Finite },
  HostExited: { host: Schema.Int, expected: Schema.Boolean, reason: Schema.String }
})
export type LifecycleEvent = typeof LifecycleEvent.Type

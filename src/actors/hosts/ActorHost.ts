/**
 * What runs in a worker thread or a child process: the entry module calls `ActorHost.launch` with the behaviors it offers.
 *
 * ```ts
 * // counter.host.ts, the `entry` of `ActorSystem.layerThread` and `ActorSystem.layerProcess`
 * ActorHost.launch([CounterBehavior], { layer: CounterStore.layer })
 * ```
 *
 * A host serves any number of actors; what it does with them is the affair of `HostServer`.
 */
import * as Context from "effect/Context"
import * as Layer from "effect/Layer"
import type { Behavior, Services } from "../Actor.ts"
import type { ActorSystem } from "../ActorSystem.ts"
import { type Death, fromUnknown } from "../Death.ts"
import * as ProcessLink from "../links/ProcessLink.ts"
import * as ThreadLink from "../links/ThreadLink.ts"
import * as Options from "../Options.ts"
import { ambiguous, behaviorsByName } from "./behaviors.ts"
import { HostServer } from "./HostServer.ts"

export interface LaunchOptions<R> {
  /** Names the build of this entry; a system that names another refuses the thread (a stale bundle computes other numbers). */
  readonly buildId?: string
  /** What the behaviors need. */
  readonly layer?: Layer.Layer<R, unknown>
}

const launchRules = {
  buildId: Options.text,
  layer: Options.such(Layer.isLayer, "a Layer")
} satisfies Record<keyof LaunchOptions<never>, unknown>

/** The system that they belong to the actors of a host have without a layer. */
type Needs<B extends ReadonlyArray<Behavior<unknown>>> = Exclude<Services<B>, ActorSystem>

/**
 * Serves actors in this thread or process until the owner closes it. Call it once, at the top level of the entry module.
 * When the layer cannot be built, an option is wrong or two behaviors are of one name, the host ends, and the owner gets `HostStartFailed` with the reason.
 */
export const launch = <const B extends ReadonlyArray<Behavior<unknown>>>(
  behaviors: B,
  ...[options]: [Needs<B>] extends [never] ? [options?: LaunchOptions<never>]
    : [options: LaunchOptions<Needs<B>> & { readonly layer: Layer.Layer<Needs<B>, unknown> }]
): void => {
  const invalid = Options.check("ActorHost.launch", options ?? {}, launchRules) ??
    ambiguous("ActorHost.launch", "behaviors", behaviors)
  // Thrown before anybody listens, so as what keeps its message on the way out of a thread.
  if (invalid !== undefined) throw new TypeError(invalid.message)
  const port = ThreadLink.port() ?? ProcessLink.port()
  if (port === undefined) {
    throw new Error("ActorHost.launch serves in a worker thread or child process that an actor system has started")
  }
  // Without a layer the behaviors need nothing: the signature sees to it.
  const layer = (options?.layer ?? Layer.empty) as Layer.Layer<Services<B>, unknown>
  const server = new HostServer({
    port,
    behaviors: behaviorsByName(behaviors),
    layer,
    buildId: options?.buildId,
    context: Context.empty()
  })
  // Told by our own last word: what a transport makes of an error may lack its tag and message.
  let death: Death | undefined
  process.on("uncaughtExceptionMonitor", (error) => {
    death ??= fromUnknown("HostExited", error)
  })
  port.onExit(() => server.lastWord(death))
  server.serve()
}

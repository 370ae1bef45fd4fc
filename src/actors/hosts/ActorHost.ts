/**
 * What runs in a worker thread or a child process: the entry module calls `ActorHost.launch` with the behaviors it offers.
 *
 * ```ts
 * // counter.host.ts, the `entry` of `ActorSystem.layerThread` and `ActorSystem.layerProcess`
 * ActorHost.launch([CounterBehavior], { layer: CounterStore.layer })
 * ```
 *
 * A host serves any number of actors; each is a `Cell`. Replies of one turn of the event loop leave in one message.
 */
import * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Transferable from "effect/workers/Transferable"
import type { Behavior, Method, Services } from "../Actor.ts"
import { Death, fromUnknown } from "../Death.ts"
import * as Fault from "../Fault.ts"
import type { Command, HostPort, Report, StartCommand, Working } from "../links/HostLink.ts"
import * as ProcessLink from "../links/ProcessLink.ts"
import * as ThreadLink from "../links/ThreadLink.ts"
import * as Turn from "../links/Turn.ts"
import * as Codec from "../messages/Codec.ts"
import { Cell } from "./Cell.ts"
import { behaviorsByName } from "./FiberHost.ts"

export interface LaunchOptions<R> {
  /** Names the build of this entry; a system that names another refuses the thread (a stale bundle computes other numbers). */
  readonly buildId?: string
  /** What the behaviors need. */
  readonly layer?: Layer.Layer<R, unknown>
}

/** A reply waits at most this long (milliseconds) for others of its turn. */
const patience = 1

const deathCodec = Codec.make(Death)

/**
 * Serves actors in this thread or process until the owner closes it. Call it once, at the top level of the entry module.
 * When the layer cannot be built the host ends, and the owner gets `HostStartFailed` with the reason.
 */
export const launch = <const B extends ReadonlyArray<Behavior<unknown>>>(
  behaviors: B,
  ...[options]: [Services<B>] extends [never] ? [options?: LaunchOptions<never>]
    : [options: LaunchOptions<Services<B>> & { readonly layer: Layer.Layer<Services<B>, unknown> }]
): void => {
  const port = ThreadLink.port() ?? ProcessLink.port()
  if (port === undefined) {
    throw new Error("ActorHost.launch serves in a worker thread or child process that an actor system has started")
  }
  const scope = Scope.makeUnsafe()
  // Told by our own last word: what a transport makes of an error may lack its tag and message.
  let death: unknown
  let server: Server<Services<B>> | undefined
  process.on("uncaughtExceptionMonitor", (error) => {
    death ??= encodeDeath(fromUnknown("HostExited", error))
  })
  port.onExit(() => {
    if (server === undefined) port.post([["exiting", [], death]], [])
    else server.lastWord(death)
  })
  const offered = behaviorsByName(behaviors)
  // Without a layer the behaviors need nothing: the signature sees to it.
  const layer = (options?.layer ?? Layer.empty) as Layer.Layer<Services<B>, unknown>
  const built = Effect.runFork(Layer.buildWithScope(layer, scope))
  built.addObserver((exit) => {
    if (Exit.isFailure(exit)) {
      // Thrown where nobody catches it: the thread ends, and the owner reads why.
      const reason = `its layer could not be built: ${Cause.pretty(exit.cause)}`
      queueMicrotask(() => {
        throw new Error(reason)
      })
    } else {
      server = new Server(port, offered, exit.value, scope)
      server.listen(options?.buildId)
    }
  })
}

interface Resident<R> {
  readonly epoch: number
  readonly cell: Cell<R>
  readonly methods: ReadonlyMap<string, Method>
}

class Server<R> {
  private readonly port: HostPort
  private readonly behaviors: ReadonlyMap<string, Behavior<R>>
  private readonly residents = new Map<number, Resident<R>>()
  private readonly run: ReturnType<typeof Effect.runForkWith<R>>
  private readonly scope: Scope.Closeable
  private readonly moved = Transferable.makeCollectorUnsafe()
  private outbox: Array<Report> = []
  private oldest = 0
  private closing = false
  /** Commands heard and reports posted. */
  private heard = 0
  private posted = 0

  constructor(
    port: HostPort,
    behaviors: ReadonlyMap<string, Behavior<R>>,
    context: Context.Context<R>,
    scope: Scope.Closeable
  ) {
    this.port = port
    this.behaviors = behaviors
    this.run = Effect.runForkWith(context)
    this.scope = scope
  }

  listen(buildId: string | undefined): void {
    this.port.listen((batch) => {
      for (const command of batch) this.obey(command)
    })
    this.send(["ready", buildId])
  }

  private obey(command: Command): void {
    this.heard++
    switch (command[0]) {
      case "start":
        return this.start(command[1])
      case "message":
        return this.message(command[1], command[2], command[3], command[4], command[5])
      case "stop":
        return this.resident(command[1], command[2])?.cell.stop()
      case "halt":
        return this.resident(command[1], command[2])?.cell.halt()
      case "ping":
        return this.alive(command[1])
      case "fault":
        return Fault.commit(command[1])
      case "close":
        return this.close()
    }
  }

  private alive(posted: number): void {
    this.flush()
    this.posted++
    this.port.post([["alive", posted, this.heard, this.posted]], [])
  }

  private resident(actor: number, epoch: number): Resident<R> | undefined {
    const resident = this.residents.get(actor)
    return resident?.epoch === epoch ? resident : undefined
  }

  private start({ actor, config, definition, epoch, hasState, name, state }: StartCommand): void {
    const behavior = this.behaviors.get(definition)
    const cannot = (message: string): void => {
      this.send(["died", actor, epoch, encodeDeath(new Death({ kind: "StartFailed", message })), 0])
    }
    if (behavior === undefined) {
      return cannot(`the host offers no behavior of ${definition}; it offers ${[...this.behaviors.keys()].join(", ")}`)
    }
    const decoded = behavior.definition.configCodec.decode(config)
    if (Exit.isFailure(decoded)) return cannot(`the config does not fit its schema: ${Codec.reason(decoded)}`)
    const leave = (): void => {
      if (this.residents.get(actor)?.epoch === epoch) this.residents.delete(actor)
    }
    const cell = new Cell({
      behavior,
      name,
      incarnation: epoch,
      config: decoded.value,
      restored: hasState ? Option.some(state) : Option.none(),
      report: {
        started: () => this.send(["started", actor, epoch]),
        replied: (seq, method, outcome, state) => this.reply(actor, epoch, seq, method, outcome, state),
        died: (death, seq) => {
          leave()
          this.send(["died", actor, epoch, encodeDeath(death), seq])
          this.closeWhenEmpty()
        },
        stopped: () => {
          leave()
          this.send(["stopped", actor, epoch])
          this.closeWhenEmpty()
        }
      }
    })
    this.residents.set(actor, { epoch, cell, methods: behavior.definition.methods })
    cell.start(this.run)
  }

  private message(actor: number, epoch: number, seq: number, name: string, payload: unknown): void {
    const resident = this.resident(actor, epoch)
    if (resident === undefined) return
    const method = resident.methods.get(name)
    if (method === undefined) return this.send(["refused", actor, epoch, seq, `the host knows no method ${name}`])
    const decoded = method.payload.decode(payload)
    if (Exit.isFailure(decoded)) return this.send(["refused", actor, epoch, seq, Codec.reason(decoded)])
    resident.cell.push({ seq, method, payload: decoded.value })
  }

  private reply(
    actor: number,
    epoch: number,
    seq: number,
    method: Method,
    outcome: Exit.Exit<unknown, unknown>,
    state: unknown
  ): void {
    const failure = Exit.isFailure(outcome) ? outcome.cause.reasons.find(Cause.isFailReason) : undefined
    const encoded = Exit.isSuccess(outcome)
      ? method.success.encodeMoving(outcome.value, this.moved)
      : method.error.encodeMoving(failure?.error, this.moved)
    if (Exit.isSuccess(encoded)) {
      const kind = Exit.isSuccess(outcome) ? "success" : "failure"
      this.send(["replied", actor, epoch, seq, kind, encoded.value, state])
    } else this.send(["replied", actor, epoch, seq, "refused", Codec.reason(encoded), state])
  }

  private send(report: Report): void {
    const size = this.outbox.push(report)
    if (size === 1) {
      this.oldest = performance.now()
      Turn.afterwards(this.flush)
    } else if (performance.now() - this.oldest > patience) this.flush()
  }

  private readonly flush = (): void => {
    const batch = this.outbox
    if (batch.length === 0) return
    this.outbox = []
    const moved = this.moved.clearUnsafe().filter((value) => value instanceof ArrayBuffer)
    try {
      this.port.post(batch, moved)
      this.posted += batch.length
    } catch {
      // Something in the batch cannot be cloned or moved: find out which, and let the rest go.
      for (const report of batch) this.postAlone(report)
    }
  }

  private postAlone(report: Report): void {
    try {
      this.port.post([report], [])
      this.posted++
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error)
      if (report[0] !== "replied") throw error
      const [kind, actor, epoch, seq, , , state] = report
      this.port.post([[kind, actor, epoch, seq, "refused", reason, state]], [])
      this.posted++
    }
  }

  /** The replies of this turn, and who was at work: so that a neighbor's end is not held against those who were not. */
  lastWord(death: unknown): void {
    const working: Array<Working> = []
    for (const [actor, { cell, epoch }] of this.residents) {
      if (cell.working) working.push([actor, epoch, cell.starting ? undefined : cell.seq])
    }
    this.send(["exiting", working, death])
    this.flush()
  }

  private close(): void {
    this.closing = true
    for (const { cell } of this.residents.values()) cell.stop()
    this.closeWhenEmpty()
  }

  private closeWhenEmpty(): void {
    if (!this.closing || this.residents.size > 0) return
    this.flush()
    this.run(Scope.close(this.scope, Exit.void)).addObserver(() => this.port.exit())
  }
}

const encodeDeath = (death: Death): unknown => {
  const encoded = deathCodec.encode(death)
  return Exit.isSuccess(encoded) ? encoded.value : undefined
}

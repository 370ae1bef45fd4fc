/**
 * A machine that offers hosts to owners elsewhere: it listens, and starts a child process for every link that comes.
 *
 * ```ts
 * Effect.scoped(Effect.gen(function*() {
 *   const { address } = yield* Runner.make({ listen: { host: "127.0.0.1", port: 4100 }, entry, secrets: () => [secret], build })
 *   return yield* Effect.never
 * }))
 * ```
 *
 * What the children run is the runner's own affair: an owner names actors by the names that `entry` gives them, and no path
 * or code. Closing the scope ends all of them.
 */
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Redacted from "effect/Redacted"
import * as Schema from "effect/Schema"
import type * as Scope from "effect/Scope"
import * as net from "node:net"
import { real } from "../EventLoop.ts"
import * as Handshake from "../links/Handshake.ts"
import * as ProcessLink from "../links/ProcessLink.ts"
import { isLoopback, type RunnerAddress, show } from "../links/RunnerDirectory.ts"
import { connect } from "../links/RunnerLink.ts"
import { RunnerServer } from "../links/RunnerServer.ts"
import { Spares } from "../links/Spares.ts"

export interface RunnerOptions {
  /** Where to listen; port 0 takes one that is free. Beyond this machine only with `tls`. */
  readonly listen: RunnerAddress
  /** The module that calls `ActorHost.launch`. A file. */
  readonly entry: URL
  /** What `entry` is told; `ProcessLink.toldBy` gives it there. */
  readonly told?: string
  /** Secrets of owners that are served: asked for each connection, so they may change. Each of 16 characters at least. */
  readonly secrets: () => ReadonlyArray<string>
  /** What the sources of this program were: owners of another build are refused. */
  readonly build: string
  /** What `entry` says in `ActorHost.launch`. */
  readonly buildId?: string
  /** Children kept ready. Default 0. */
  readonly spares?: number
  /** What a child may take. */
  readonly memoryLimit?: ProcessLink.MemoryLimit
  /** Certificate and key in PEM format. */
  readonly tls?: { readonly cert: string; readonly key: string }
  /** Why this runner does not have what an owner needs, in words that only the two programs know. Default: it has all. */
  readonly lacks?: (need: string) => string | undefined
  /** Told what a person should know, such as who was refused. Default: nobody. */
  readonly notice?: (text: string) => void
}

/** There is no listening there, or not so. */
export class CannotListen extends Schema.TaggedError<CannotListen>()("CannotListen", {
  address: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `A runner cannot listen on ${this.address}: ${this.reason}.`
  }
}

const reasons: Readonly<Record<string, string>> = {
  EADDRINUSE: "another program listens there; take another port, or end that program",
  EADDRNOTAVAIL: "this machine has no such address",
  EACCES: "this user may not; take a port from 1024 on",
  ENOTFOUND: "there is no machine of that name"
}

const reasonOf = (error: NodeJS.ErrnoException): string => reasons[error.code ?? ""] ?? error.message

export interface Runner {
  /** Where it listens. */
  readonly address: RunnerAddress
  /** Hosts that work for somebody now. */
  readonly hosts: Effect.Effect<number>
  /** Completes when somebody who knows the secret has asked it to take no more work, and the last is done. */
  readonly drained: Effect.Effect<void>
}

/** A runner that could not be asked. */
export class NotDrained extends Schema.TaggedError<NotDrained>()("NotDrained", {
  address: Schema.String,
  reason: Schema.String
}) {
  override get message(): string {
    return `The runner at ${this.address} was not drained: ${this.reason}.`
  }
}

/** Asks a runner to take no more work, and waits until what it has is done, or has gone elsewhere. */
export const drain = (
  address: RunnerAddress,
  options: { readonly secret: Redacted.Redacted; readonly ca?: string }
): Effect.Effect<void, NotDrained> =>
  Effect.callback((resume) => {
    const request = {
      ...Handshake.factsOf("none"),
      want: "drain",
      system: "none",
      term: 0,
      need: "",
      beat: 1000,
      silence: 1000
    } as const
    const known = { secret: Redacted.value(options.secret), ca: options.ca }
    const callOff = connect(address, known, request, Handshake.patience, ({ socket }) => {
      socket.on("close", () => resume(Effect.void))
    }, ({ problem }) => resume(Effect.fail(new NotDrained({ address: show(address), reason: problem }))))
    return Effect.sync(callOff)
  })

/** Listens until the scope closes. */
export const make = Effect.fnUntraced(function*(
  options: RunnerOptions
): Effect.fn.Return<Runner, CannotListen, Scope.Scope> {
  const { build, buildId, lacks = () => undefined, listen, notice = () => {}, secrets, tls } = options
  const cannot = (reason: string) => new CannotListen({ address: show(listen), reason })
  if (!isLoopback(listen.host) && tls === undefined) {
    return yield* cannot("beyond this machine it needs a certificate and its key; 127.0.0.1 does without")
  }
  const spares = new Spares(ProcessLink.openFramed(options), options.spares ?? 0, real)
  const drained = Deferred.makeUnsafe<void>()
  const server = new RunnerServer({
    open: spares.open,
    buildId,
    facts: Handshake.factsOf(build),
    secrets,
    lacks,
    notice,
    drained: () => void Deferred.doneUnsafe(drained, Exit.void)
  })
  const accept = (socket: net.Socket): void => server.accept(socket)
  const listener = yield* Effect.acquireRelease(
    Effect.callback<net.Server, CannotListen>((resume) => {
      const made = tls === undefined
        ? net.createServer({ noDelay: true }, accept)
        : process.getBuiltinModule("node:tls").createServer({ ...tls, noDelay: true }, accept)
      made.once("error", (error) => resume(Effect.fail(cannot(reasonOf(error)))))
      made.listen({ host: listen.host, port: listen.port }, () => resume(Effect.succeed(made)))
    }),
    (made) => Effect.sync(() => made.close())
  ).pipe(
    // A certificate or a key that is none.
    Effect.catchDefect((defect) =>
      Effect.fail(cannot(`its certificate or key cannot be used: ${defect instanceof Error ? defect.message : ""}`))
    )
  )
  listener.on("error", (error) => notice(`connections cannot be taken: ${reasonOf(error)}`))
  yield* Effect.addFinalizer(() =>
    Effect.all([Effect.callback<void>((resume) => server.close(() => resume(Effect.void))), spares.close], {
      concurrency: "unbounded",
      discard: true
    })
  )
  spares.fill()
  const at = listener.address()
  return {
    address: { host: listen.host, port: typeof at === "object" && at !== null ? at.port : listen.port },
    hosts: Effect.sync(() => server.hosts),
    drained: Deferred.await(drained)
  }
})

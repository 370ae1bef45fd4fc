/**
 * A server for whoever sits at this machine, and nobody else: it listens on loopback, and answers only who asks it by that name,
 * so that no page from elsewhere can reach it through a browser. It reads no bodies, and waits for nobody for long.
 */
import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as Effect from "effect/Effect"
import * as HttpServer from "effect/http/HttpServer"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { createServer } from "node:http"
import { plainLine } from "../../text/plainLine.ts"

/** The port cannot be had. */
export class PortUnavailable extends Schema.TaggedError<PortUnavailable>()("PortUnavailable", {
  message: Schema.String
}) {}

/** So many may be connected at a time. */
const mostConnections = 200

const names = new Set(["localhost", "127.0.0.1", "[::1]"])

/** A host as a browser or a client names it; undefined where that is not this machine's loopback. */
const loopback = (host: string | undefined): { readonly port: string } | undefined => {
  const [, name = "", port = "80"] = /^(.*?)(?::(\d+))?$/.exec(host ?? "") ?? []
  return names.has(name) ? { port } : undefined
}

/** Why a request is not answered. */
interface Refusal {
  readonly status: 403 | 405
  readonly text: string
  /** Who it was, for the log. */
  readonly by: string
}

const refusalOf = (
  { headers, method }: HttpServerRequest.HttpServerRequest,
  methods: ReadonlyArray<string>
): Refusal | undefined => {
  const { host, origin } = headers
  const ours = loopback(host)
  // A page of another port is another program's.
  const ownPage = origin === undefined || loopback(/^http:\/\/([^/]+)$/.exec(origin)?.[1])?.port === ours?.port
  if (ours === undefined || !ownPage) {
    const by = ours === undefined ? `a request for the host ${host ?? "without a name"}` : `a page of ${origin}`
    return { status: 403, text: "This server answers this machine alone.\n", by }
  }
  return methods.includes(method) ? undefined : {
    status: 405,
    text: methods.includes("POST") ? "This server knows no such method.\n" : "This server only shows.\n",
    by: `a request to ${method}`
  }
}

/** How a server answers. */
export interface Serving {
  /** Methods that `answer` is asked with. Default: GET and HEAD. */
  readonly methods?: ReadonlyArray<string>
  /** Hears in one sentence of the first request of each kind that was refused. Default: the log. */
  readonly notice?: (message: string) => Effect.Effect<void>
}

/** Serves on a port of loopback (0: any that is free) until the scope closes. Answers the port. */
export const serve = Effect.fnUntraced(function*<E, R>(
  port: number,
  answer: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>,
  { methods = ["GET", "HEAD"], notice = Effect.logWarning }: Serving = {}
) {
  const server = createServer()
  server.maxConnections = mostConnections
  server.headersTimeout = 5_000
  server.requestTimeout = 10_000
  const noticed = new Set<number>()
  const refuse = Effect.fnUntraced(function*({ by, status, text }: Refusal) {
    if (!noticed.has(status)) {
      noticed.add(status)
      yield* notice(plainLine(`The server on loopback has refused ${by}.`, 300))
    }
    // What else comes on this connection, a large body above all, is not read.
    return HttpServerResponse.text(text, {
      status,
      headers: { connection: "close", ...(status === 405 ? { allow: methods.join(", ") } : {}) }
    })
  })
  const app = Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
    const refusal = refusalOf(request, methods)
    return refusal === undefined ? answer : refuse(refusal)
  })
  const layer = HttpServer.serve(app).pipe(
    Layer.provide(NodeHttpServer.layer(() => server, { host: "127.0.0.1", port }))
  )
  yield* Layer.build(layer).pipe(
    Effect.mapError((error) =>
      new PortUnavailable({
        message: `Port ${port} of this machine cannot be listened at: ${
          String(error.cause).includes("EADDRINUSE") ? "another program does already" : String(error.cause)
        }. Take another; 0 is any that is free.`
      })
    )
  )
  // Before the server waits for those who are connected: it waits for nobody.
  yield* Effect.addFinalizer(() =>
    Effect.sync(() => {
      server.close()
      server.closeAllConnections()
    })
  )
  const address = server.address()
  return typeof address === "object" && address !== null ? address.port : port
})

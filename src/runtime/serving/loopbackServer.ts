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

/** The port cannot be had. */
export class PortUnavailable extends Schema.TaggedError<PortUnavailable>()("PortUnavailable", {
  message: Schema.String
}) {}

/** So many may be connected at a time. */
const mostConnections = 200

const names = new Set(["localhost", "127.0.0.1", "[::1]"])

/** Whether a host, as a browser or a client names it, is this machine's loopback. */
const isLoopback = (host: string | undefined): boolean => host !== undefined && names.has(host.replace(/:\d+$/, ""))

/** Why a request is not answered; undefined where it is. */
const refusal = (request: HttpServerRequest.HttpServerRequest): HttpServerResponse.HttpServerResponse | undefined => {
  const { host, origin } = request.headers
  if (!isLoopback(host) || origin !== undefined && !isLoopback(/^https?:\/\/([^/]+)$/.exec(origin)?.[1])) {
    return HttpServerResponse.text("This server answers this machine alone.\n", { status: 403 })
  }
  return request.method === "GET" || request.method === "HEAD"
    ? undefined
    : HttpServerResponse.text("This server only shows.\n", { status: 405, headers: { allow: "GET, HEAD" } })
}

/** Serves on a port of loopback (0: any that is free) until the scope closes. Answers the port. */
export const serve = Effect.fnUntraced(function*<E, R>(
  port: number,
  answer: Effect.Effect<HttpServerResponse.HttpServerResponse, E, R>
) {
  const server = createServer()
  server.maxConnections = mostConnections
  server.headersTimeout = 5_000
  server.requestTimeout = 10_000
  const app = Effect.flatMap(HttpServerRequest.HttpServerRequest, (request) => {
    const refused = refusal(request)
    return refused === undefined ? answer : Effect.succeed(refused)
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
  const address = server.address()
  return typeof address === "object" && address !== null ? address.port : port
})

/** The metrics of this program for Prometheus, at `/metrics` of a port on loopback. */
import * as Effect from "effect/Effect"
import * as HttpServerRequest from "effect/http/HttpServerRequest"
import * as HttpServerResponse from "effect/http/HttpServerResponse"
import * as PrometheusMetrics from "effect/observability/PrometheusMetrics"
import { serve } from "./loopbackServer.ts"

const answer = Effect.gen(function*() {
  const { url } = yield* HttpServerRequest.HttpServerRequest
  if (url.split("?")[0] !== "/metrics") {
    return HttpServerResponse.text("The metrics are at /metrics.\n", { status: 404 })
  }
  return HttpServerResponse.text(yield* PrometheusMetrics.format(), {
    contentType: "text/plain; version=0.0.4; charset=utf-8"
  })
})

/** Serves them until the scope closes. Answers the port. */
export const serveMetrics = (port: number) => serve(port, answer)

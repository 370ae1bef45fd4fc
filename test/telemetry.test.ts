/** What a program with a tracer and metrics of its own sees of its actors, runs and simulations; and that others have nothing. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Layer, Metric, Option, Stream, Tracer } from "effect"
import { FetchHttpClient } from "effect/http"
import { Otlp, PrometheusMetrics } from "effect/observability"
import * as http from "node:http"
import bank from "../examples/simulations/bank.ts"
import { ActorSystem } from "../src/actors/ActorSystem.ts"
import * as telemetry from "../src/actors/telemetry.ts"
import { Run } from "../src/runtime/Run.ts"
import { run as simulate } from "../src/simulation/hosts/run.ts"
import { Tally, TallyBehavior } from "./actors/fixtures/tally.ts"

/** A tracer that remembers the spans it has made. */
const remembering = () => {
  const spans: Array<Tracer.NativeSpan> = []
  const tracer = Tracer.make({
    span: (options) => {
      const span = new Tracer.NativeSpan(options)
      spans.push(span)
      return span
    }
  })
  return { spans, layer: Layer.succeed(Tracer.Tracer, tracer) }
}

const named = (spans: ReadonlyArray<Tracer.NativeSpan>, name: string) => spans.filter((span) => span.name === name)

/** A span's length in milliseconds. */
const lengthOf = ({ status }: Tracer.NativeSpan): number =>
  status._tag === "Ended" ? Number(status.endTime - status.startTime) / 1e6 : Number.NaN

const actors = Effect.gen(function*() {
  const tally = yield* ActorSystem.spawn(Tally, { name: "tally", config: { start: 0 } })
  yield* tally.Add({ n: 1 })
  yield* tally.Slow({ millis: 30 })
  yield* tally.Suffer({ n: 1, mishap: "die", until: 1 })
}).pipe(Effect.scoped, Effect.provide(ActorSystem.layerFiber([TallyBehavior])))

describe("spans", () => {
  it.live("are those of what actors answer, under the span of their system", () =>
    Effect.gen(function*() {
      const { layer, spans } = remembering()
      yield* actors.pipe(Effect.withSpan("app"), Effect.provide(layer))
      const [app] = named(spans, "app")
      const [add] = named(spans, "actor.ask Add")
      const [slow] = named(spans, "actor.ask Slow")
      assert.strictEqual(named(spans, "actor.ask Suffer").length, 1)
      assert.strictEqual(Option.getOrUndefined(add!.parent)?.spanId, app!.spanId)
      assert.strictEqual(add!.attributes.get("actor.name"), "tally")
      assert.strictEqual(add!.attributes.get("actor.message"), 1)
      assert.isAtLeast(lengthOf(slow!), 25)
      assert.isBelow(lengthOf(slow!), lengthOf(app!))
    }))

  it.live("are those of a run's iterations, and of a simulation", () =>
    Effect.gen(function*() {
      const { layer, spans } = remembering()
      const events = yield* Stream.runCollect(Run.events({ nEnvs: 4, totalTimesteps: 800, placement: "fiber" })).pipe(
        Effect.provide(Layer.merge(layer, NodeServices.layer))
      )
      const finished = [...events].at(-1)
      const updates = finished?.event === "finished" ? finished.updates : 0
      assert.isAbove(updates, 3)
      assert.strictEqual(named(spans, "run.update").length, updates)
      assert.strictEqual(named(spans, "run.collect").length, updates)
      assert.isAtLeast(named(spans, "actor.ask Collect").length, updates)
      const before = spans.length
      yield* Effect.provide(simulate(bank), layer)
      const [simulation] = named(spans, "simulation")
      assert.strictEqual(simulation!.attributes.get("model"), "Bank")
      assert.isAbove(spans.length, before + 1)
    }))

  it("are not made, and nothing is done for a message, where there is no tracer", () => {
    assert.isUndefined(telemetry.observerOf(Context.empty(), undefined))
  })
})

describe("metrics", () => {
  it.live("count deaths, restarts and recoveries of actors, and what simulations come to", () =>
    Effect.gen(function*() {
      yield* actors
      const { events } = yield* simulate(bank)
      const text = yield* PrometheusMetrics.format()
      const of = (name: string) => Number(new RegExp(`^${name}(?:\\{[^}]*\\})? (.*)$`, "m").exec(text)?.[1])
      assert.strictEqual(of("troupe_actor_deaths_total"), 1)
      assert.strictEqual(of("troupe_actor_restarts_total"), 1)
      assert.strictEqual(of("troupe_actor_recovery_milliseconds_count"), 1)
      assert.strictEqual(of("troupe_simulations_total"), 1)
      assert.strictEqual(of("troupe_simulation_events_total"), events)
    }).pipe(Effect.provideService(Metric.MetricRegistry, new Map())))
})

/** A collector on loopback: what was sent to each of its paths. */
const collector = Effect.acquireRelease(
  Effect.callback<{ readonly server: http.Server; readonly sent: Map<string, string>; readonly baseUrl: string }>(
    (resume) => {
      const sent = new Map<string, string>()
      const server = http.createServer((request, response) => {
        const { url = "" } = request
        request.on("data", (data: Buffer) => sent.set(url, (sent.get(url) ?? "") + data.toString()))
        request.on("end", () => response.end("{}"))
      })
      server.listen(0, "127.0.0.1", () => {
        const address = server.address()
        const port = typeof address === "object" && address !== null ? address.port : 0
        resume(Effect.succeed({ server, sent, baseUrl: `http://127.0.0.1:${port}` }))
      })
    }
  ),
  ({ server }) =>
    Effect.sync(() => {
      server.close()
      server.closeAllConnections()
    })
)

describe("Otlp", () => {
  it.live("exports the spans and metrics of an app's run, its actors and its simulation", () =>
    Effect.gen(function*() {
      const { baseUrl, sent } = yield* collector
      const app = Effect.gen(function*() {
        yield* Stream.runDrain(Run.events({ nEnvs: 2, totalTimesteps: 400, placement: "fiber" }))
        yield* simulate(bank)
      }).pipe(Effect.withSpan("app"))
      const otlp = Otlp.layerJson({ baseUrl, resource: { serviceName: "app" } })
      yield* Effect.provide(app, Layer.provide(otlp, FetchHttpClient.layer)).pipe(Effect.provide(NodeServices.layer))
      const traces = sent.get("/v1/traces") ?? ""
      for (const name of ["app", "actor.ask Collect", "run.collect", "run.update", "simulation"]) {
        assert.include(traces, `"name":"${name}"`)
      }
      const metrics = sent.get("/v1/metrics") ?? ""
      for (const name of ["troupe_env_steps_total", "troupe_simulation_events_total"]) {
        assert.include(metrics, `"name":"${name}"`)
      }
    }).pipe(Effect.scoped, Effect.provideService(Metric.MetricRegistry, new Map())))
})

/**
 * A larger Effect app with a run inside it: an HTTP server that answers what the policy would do, while the policy is
 * being trained in the background. Both belong to one scope; when it closes, the server and every worker thread stop.
 *
 *     node examples/serve-policy.ts
 *     curl localhost:3000/status
 *     curl -X POST localhost:3000/decide -H 'content-type: application/json' -d '{"observation":[0.1,0,0.05,0]}'
 */
import { NodeHttpServer, NodeRuntime, NodeServices } from "@effect/platform-node"
import { Effect, Layer, Schema } from "effect"
import { HttpRouter } from "effect/http"
import { HttpApi, HttpApiBuilder, HttpApiEndpoint, HttpApiError, HttpApiGroup } from "effect/http-api"
import { createServer } from "node:http"
import { type PartialConfig, Run } from "troupe"

class PolicyGroup extends HttpApiGroup.make("policy").add(
  HttpApiEndpoint.get("status", "/status", {
    success: Schema.Struct({ envSteps: Schema.Int, train20: Schema.NullOr(Schema.Finite), solved: Schema.Boolean })
  }),
  HttpApiEndpoint.post("decide", "/decide", {
    payload: Schema.Struct({ observation: Schema.Array(Schema.Finite) }),
    success: Schema.Struct({
      action: Schema.Union([Schema.Finite, Schema.Array(Schema.Finite)]),
      probabilities: Schema.Array(Schema.Finite),
      value: Schema.Finite,
      envSteps: Schema.Int
    }),
    error: HttpApiError.BadRequest
  })
) {}

export class PolicyApi extends HttpApi.make("troupe").add(PolicyGroup) {}

const handlers = HttpApiBuilder.group(
  PolicyApi,
  "policy",
  Effect.fn(function*(handlers) {
    const run = yield* Run
    return handlers.handleAll({
      status: () => Effect.map(run.status, ({ envSteps, solved, train20 }) => ({ envSteps, solved, train20 })),
      decide: Effect.fn(function*({ payload }) {
        const policy = yield* Effect.orDie(run.policy)
        const { envSteps } = yield* run.status
        const decision = yield* Effect.mapError(policy.decide(payload.observation), () => new HttpApiError.BadRequest())
        return { ...decision, envSteps }
      })
    })
  })
)

/** Trains in the background for as long as the layer lives. */
const training = Layer.effectDiscard(
  Effect.flatMap(
    Run,
    (run) => Effect.forkScoped(Effect.tapError(run.train(), (error) => Effect.logError("training stopped", error)))
  )
)

/** The whole app: the server, and the run it serves. */
export const app = (config: PartialConfig, options: { readonly port: number }) =>
  HttpRouter.serve(Layer.provide(HttpApiBuilder.layer(PolicyApi), handlers)).pipe(
    Layer.merge(training),
    Layer.provide(Run.layer(config)),
    Layer.provideMerge(NodeHttpServer.layer(createServer, options)),
    Layer.provide(NodeServices.layer)
  )

if (import.meta.main) {
  NodeRuntime.runMain(Layer.launch(app({ envId: "CartPole-v1", nEnvs: 10, keepGoing: true }, { port: 3000 })))
}

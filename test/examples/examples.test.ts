/** The examples run, and do what they say. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Layer, Stream } from "effect"
import { FetchHttpClient, HttpServer } from "effect/http"
import { HttpApiClient } from "effect/http-api"
import { check, Environment } from "troupe/envs"
import { program as continuous } from "../../examples/continuous.ts"
import gridWorld from "../../examples/grid-world.ts"
import { program as ownLearner } from "../../examples/own-learner.ts"
import { app, PolicyApi } from "../../examples/serve-policy.ts"
import { program } from "../../examples/shortest.ts"
import { Run } from "../../src/runtime/Run.ts"

describe("examples", () => {
  it.live("the shortest program runs to its end", () => Effect.provide(program, NodeServices.layer), 60_000)

  it.live("a learner of one's own solves CartPole on two threads", () =>
    Effect.gen(function*() {
      const finished = yield* ownLearner
      assert.isTrue(finished.solved)
      assert.isAtMost(finished.env_steps, 60_000)
    }).pipe(Effect.provide(NodeServices.layer)), 60_000)

  it.live("PPO learns actions that are real numbers, and its policy drives on its own", () =>
    Effect.gen(function*() {
      const { total } = yield* continuous
      assert.isAbove(total, 90)
    }).pipe(Effect.provide(NodeServices.layer)), 60_000)

  it.effect("the user's environment passes the check", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* check(gridWorld), [])
      const environment = yield* Environment.make(gridWorld)
      const { observation } = yield* environment.reset({ seed: 1 })
      assert.isTrue(environment.observationSpace.contains(observation))
    }))

  it.live("the user's environment is learned in worker threads", () =>
    Effect.gen(function*() {
      const events = yield* Run.events({ envId: gridWorld.module!, nEnvs: 4, workers: 2, placement: "thread" }).pipe(
        Stream.filter((event) => event.event === "finished"),
        Stream.runCollect,
        Effect.provide(NodeServices.layer)
      )
      assert.isTrue([...events].every((event) => event.event === "finished" && event.solved))
    }), 60_000)

  it.live(
    "the server answers what the policy would do while it learns, and is stopped by its scope",
    () =>
      Effect.gen(function*() {
        const url = yield* Effect.scoped(Effect.gen(function*() {
          const context = yield* Layer.build(app({ nEnvs: 4, keepGoing: true, totalTimesteps: 1e9 }, { port: 0 }))
          const server = yield* Effect.provideContext(HttpServer.HttpServer, context)
          const { address } = server
          assert(address._tag === "InetAddressV4" || address._tag === "InetAddressV6")
          const baseUrl = `http://127.0.0.1:${address.port}`
          const client = yield* HttpApiClient.make(PolicyApi, { baseUrl })
          const first = yield* client.policy.status()
          const decision = yield* client.policy.decide({ payload: { observation: [0.1, 0, 0.05, 0] } })
          assert.include([0, 1], decision.action)
          assert.approximately(decision.probabilities[0]! + decision.probabilities[1]!, 1, 1e-9)
          // Training goes on between two requests: poll until it has.
          const later = yield* client.policy.status().pipe(
            Effect.repeat({ until: ({ envSteps }) => envSteps > first.envSteps })
          )
          assert.isAbove(later.envSteps, first.envSteps)
          const refused = yield* Effect.exit(client.policy.decide({ payload: { observation: [1] } }))
          assert.strictEqual(refused._tag, "Failure")
          return baseUrl
        }))
        const stopped = yield* Effect.exit(Effect.tryPromise(() => fetch(`${url}/status`)))
        assert.strictEqual(stopped._tag, "Failure")
      }).pipe(Effect.provide(FetchHttpClient.layer)),
    60_000
  )
})

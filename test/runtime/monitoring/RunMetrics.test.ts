/** Runs in the metrics of Effect, as a program that exports them sees them. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Context, Effect, Metric, Stream } from "effect"
import { PrometheusMetrics } from "effect/observability"
import { RunMetrics } from "../../../src/runtime/monitoring/RunMetrics.ts"
import { Run } from "../../../src/runtime/Run.ts"

describe("metrics of runs", () => {
  it.live("are those of the run, with its attributes, in the program's own registry", () =>
    Effect.gen(function*() {
      const events = yield* Stream.runCollect(
        Run.events({ nEnvs: 4, totalTimesteps: 3_000, seed: 7, placement: "fiber" })
      )
      const text = yield* PrometheusMetrics.format()
      const finished = [...events].at(-1)
      assert.strictEqual(finished?.event, "finished")
      if (finished?.event !== "finished") return
      const of = (name: string): number => {
        const line = text.split("\n").find((line) => line.startsWith(`${name}{`))
        assert.include(line ?? text, `env_id="CartPole-v1"`)
        assert.include(line!, `seed="7"`)
        return Number(line!.split(" ").at(-1))
      }
      assert.strictEqual(of("troupe_env_steps_total"), finished.env_steps)
      assert.strictEqual(of("troupe_updates_total"), finished.updates)
      assert.strictEqual(of("troupe_episodes_total"), finished.episodes)
      assert.isAbove(of("troupe_steps_per_second"), 0)
      assert.isFinite(of("troupe_policy_loss"))
      assert.notInclude(text, "NaN")
    }).pipe(Effect.provide(NodeServices.layer), Effect.provideService(Metric.MetricRegistry, new Map())))

  it("count from where a run went on", () => {
    const registry: Metric.MetricRegistry = new Map()
    const metrics = new RunMetrics(Context.make(Metric.MetricRegistry, registry))
    const started = {
      event: "started",
      env_id: "CartPole-v1",
      preset: "a2c",
      algo: "a2c",
      schedule: "sync",
      seed: 1,
      device: "cpu",
      placement: "fiber",
      workers: 1,
      n_envs: 1,
      env_workers: 1,
      n_steps: 5,
      parameters: 1,
      folder: null,
      resumed: 100,
      total_timesteps: 1
    } as const
    const finished = {
      event: "finished",
      updates: 110,
      episodes: 9,
      solved: false,
      train20: null,
      eval_mean: null,
      weights_sha256: "",
      restarts: 0,
      lost_steps: 0,
      wall_seconds: 1,
      startup_seconds: 0,
      steps_per_second: null,
      seed: 1,
      device: "cpu"
    } as const
    metrics.hear(started)
    metrics.hear({ ...finished, env_steps: 500 })
    metrics.hear({ ...finished, env_steps: 530 })
    const text = PrometheusMetrics.formatUnsafe(Context.make(Metric.MetricRegistry, registry))
    assert.match(text, /^troupe_env_steps_total\{[^}]*\} 30$/m)
  })
})

/** PPO in one file and the framework's compute the same: same seed, same weights to the last bit. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { readFileSync } from "node:fs"
import { train } from "../../examples/ppo-in-one-file.ts"
import { Run } from "../../src/runtime/Run.ts"

const framework = (seed: number, totalTimesteps?: number) =>
  Run.events({ algo: "ppo", seed, placement: "fiber", ...(totalTimesteps === undefined ? {} : { totalTimesteps }) })
    .pipe(
      Stream.runCollect,
      Effect.map((events) => {
        const last = [...events].at(-1)
        if (last?.event !== "finished") throw new Error("a run must end with finished")
        return {
          envSteps: last.env_steps,
          episodes: last.episodes,
          train20: last.train20,
          evalMean: last.eval_mean,
          solved: last.solved,
          hash: last.weights_sha256
        }
      }),
      Effect.provide(NodeServices.layer)
    )

describe("ppo-in-one-file", () => {
  it("stands on its own", () => {
    const source = readFileSync(new URL("../../examples/ppo-in-one-file.ts", import.meta.url), "utf8")
    const imported = Array.from(source.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)["']/g), (match) => match[1])
    assert.deepStrictEqual(imported, ["node:crypto"])
  })

  for (const [seed, iterations] of [[1, 1], [1, 10], [12_345_678_901, 3]] as const) {
    it.live(`has the framework's weights of seed ${seed} after ${iterations} iterations`, () =>
      Effect.gen(function*() {
        const totalTimesteps = iterations * 200
        assert.deepStrictEqual(train({ seed, totalTimesteps }), yield* framework(seed, totalTimesteps))
      }))
  }

  it.live("solves CartPole at the same step, with the same weights", () =>
    Effect.gen(function*() {
      const result = train({ seed: 1 })
      assert.isTrue(result.solved)
      assert.deepStrictEqual(result, yield* framework(1))
    }), 60_000)
})

/** The algorithm in one file and the framework compute the same: same seed, same weights to the last bit. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect, Stream } from "effect"
import { readFileSync } from "node:fs"
import { train } from "../../examples/a2c-in-one-file.ts"
import { Run } from "../../src/runtime/Run.ts"

const framework = (seed: number, totalTimesteps?: number) =>
  Run.events({ seed, placement: "fiber", ...(totalTimesteps === undefined ? {} : { totalTimesteps }) }).pipe(
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

describe("a2c-in-one-file", () => {
  it("stands on its own", () => {
    const source = readFileSync(new URL("../../examples/a2c-in-one-file.ts", import.meta.url), "utf8")
    const imported = Array.from(source.matchAll(/(?:\bfrom|\bimport)\s*\(?\s*["']([^"']+)["']/g), (match) => match[1])
    assert.deepStrictEqual(imported, ["node:crypto"])
  })

  // An update is 50 steps. The second seed takes two 32-bit words.
  for (const seed of [1, 12_345_678_901]) {
    for (const updates of [1, 2, 10, 80]) {
      it.live(`has the framework's weights of seed ${seed} after ${updates} updates`, () =>
        Effect.gen(function*() {
          assert.deepStrictEqual(train({ seed, totalTimesteps: updates * 50 }), yield* framework(seed, updates * 50))
        }))
    }
  }

  // The first evaluation of seed 135 does not agree that it is solved.
  for (const seed of [1, 135]) {
    it.live(`solves CartPole of seed ${seed} at the same step, with the same weights`, () =>
      Effect.gen(function*() {
        const result = train({ seed })
        assert.isTrue(result.solved)
        assert.deepStrictEqual(result, yield* framework(seed))
      }), 60_000)
  }

  it("gives other weights for another seed", () => {
    assert.notStrictEqual(train({ seed: 1, totalTimesteps: 50 }).hash, train({ seed: 2, totalTimesteps: 50 }).hash)
  })
})

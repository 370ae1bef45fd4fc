/** The benchmarks still run, all of them, and the loop without actors does the same work as a run. */
import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Stream from "effect/Stream"
import { execFile } from "node:child_process"
import { mkdtempSync, readFileSync, rmSync } from "node:fs"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { promisify } from "node:util"
import { bareLoop } from "../../bench/bare-loop.ts"
import type { Results } from "../../bench/index.ts"
import { show } from "../../bench/report.ts"
import { documented, readmeRows } from "../../bench/writing.ts"
import { Run, weightsHash } from "../../src/runtime/Run.ts"

describe("npm run bench", () => {
  it("measures every part", async () => {
    const folder = mkdtempSync(join(tmpdir(), "troupe-bench-"))
    try {
      const out = join(folder, "results.json")
      await promisify(execFile)(process.execPath, ["bench/index.ts", "--quick", "--out", out], {
        timeout: 280_000,
        maxBuffer: 2 ** 26
      })
      const results: Results = JSON.parse(readFileSync(out, "utf8"))
      const { parts } = results
      assert.deepStrictEqual(
        parts.map(({ part }) => part),
        ["training", "ppo", "startup", "environments", "actors", "handOvers", "recovery", "kernels", "simulation"]
      )
      for (const { figures } of parts) {
        for (const { column, row, value } of figures) assert.isTrue(Number.isFinite(value), `${row}, ${column}`)
      }
      // Whatever is measured has its place in the documentation.
      const page = documented(readFileSync("docs/performance.md", "utf8"), results)
      const [first] = parts
      assert.include(page, show(first!.figures[0]!))
      assert.include(readmeRows(readFileSync("README.md", "utf8"), results), "| Troupe, the notebook's work")
    } finally {
      rmSync(folder, { recursive: true })
    }
  }, 300_000)

  const small = { nEnvs: 10, nSteps: 20, hidden: [32], nEpochs: 2, keepGoing: true, seed: 3 }
  it.live.each(
    [
      ["a2c, 1 thread", 1, small],
      ["a2c, 2 threads", 2, small],
      ["ppo, 1 thread", 1, { ...small, algo: "ppo", batchSize: 50 }],
      ["ppo, 2 threads", 2, { ...small, algo: "ppo", batchSize: 200 }]
    ] as const
  )(
    "the bare loop leaves the weights of a run: %s",
    ([, threads, given]) =>
      Effect.gen(function*() {
        const loop = yield* Effect.promise(() => bareLoop(given, threads))
        for (let i = 0; i < 10; i++) loop.iterate()
        const hash = weightsHash(loop.weights())
        yield* Effect.promise(loop.close)
        const events = yield* Run.events({ ...given, placement: "fiber", totalTimesteps: 2000 }).pipe(
          Stream.filter((event) => event.event === "finished"),
          Stream.runCollect,
          Effect.provide(NodeServices.layer)
        )
        assert.deepStrictEqual([...events].map((event) => event.event === "finished" && event.weights_sha256), [hash])
      })
  )
})

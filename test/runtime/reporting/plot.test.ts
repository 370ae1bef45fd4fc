import * as NodeServices from "@effect/platform-node/NodeServices"
import { assert, describe, it, layer } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as FileSystem from "effect/FileSystem"
import * as Stream from "effect/Stream"
import { draw } from "../../../src/runtime/reporting/curve.ts"
import { folderReporter } from "../../../src/runtime/reporting/folderReporter.ts"
import * as MonitorFile from "../../../src/runtime/reporting/MonitorFile.ts"
import { plot } from "../../../src/runtime/reporting/plot.ts"
import { consume } from "../../../src/runtime/reporting/Reporter.ts"
import * as RunFolder from "../../../src/runtime/reporting/RunFolder.ts"
import { wholeRun } from "./syntheticRun.ts"

const lines = (svg: string) => [...svg.matchAll(/<path d="(M[^"]+)"[^>]*stroke="([^"]+)"/g)]

describe("draw", () => {
  it.effect("has a title, axis names, a legend and the dashed threshold", () =>
    Effect.gen(function*() {
      const curve = { steps: [10, 30, 60], returns: [10, 20, 30], title: "CartPole-v1", subtitle: "a2c, seed 1" }
      const svg = yield* draw({ ...curve, threshold: 475 })
      const words = [
        "CartPole-v1",
        "a2c, seed 1",
        "environment steps",
        "return",
        "episode return",
        "smoothed, weight 0.9",
        "reward threshold 475"
      ]
      for (const word of words) assert.include(svg, `>${word}<`)
      assert.match(svg, /stroke-dasharray="6,4"/)
      assert.notMatch(svg, /NaN|undefined/)
      assert.notMatch(yield* draw({ ...curve, threshold: null }), /stroke-dasharray|reward threshold/)
    }))
  it.effect("draws long runs, one episode, and returns below zero", () =>
    Effect.gen(function*() {
      const n = 50_000
      const long = yield* draw({
        steps: Array.from({ length: n }, (_, i) => i * 20),
        returns: Array.from({ length: n }, (_, i) => -500 + (i * 7919) % 400),
        title: "Pendulum-v1",
        subtitle: "",
        threshold: -110
      })
      assert.isBelow(long.length, 120_000)
      assert.isAbove(lines(long).length, 2)
      assert.notMatch(long, /NaN/)
      const one = yield* draw({ steps: [10], returns: [10], title: "", subtitle: "", threshold: null })
      assert.notMatch(one, /NaN/)
    }))
  it.effect("escapes what stands in a title", () =>
    Effect.gen(function*() {
      const svg = yield* draw({ steps: [1, 2], returns: [1, 2], title: "<b>&", subtitle: "", threshold: null })
      assert.include(svg, "&lt;b&gt;&amp;")
    }))
})

const shape = (svg: string) => lines(svg).map(([, path]) => path)

const message = (folder: string) => Effect.map(Effect.flip(plot(folder)), (fault) => `${fault._tag} ${fault.message}`)

layer(NodeServices.layer)("plot", (it) => {
  it.effect("draws the picture of the run's end again", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const folder = yield* RunFolder.create({
        logDir: yield* fs.makeTempDirectoryScoped(),
        envId: "CartPole-v1",
        preset: "a2c",
        seed: 1,
        rewardThreshold: 475,
        config: {}
      })
      const first = yield* Effect.gen(function*() {
        const reporter = yield* folderReporter(folder)
        yield* consume(Stream.fromIterable(wholeRun), [reporter])
        const svg = yield* fs.readFileString(folder.file("curve.svg"))
        yield* fs.remove(folder.file("curve.svg"))
        return shape(svg)
      }).pipe(Effect.scoped)
      assert.isFalse(yield* fs.exists(folder.file("curve.svg")), "drawn a second time for nothing")
      assert.strictEqual(yield* plot(folder.path), folder.file("curve.svg"))
      assert.deepStrictEqual(shape(yield* fs.readFileString(folder.file("curve.svg"))), first)
    }))

  it.effect("reads a monitor.csv of Stable-Baselines3, and a line cut by a crash", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const dir = yield* fs.makeTempDirectoryScoped()
      yield* fs.writeFileString(
        `${dir}/monitor.csv`,
        `#{"t_start": 1700000000.5, "env_id": "CartPole-v1"}\nr,l,t\n12.0,12,0.01\n30.0,30,0.02\n4`
      )
      assert.deepStrictEqual((yield* MonitorFile.read(`${dir}/monitor.csv`)).steps, [12, 42])
      yield* plot(dir)
      assert.include(yield* fs.readFileString(`${dir}/curve.svg`), "episode return")
    }))

  it.effect("says what is missing", () =>
    Effect.gen(function*() {
      const fs = yield* FileSystem.FileSystem
      const dir = yield* fs.makeTempDirectoryScoped()
      assert.match(yield* message(`${dir}/none`), /^PlotFault Cannot plot ".*none": there is no such folder\.$/)
      assert.match(yield* message(dir), /it holds no monitor\.csv; name the folder of one run/)
      yield* fs.writeFileString(`${dir}/monitor.csv`, `#{"t_start": 1, "env_id": "x"}\nr,l,t\n`)
      assert.match(yield* message(dir), /its monitor\.csv holds no finished episode yet/)
    }))
})

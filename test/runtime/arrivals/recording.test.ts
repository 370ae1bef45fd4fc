/** The recording's format, and what is refused; whole runs are replayed in `test/cli.test.ts`. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import * as recording from "../../../src/runtime/arrivals/recording.ts"
import { presets } from "../../../src/runtime/config/presets.ts"
import type { RunConfig } from "../../../src/runtime/config/RunConfig.ts"

const config: RunConfig = { ...presets.a3c, workers: 2 }
const here: RunConfig = { ...presets.a2c, workers: 4, placement: "fiber", logDir: "elsewhere" }

const Arrival = Schema.Tuple([
  Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 65_535 })),
  Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 31 - 1 }))
])

const write = (arrivals: ReadonlyArray<readonly [number, number]>) => {
  const recorder = new recording.Recorder()
  for (const [environment, staleness] of arrivals) recorder.write(environment, staleness)
  return recorder.toBytes(config)
}

describe("recording", () => {
  it.effect.prop("reads what it wrote", [Schema.Array(Arrival)], ([arrivals]) =>
    Effect.gen(function*() {
      const read = yield* recording.read(write(arrivals), "arrivals.bin", here)
      assert.deepStrictEqual([...read.environments], arrivals.map(([environment]) => environment))
      assert.deepStrictEqual([...read.staleness], arrivals.map(([, staleness]) => staleness))
    }))

  it.effect("keeps what decides the run, and leaves open where it runs", () =>
    Effect.gen(function*() {
      const read = yield* recording.read(write([[0, 0]]), "arrivals.bin", here)
      assert.isUndefined(recording.firstDifference(read.config, config))
      assert.strictEqual(read.config.workers, 4)
      assert.strictEqual(read.config.placement, "fiber")
      assert.strictEqual(recording.firstDifference(read.config, { ...config, gamma: 0.5 }), "gamma")
      assert.isUndefined(recording.firstDifference(read.config, { ...config, chaos: 7 }))
    }))

  it("takes two bytes an arrival", () => {
    const many = Array.from({ length: 1000 }, (_, i) => [i % 10, i % 12] as const)
    assert.strictEqual(write(many).length - write([]).length, 2000)
  })

  it.effect("refuses every cut, and every change of a byte", () =>
    Effect.gen(function*() {
      const bytes = write([[3, 1], [200, 5], [9, 70_000]])
      for (let length = 0; length < bytes.length; length++) {
        const error = yield* Effect.flip(recording.read(bytes.subarray(0, length), "here", config))
        assert.match(error.message, /^here cannot be replayed: /)
      }
      for (let at = 0; at < bytes.length; at++) {
        const changed = Uint8Array.from(bytes)
        changed[at] = changed[at]! ^ 1
        const error = yield* Effect.flip(recording.read(changed, "here", config))
        assert.match(error.message, /^here cannot be replayed: it is /)
      }
    }))
})

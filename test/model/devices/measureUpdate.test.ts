/** What an update takes, by measuring a device of known speed on a clock of the test's own. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { TestClock } from "effect/testing"
import type { DeviceOf, LearnerModel } from "../../../src/model/Device.ts"
import { measureUpdate, type UpdateShape } from "../../../src/model/devices/measureUpdate.ts"
import { adam } from "../../../src/model/optimizers.ts"
import { categoricalMlp } from "../../../src/model/policy/PolicySpec.ts"
import { Pcg64 } from "../../../src/random/Pcg64.ts"

/** Milliseconds on the clock, and the rows of the updates that were made. */
interface Made {
  millis: number
  readonly rows: Array<number>
}

/** A device whose updates take so long, up to `noise` times longer now and then; its first one of a shape compiles for a second. */
const deviceOf = (made: Made, millisOf: (rows: number) => number, noise: () => number): DeviceOf<"webgpu"> => ({
  name: "webgpu",
  model: (spec) =>
    Effect.sync(() => {
      let compiled = false
      let rows = 0
      const never = Effect.die("nobody asks for this")
      const model: LearnerModel<"webgpu"> = {
        device: "webgpu",
        spec,
        batch: (segments) =>
          Effect.sync(() => {
            rows = segments.reduce((sum, segment) => sum + segment.rows, 0)
            return { device: "webgpu", rows, segments }
          }),
        gradients: () => Effect.succeed({ device: "webgpu", loss: { policyLoss: 0, valueLoss: 0, entropy: 0 } }),
        evaluate: () => never,
        gather: () => never,
        apply: () => Effect.succeed(1),
        read: () =>
          Effect.suspend(() => {
            const millis = millisOf(rows) * noise() + (compiled ? 0 : 1000)
            compiled = true
            made.rows.push(rows)
            made.millis += millis
            return TestClock.adjust(millis)
          }),
        write: () => never,
        save: never,
        load: () => never
      }
      return model
    })
})

const shapeOf = (rows: number): UpdateShape => ({
  model: {
    policy: categoricalMlp({ towers: "separate", inputs: 4, actions: 2, hidden: [8], activation: "relu" }),
    optimizer: adam,
    maxRows: 128
  },
  rows
})

const measured = (rows: number, millisOf: (rows: number) => number, noise: () => number = () => 1, most?: number) =>
  Effect.gen(function*() {
    const made: Made = { millis: 0, rows: [] }
    const time = yield* measureUpdate(deviceOf(made, millisOf, noise), shapeOf(rows), 80, most)
    return { time, made }
  })

const Rows = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 100_000 }))
const Fixed = Schema.Literals([0.05, 1, 20, 60, 200])
const PerRow = Schema.Literals([0.00001, 0.001, 0.01, 1])
const Seed = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 }))

describe("measureUpdate", () => {
  it.effect.prop(
    "finds what an update takes, whatever of it is the same for any number of rows, and with updates that are disturbed",
    [Rows, Fixed, PerRow, Seed],
    ([rows, fixed, perRow, seed]) =>
      Effect.gen(function*() {
        const random = Pcg64.fromSeed(seed)
        const { made, time } = yield* measured(rows, (n) => fixed + perRow * n, () => 1 + 0.3 * random.random())
        const truth = fixed + perRow * rows
        const whole = made.rows.at(-1) === rows
        assert.isAtLeast(time, truth * (whole ? 0.999 : 0.5))
        assert.isAtMost(time, truth * (whole ? 1.3 : 2.2))
        if (truth < 200) assert.isTrue(whole, "what takes little is measured whole")
        // No single update takes much more than the budget, unless every update of the device does.
        const longest = fixed + perRow * Math.max(...made.rows)
        if (longest > 2 * fixed) assert.isAtMost(longest, 12 * (80 + fixed) + 256 * perRow)
      }),
    { arbitrary: { runs: 300 } }
  )

  it.effect("measures the whole batch where it takes tens of milliseconds, of which most are the same for any batch", () =>
    Effect.gen(function*() {
      // As one GPU did: twelve estimates by lines through small samples ranged from 15 to 1335 ms.
      const random = Pcg64.fromSeed(1)
      for (let round = 0; round < 12; round++) {
        const { made, time } = yield* measured(20_480, (n) => 20 + n * 0.0007, () => 1 + 0.5 * random.random())
        assert.isAtLeast(time, 34)
        assert.isAtMost(time, 55)
        assert.strictEqual(made.rows.at(-1), 20_480)
        // Compiling aside, which is done once for each size.
        assert.isAtMost(made.millis - 1000 * new Set(made.rows).size, 1000)
      }
    }))

  it.effect("does not make updates that take too long, nor ones that there is no room for", () =>
    Effect.gen(function*() {
      const slow = yield* measured(1_000_000, (n) => n)
      assert.closeTo(slow.time, 1_000_000, 1)
      assert.isAtMost(Math.max(...slow.made.rows), 1024)
      const narrow = yield* measured(1_000_000, (n) => n * 0.0001, () => 1, 5000)
      assert.closeTo(narrow.time, 100, 1)
      assert.strictEqual(Math.max(...narrow.made.rows), 5000)
    }))
})

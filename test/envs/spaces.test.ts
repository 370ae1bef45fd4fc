/** Box and Discrete: what they contain, how they sample, how they flatten. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { Box, Discrete } from "../../src/envs/index.ts"
import { Pcg64 } from "../../src/random/index.ts"

const Seed = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1e9 }))

describe("Discrete", () => {
  it.prop("contains what it samples, and gives it back from one-hot", [
    Seed,
    Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 50 })),
    Schema.Int.check(Schema.isBetween({ minimum: -9, maximum: 9 }))
  ], ([seed, n, start]) => {
    const space = new Discrete(n, { start })
    const random = Pcg64.fromSeed(seed)
    const flat = new Float32Array(space.size)
    for (let i = 0; i < 10; i++) {
      const value = space.sample(random)
      assert.isTrue(space.contains(value))
      space.encode(value, flat)
      assert.strictEqual(space.decode(flat), value)
    }
    assert.isFalse(space.contains(start - 1))
    assert.isFalse(space.contains(start + n))
  })

  it("refuses what is no element", () => {
    const space = new Discrete(2)
    for (const value of [2, -1, 0.5, NaN, "1", null, [1]]) assert.isFalse(space.contains(value))
    assert.isNaN(space.decode(Float32Array.of(0, 0)))
    assert.isNaN(space.decode(Float32Array.of(1, 1)))
    assert.isNaN(space.decode(Float32Array.of(0.5, 0)))
    assert.strictEqual(`${space}`, "Discrete(2)")
  })
})

describe("Box", () => {
  const space = new Box({ low: [-1, -Infinity, 0, -Infinity], high: [1, 3, Infinity, Infinity] })

  it.prop("contains what it samples", [Seed], ([seed]) => {
    const random = Pcg64.fromSeed(seed)
    for (let i = 0; i < 10; i++) assert.isTrue(space.contains(space.sample(random)))
  })

  it("samples as Gymnasium does, whatever the form of the interval", () => {
    // gymnasium.spaces.Box(low, high, dtype=float32, seed=7).sample(), twice
    const random = Pcg64.fromSeed(7)
    const sample = () => Array.from(space.sample(random))
    assert.deepStrictEqual([sample(), sample()], [[
      -0.5495856404304504,
      2.4314513206481934,
      1.0252033472061157,
      0.001230153371579945
    ], [0.6424568295478821, 2.990246295928955, 3.3836374282836914, -0.454670786857605]])
  })

  it("refuses what is no element", () => {
    assert.isTrue(space.contains(Float32Array.of(0, 0, 0, 0)))
    assert.isFalse(space.contains(Float32Array.of(0, 0, 0)))
    assert.isFalse(space.contains([0, 4, 0, 0]))
    assert.isFalse(space.contains([0, 0, Infinity, 0]))
    assert.isFalse(space.contains([0, 0, 0, NaN]))
    assert.isFalse(space.contains("0000"))
    assert.isFalse(space.contains(0))
  })

  it("rounds its bounds to float32 unless told otherwise", () => {
    assert.strictEqual(new Box({ low: 0, high: 0.1 }).high[0], Math.fround(0.1))
    assert.strictEqual(new Box({ low: 0, high: 0.1, dtype: "float64" }).high[0], 0.1)
    const image = new Box({ low: 0, high: 1, shape: [2, 3] })
    assert.strictEqual(image.size, 6)
    assert.strictEqual(`${image}`, "Box(0, 1, [2, 3], float32)")
  })
})

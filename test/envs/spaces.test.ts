/** Spaces: what they contain, how they sample, how they flatten, and what is none. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import {
  type AnySpace,
  Box,
  Dict,
  Discrete,
  InvalidSpace,
  MultiBinary,
  MultiDiscrete,
  spaceFromJson,
  spaceProblem,
  Text,
  Tuple
} from "../../src/envs/index.ts"
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

/** Some space of a seed: every kind, composites within composites. */
const anySpace = (seed: number, depth: number): AnySpace => {
  const random = Pcg64.fromSeed(seed)
  const between = (low: number, high: number) => random.integers(low, high + 1)
  const several = <A>(least: number, most: number, make: () => A): Array<A> =>
    Array.from({ length: between(least, most) }, make)
  const one = <A>(of: ReadonlyArray<A>): A => of[between(0, of.length - 1)]!
  const characters = ["a", "Z", " ", "é", "漢", "😀", "\""]
  const space = (depth: number): AnySpace => {
    switch (between(0, depth === 0 ? 5 : 7)) {
      case 0:
        return new Discrete(between(1, 6), { start: between(-9, 9) })
      case 1: {
        const nvec = several(1, 4, () => between(1, 5))
        return new MultiDiscrete(nvec, { start: nvec.map(() => between(-9, 9)) })
      }
      case 2:
        return new MultiBinary(several(1, 3, () => between(1, 3)))
      case 3:
        return new Text(between(1, 6), {
          minLength: between(0, 1),
          charset: several(1, 9, () => one(characters)).join("")
        })
      case 4: {
        const bounds = several(1, 4, () => one([[-1, 1], [-Infinity, 3], [0, Infinity], [-Infinity, Infinity]]))
        const dtype = one(["float16", "float32", "float64", "int8", "int16", "int32", "int64"] as const)
        return new Box({ dtype, low: bounds.map(([low]) => low!), high: bounds.map(([, high]) => high!) })
      }
      case 5: {
        const dtype = one(["uint8", "uint16", "uint32", "uint64", "bool"] as const)
        return new Box({ dtype, low: 0, high: 1, shape: [2, 2] })
      }
      case 6:
        return new Tuple(several(1, 3, () => space(depth - 1)))
      default:
        return new Dict(
          Object.fromEntries(several(1, 3, () => [one(["b", "10", "9", "__proto__", ""]), space(depth - 1)]))
        )
    }
  }
  return space(depth)
}

describe("every space", () => {
  it.prop("contains what it samples; flattened, or as JSON, it comes back", [Seed, Seed], ([of, seed]) => {
    const space = anySpace(of, 2)
    assert.isUndefined(spaceProblem(space))
    const sampler = space.sampler(seed)
    const flat = new Float64Array(space.size)
    const again: AnySpace = spaceFromJson(JSON.parse(JSON.stringify(space)))
    assert.strictEqual(`${again}`, `${space}`)
    const other = again.sampler(seed)
    for (let i = 0; i < 5; i++) {
      const value = sampler.sample()
      assert.isTrue(space.contains(value), `${space} contains ${JSON.stringify(value)}`)
      assert.deepStrictEqual(other.sample(), value)
      space.encode(value, flat.fill(NaN))
      assert.isUndefined(space.decodeProblem(flat))
      const decoded = space.decode(flat)
      assert.isTrue(space.contains(decoded))
      const back = new Float64Array(space.size)
      space.encode(decoded, back)
      assert.deepStrictEqual(back, flat)
      assert.deepStrictEqual(again.decodeJson(JSON.parse(JSON.stringify(space.encodeJson(value)))), value)
    }
  })

  it.prop("a copy of a sampler's state is a snapshot of it", [Seed, Seed], ([of, seed]) => {
    const space = anySpace(of, 2)
    const sampler = space.sampler(seed)
    sampler.sample()
    const other = space.sampler(0, new Uint32Array(sampler.state.length))
    other.state.set(sampler.state)
    assert.deepStrictEqual(other.sample(), sampler.sample())
    other.reseed(seed)
    assert.deepStrictEqual(other.sample(), space.sampler(seed).sample())
  })

  it.prop("contains nothing that is of another kind", [Seed], ([of]) => {
    const space = anySpace(of, 1)
    for (const value of [undefined, null, {}, [], NaN, "\u0000", [undefined], { a: undefined }, new Map(), [[]]]) {
      assert.isFalse(space.contains(value), `${space} contains ${String(value)}`)
      assert.isUndefined(space.decodeJson(value))
    }
    assert.isFalse(space.contains(new Float32Array(space.size).fill(NaN)))
  })
})

describe("masks", () => {
  const random = Pcg64.fromSeed(3)

  it("leave only what they allow", () => {
    for (let i = 0; i < 20; i++) {
      assert.include([2, 4], new Discrete(5, { start: 1 }).sample(random, [0, 1, 0, 1, 0]))
      assert.deepStrictEqual([...new MultiDiscrete([2, 3]).sample(random, [[0, 1], [1, 0, 0]])], [1, 0])
      assert.strictEqual(new MultiBinary(3).sample(random, [0, 1, 2])[1], 1)
      assert.match(new Text(4, { charset: "abc" }).sample(random, { length: 3, characters: [1, 0, 1] }), /^[ac]{3}$/)
    }
    const space = new Dict({ gear: new Discrete(3), pair: new Tuple([new Discrete(2), new Discrete(2)]) })
    const { gear, pair } = space.sampler(1).sample({ gear: [0, 0, 1], pair: [undefined, [0, 1]] })
    assert.strictEqual(gear, 2)
    assert.strictEqual(pair[1], 1)
  })

  const wrong: ReadonlyArray<readonly [string, () => unknown, RegExp]> = [
    [
      "too short",
      () => new Discrete(3).sample(random, [1, 1]),
      /2 numbers where the space has 3 elements: give one each/
    ],
    ["no 0 or 1", () => new Discrete(2).sample(random, [1, 2]), /is 2 at 1: give 1 \(may be drawn\) or 0/],
    ["for too few numbers", () => new MultiDiscrete([2, 2]).sample(random, [[1, 1]]), /1 masks where the space has 2/],
    ["no 0, 1, 2", () => new MultiBinary(1).sample(random, [3]), /is 3 at 0: give 0, 1, or 2/],
    [
      "without a character",
      () => new Text(2, { charset: "a" }).sample(random, { characters: [0] }),
      /leaves no character/
    ],
    ["too long", () => new Text(2).sample(random, { length: 3 }), /wants 3 characters: give an integer from 1 to 2/],
    [
      "for too few parts",
      () => new Tuple([new Discrete(2)]).sampler(0).sample([]),
      /0 masks where the space has 1 parts/
    ],
    [
      "of a stranger",
      () => new Dict({ a: new Discrete(2) }).sampler(0).sample({ b: [1, 1] }),
      /mask for "b": give masks for a/
    ]
  ]
  for (const [what, draw, message] of wrong) it(`${what} is refused`, () => assert.throws(draw, message))
})

describe("what is no space", () => {
  const wrong: ReadonlyArray<readonly [unknown, RegExp]> = [
    [undefined, /is missing: give a Box or a Discrete/],
    [{ _tag: "Graph" }, /is no space: give a Box or a Discrete \(or one of Box, Dict, /],
    [new MultiDiscrete([2, 0]), /has nvec = \[2,0\]: give positive integers/],
    [new MultiDiscrete([2, 3], { start: [1] }), /starts at \[1\]: give 2 integers/],
    [new MultiDiscrete([2, 3], { shape: [3] }), /has the shape \[3\] for 2 numbers/],
    [new MultiBinary(0), /has the shape \[0\]/],
    [new Text(0), /has maxLength = 0/],
    [new Text(2, { minLength: 3 }), /has minLength = 3: give an integer from 0 to maxLength, 2/],
    [new Text(2, { charset: "" }), /has no characters/],
    [new Tuple([]), /has no parts/],
    [new Tuple([new Discrete(2), new Discrete(0)]), /has a part 1 that has n = 0/],
    [new Dict({}), /has no parts/],
    [
      new Dict({ a: new Dict({ b: new MultiBinary(-1) }) }),
      /has a part "a" that has a part "b" that has the shape \[-1\]/
    ],
    [new Box({ low: -Infinity, high: 1, dtype: "uint8" }), /beyond uint8: give numbers from 0 to 255/],
    [new Box({ low: 0, high: 256, dtype: "uint8" }), /beyond uint8/]
  ]
  for (const [space, message] of wrong) {
    it(`${message}`, () => {
      assert.match(spaceProblem(space) ?? "", message)
      if (space !== undefined) assert.throws(() => spaceFromJson(JSON.parse(JSON.stringify(space))), InvalidSpace)
    })
  }

  it("names that are not those of the parts", () => {
    const space = new Dict({ a: new Discrete(2) }, { keys: ["b"] })
    assert.strictEqual(spaceProblem(space), "has the keys [b]: give each of a once")
  })

  it("JSON is refused with a sentence", () => {
    assert.throws(() => spaceFromJson(7), /The JSON is no space: it has no known type: give one of Box, Dict, /)
    assert.throws(() => spaceFromJson({ type: "Discrete", n: "2" }), /it is no Discrete: Expected .* at \["n"\]/)
    assert.throws(() => spaceFromJson({ type: "Tuple", spaces: [{}] }), /it has no known type/)
    assert.throws(() => spaceFromJson({ type: "Box", low: 0, high: 1, shape: [1], dtype: "complex" }), /no Box: /)
  })
})

/** Laws of the generator that hold for every seed. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { isEntropy, Pcg64, SeedSequence } from "../../src/random/index.ts"

const Seed = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }))
const Few = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 40 }))

/** One draw of each kind, so that every kind of state is passed through. */
const mixedDraws = (generator: Pcg64, count: number): Array<number> =>
  Array.from({ length: count }, (_, i) => {
    switch (i % 6) {
      case 0:
        return generator.random()
      case 1:
        return generator.integers(0, 6)
      case 2:
        return generator.standardNormal()
      case 3:
        return generator.randomFloat32()
      case 4:
        return generator.standardExponential()
      default:
        return generator.integers(-(2 ** 40), 2 ** 40)
    }
  })

describe("Pcg64", () => {
  it.prop("a copy of the ten words goes on with the same stream", [Seed, Few], ([seed, before]) => {
    const generator = Pcg64.fromSeed(seed)
    mixedDraws(generator, before)
    const snapshot = generator.state.slice()
    const after = mixedDraws(generator, 30)
    assert.deepStrictEqual(mixedDraws(Pcg64.view(snapshot), 30), after)
  })

  it.prop("lives in the memory it is given", [Seed], ([seed]) => {
    const memory = new Uint32Array(new SharedArrayBuffer(64), 8, Pcg64.words)
    const shared = Pcg64.fromSeed(seed, memory)
    const own = Pcg64.fromSeed(seed)
    assert.deepStrictEqual(mixedDraws(shared, 20), mixedDraws(own, 20))
    assert.deepStrictEqual(Array.from(memory), Array.from(own.state))
  })

  it.prop("reseeding starts afresh, whatever was drawn before", [Seed, Few], ([seed, before]) => {
    const generator = Pcg64.fromSeed(1)
    mixedDraws(generator, before)
    generator.reseed(seed)
    assert.deepStrictEqual(Array.from(generator.state), Array.from(Pcg64.fromSeed(seed).state))
  })

  it.prop("steps its state as 128-bit integers do", [Seed], ([seed]) => {
    const generator = Pcg64.fromSeed(seed)
    const read = (at: number) =>
      [3, 2, 1, 0].reduce((value, i) => (value << 32n) | BigInt(generator.state[at + i]!), 0n)
    const multiplier = 0x2360ed051fc65da44385df649fccf645n
    for (let i = 0; i < 50; i++) {
      const expected = BigInt.asUintN(128, read(0) * multiplier + read(4))
      const word = generator.randomRaw()
      assert.strictEqual(read(0), expected)
      const folded = (expected >> 64n) ^ BigInt.asUintN(64, expected)
      const rotation = expected >> 122n
      assert.strictEqual(word, BigInt.asUintN(64, (folded >> rotation) | (folded << ((64n - rotation) & 63n))))
    }
  })

  it("multiplies right where every word is at its largest", () => {
    const generator = Pcg64.view(new Uint32Array(10).fill(0xffffffff, 0, 8))
    generator.randomRaw()
    const all = (1n << 128n) - 1n
    const expected = BigInt.asUintN(128, all * 0x2360ed051fc65da44385df649fccf645n + all)
    const state = [3, 2, 1, 0].reduce((value, i) => (value << 32n) | BigInt(generator.state[i]!), 0n)
    assert.strictEqual(state, expected)
  })

  it.prop("integers stay in range", [Seed, Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 2 ** 45 }))], (
    [seed, width]
  ) => {
    const generator = Pcg64.fromSeed(seed)
    for (let i = 0; i < 20; i++) {
      const value = generator.integers(-7, width - 7)
      assert.isTrue(Number.isInteger(value) && value >= -7 && value < width - 7, `${value}`)
    }
  })

  it.prop("permutations hold every index once", [Seed, Few], ([seed, n]) => {
    assert.deepStrictEqual(Array.from(Pcg64.fromSeed(seed).permutation(n)).toSorted((a, b) => a - b), [
      ...Array(n).keys()
    ])
  })

  it("has NumPy's wide ranges, tails and exponentials", () => {
    // Recorded once from numpy.random.default_rng(42).
    const wide = Pcg64.fromSeed(42)
    assert.deepStrictEqual([0, 1, 2].map(() => wide.integers(0, 2 ** 53 - 1)), [
      6971176343755556,
      3953065555456575,
      7733562544347969
    ])
    const full = Pcg64.fromSeed(42)
    assert.deepStrictEqual([0, 1, 2].map(() => full.integers(-5, 2 ** 32 - 5)), [383329923, 3324115912, 2811363260])
    const exponentials = Pcg64.fromSeed(42)
    for (let i = 0; i < 10_000; i++) exponentials.standardExponential()
    assert.deepStrictEqual([0, 1, 2].map(() => exponentials.standardExponential()), [
      0.8943624463357941,
      0.41381648739270355,
      2.0839357395975933
    ])
    const normals = Pcg64.fromSeed(42)
    const beyond = Array.from({ length: 100_000 }, () => normals.standardNormal()).filter((x) =>
      Math.abs(x) > 3.6541528853610088
    )
    assert.deepStrictEqual(beyond, [
      -4.389114584864837,
      4.0258240427272645,
      4.151241397039601,
      -3.887804341619664,
      -3.700091559090642,
      3.6825095059822104,
      -4.257009288247994,
      3.7191514806707002,
      4.087923070821299,
      4.326920740610131,
      -3.792257787295772,
      5.0072352319089966,
      3.8676072956687935,
      -3.8100189314397994,
      4.085417964408369,
      3.7302572998651278,
      -3.9067876095644034,
      3.7596148136002747,
      4.185392376147101,
      3.890842249501571,
      4.0283468866991266,
      -3.888142121160593,
      3.7304696995347015,
      3.674060619313251,
      4.506745812887017,
      3.868101742518964,
      3.667378459020638,
      -3.823946149741148
    ])
    assert.strictEqual(normals.random(), 0.4653811406661367)
  })

  it("refuses what cannot be a seed or a range", () => {
    for (const seed of [-1, 0.5, NaN, -1n, 2 ** 53, [1, -1], "1", null]) assert.isFalse(isEntropy(seed))
    for (const seed of [0, 7, 10n ** 40n, [1, 2n]]) assert.isTrue(isEntropy(seed))
    assert.throws(() => Pcg64.fromSeed(-1), /A seed is a non-negative integer, not -1/)
    assert.throws(() => Pcg64.fromSeed(0).integers(3, 3), /no integer to draw in \[3, 3\)/)
    assert.throws(() => Pcg64.view(new Uint32Array(9)), /10 words, not 9/)
    assert.throws(() => new SeedSequence(1, { poolSize: 2 }), /at least 4 words/)
  })
})

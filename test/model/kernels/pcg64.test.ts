/** The kernels' random stream is the one of `src/random`, to the bit, and sampling takes one draw a row. */
import { assert, describe, it } from "@effect/vitest"
import { Pcg64 } from "../../../src/random/Pcg64.ts"
import { makeBed, Seed } from "./bed.ts"

describe("PCG64 in the kernels", () => {
  it.prop("draws the same doubles and leaves the same state", [Seed], ([seed]) => {
    const { kernels, streams } = makeBed(65536)
    const stream = streams([seed])
    const expected = Pcg64.fromSeed(seed)
    for (let k = 0; k < 200; k++) assert.strictEqual(kernels.uniform(stream.at), expected.random())
    assert.deepStrictEqual(Array.from(stream.view), Array.from(expected.state))
  })

  it.prop("carries over every word", [Seed, Seed, Seed, Seed], (words) => {
    const { kernels, streams } = makeBed(65536)
    const stream = streams([0])
    // States with long runs of ones, where a carry goes through all words.
    const state = Uint32Array.from([...words, 0xffffffff, 0xffffffff, 0xffffffff, 0x7fffffff, 0, 0])
    stream.view.set(state)
    const expected = Pcg64.view(state.slice())
    for (let k = 0; k < 20; k++) assert.strictEqual(kernels.uniform(stream.at), expected.random())
    assert.deepStrictEqual(Array.from(stream.view), Array.from(expected.state))
  })

  it("leaves a waiting 32-bit half alone, as NumPy does", () => {
    const { kernels, streams } = makeBed(65536)
    const stream = streams([5])
    const expected = Pcg64.fromSeed(5)
    Pcg64.view(stream.view).randomFloat32()
    expected.randomFloat32()
    assert.strictEqual(kernels.uniform(stream.at), expected.random())
    assert.deepStrictEqual(Array.from(stream.view), Array.from(expected.state))
  })
})

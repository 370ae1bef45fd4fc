/** exp, log and tanh of the kernels: error bounds against float64, and what happens at the borders. */
import { assert, describe, it } from "@effect/vitest"
import { exp, log, tanh } from "../../../src/math/index.ts"
import { bits, makeBed } from "./bed.ts"

/** Evenly spread float32 numbers. */
const spreadOut = (low: number, high: number): Float32Array => {
  const n = 200_000
  return Float32Array.from({ length: n }, (_, k) => low + (high - low) * (k / (n - 1)))
}

type Name = "exponential" | "logarithm" | "hyperbolicTangent"

const applied = (name: Name, x: Float32Array): Float32Array => {
  const { floats, kernels } = makeBed(x.length * 8 + 65536)
  const input = floats(x)
  const output = floats(x.length)
  kernels[name](input.at, output.at, x.length)
  return output.view
}

const largestError = (actual: Float32Array, x: Float32Array, exact: (x: number) => number): number => {
  let largest = 0
  for (let k = 0; k < x.length; k++) {
    const expected = exact(x[k]!)
    const error = expected === 0 ? Math.abs(actual[k]!) : Math.abs(actual[k]! / expected - 1)
    if (!(error <= largest)) largest = error
  }
  return largest
}

describe("elementary functions of the kernels", () => {
  it("exp is within 1e-7, relative, from -87.3 to 88.3", () => {
    const x = spreadOut(-87.3, 88.3)
    assert.isBelow(largestError(applied("exponential", x), x, exp), 1e-7)
  })

  it("exp vanishes below -87.34 and never is subnormal; exp(0) is 1", () => {
    const y = applied("exponential", Float32Array.of(0, -0, -87.34, -100, -1e30, -Infinity, NaN))
    assert.deepStrictEqual(Array.from(y), [1, 1, 0, 0, 0, 0, NaN])
  })

  it("log is within 1.5e-7, relative, over all magnitudes and close to 1", () => {
    const magnitudes = spreadOut(-86, 88).map((x) => Math.fround(exp(x)))
    for (const x of [magnitudes, spreadOut(0.5, 2), spreadOut(1, 1.001), spreadOut(1, 64)]) {
      assert.isBelow(largestError(applied("logarithm", x), x, log), 1.5e-7)
    }
    assert.deepStrictEqual(Array.from(applied("logarithm", Float32Array.of(1, NaN))), [0, NaN])
  })

  it("tanh is within 3.6e-7, relative, of any size, odd, and never beyond 1", () => {
    for (const x of [spreadOut(-1, 1), spreadOut(-12, 12), spreadOut(-1e-3, 1e-3), spreadOut(-1e-30, 1e-30)]) {
      const y = applied("hyperbolicTangent", x)
      assert.isBelow(largestError(y, x, tanh), 3.6e-7)
      assert.isTrue(y.every((value) => Math.abs(value) <= 1))
      assert.deepStrictEqual(
        bits(applied("hyperbolicTangent", x.map((value) => -value))),
        bits(y.map((value) => -value))
      )
    }
    const borders = applied("hyperbolicTangent", Float32Array.of(0, 9.1, 1e30, Infinity, -Infinity, NaN))
    assert.deepStrictEqual(Array.from(borders), [0, 1, 1, 1, -1, NaN])
  })
})

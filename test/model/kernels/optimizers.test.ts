/** Optimizers and sums on the kernels, against float64, and the freedom to cut them into slices anywhere. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { applyOptimizer, initialOptimizerState, type OptimizerSpec } from "../../../src/model/optimizers.ts"
import { Pcg64 } from "../../../src/random/Pcg64.ts"
import { approximately } from "../approximately.ts"
import { bits, type Floats, makeBed, Seed } from "./bed.ts"

const Length = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 67 }))

const adamSpec: OptimizerSpec = { kind: "adam", beta1: 0.9, beta2: 0.999, epsilon: 1e-8 }

const setUp = (n: number, seed: number) => {
  const bed = makeBed(200_000)
  const random = Pcg64.fromSeed(seed)
  const draw = (bound = 1) => bed.floats(Float32Array.from({ length: n }, () => random.uniform(-bound, bound)))
  return { ...bed, draw }
}

/** A step's arrays: what is read, and what is written. */
interface Arrays {
  readonly p: Floats
  readonly m: Floats
  readonly v: Floats
}

const all = ({ m, p, v }: Arrays) => [p, m, v].map(({ view }) => bits(view))

const adam = (
  { kernels }: ReturnType<typeof makeBed>,
  from: Arrays,
  to: Arrays,
  gradients: Floats,
  step: number,
  first = 0,
  count = gradients.view.length
) => {
  const at = first * 4
  let product1 = 1
  let product2 = 1
  for (let t = 0; t < step; t++) {
    product1 *= 0.9
    product2 *= 0.999
  }
  kernels.adam(
    from.p.at + at,
    to.p.at + at,
    gradients.at + at,
    from.m.at + at,
    to.m.at + at,
    from.v.at + at,
    to.v.at + at,
    count,
    0.5,
    1e-2,
    0.9,
    0.999,
    1e-8,
    1 - product1,
    1 - product2
  )
}

describe("optimizers of the kernels", () => {
  it("lets the moments of gradients that have ceased become zero, and never subnormal", () => {
    const s = setUp(7, 1)
    const arrays = { p: s.draw(), m: s.draw(), v: s.floats(7) }
    const still = s.floats(7)
    for (let step = 1; step <= 1000; step++) {
      adam(s, arrays, arrays, still, step)
      for (const value of arrays.m.view) assert.isTrue(value === 0 || Math.abs(value) > 2 ** -101)
    }
    assert.isTrue(arrays.m.view.every((value) => value === 0))
  })

  it.prop("Adam is the float64 one's over ten steps, in place", [Length, Seed], ([n, seed]) => {
    const s = setUp(n, seed)
    const arrays = { p: s.draw(), m: s.floats(n), v: s.floats(n) }
    const expected = Float64Array.from(arrays.p.view)
    const state = initialOptimizerState(adamSpec, n)
    for (let step = 1; step <= 10; step++) {
      const gradients = s.draw()
      adam(s, arrays, arrays, gradients, step)
      applyOptimizer(adamSpec, state, expected, Float64Array.from(gradients.view, (g) => g / 2), 1e-2)
    }
    // Ten steps of 0.01, each within a few float32 roundings of itself, and the rounding of the parameters.
    approximately(arrays.p.view, expected, 2e-6, "parameters")
  })

  it.prop("Adam writes elsewhere what it writes in place, and leaves what it read", [Length, Seed], ([n, seed]) => {
    const s = setUp(n, seed)
    const square = () => {
      const v = s.draw()
      v.view.forEach((value, k) => v.view[k] = value * value)
      return v
    }
    const from = { p: s.draw(), m: s.draw(), v: square() }
    const before = all(from)
    const to = { p: s.floats(n), m: s.floats(n), v: s.floats(n) }
    const gradients = s.draw()
    adam(s, from, to, gradients, 3)
    assert.deepStrictEqual(all(from), before)
    adam(s, from, from, gradients, 3)
    assert.deepStrictEqual(
      all(from),
      all(to)
    )
  })

  it.prop("Adam and RMSProp in slices are the same bits as whole", [Length, Length, Seed], ([first, second, seed]) => {
    const n = first + second
    const s = setUp(n, seed)
    const from = { p: s.draw(), m: s.draw(), v: s.floats(s.draw().view.map(Math.abs)) }
    const gradients = s.draw()
    const target = () => ({ p: s.floats(n), m: s.floats(n), v: s.floats(n) })
    const whole = target()
    const slices = target()
    adam(s, from, whole, gradients, 2)
    adam(s, from, slices, gradients, 2, 0, first)
    adam(s, from, slices, gradients, 2, first, second)
    assert.deepStrictEqual(all(slices), all(whole))
    const rmsprop = (to: Arrays, begin: number, count: number) =>
      s.kernels.rmsprop(
        from.p.at + begin * 4,
        to.p.at + begin * 4,
        gradients.at + begin * 4,
        from.v.at + begin * 4,
        to.v.at + begin * 4,
        count,
        1,
        0.01,
        0.99,
        1e-5,
        0
      )
    rmsprop(whole, 0, n)
    rmsprop(slices, 0, first)
    rmsprop(slices, first, second)
    assert.deepStrictEqual(all(slices), all(whole))
  })

  it.prop(
    "RMSProp is the float64 one's, epsilon on either side of the root",
    [Length, Seed, Schema.Boolean],
    (drawn) => {
      const [n, seed, inside] = drawn
      const s = setUp(n, seed)
      const spec: OptimizerSpec = {
        kind: "rmsprop",
        alpha: 0.99,
        epsilon: 1e-3,
        epsilonPlacement: inside ? "inside" : "outside"
      }
      const parameters = s.draw()
      const square = s.floats(n)
      const expected = Float64Array.from(parameters.view)
      const state = initialOptimizerState(spec, n)
      for (let step = 0; step < 10; step++) {
        const gradients = s.draw()
        s.kernels.rmsprop(
          parameters.at,
          parameters.at,
          gradients.at,
          square.at,
          square.at,
          n,
          1,
          1e-2,
          0.99,
          1e-3,
          inside ? 1 : 0
        )
        applyOptimizer(spec, state, expected, Float64Array.from(gradients.view), 1e-2)
      }
      approximately(parameters.view, expected, 5e-6, "parameters")
    }
  )

  it.prop("sums of arrays are float32 sums in their order, by either function", [Length, Seed], ([n, seed]) => {
    const s = setUp(n, seed)
    const arrays = s.floats(5 * n)
    arrays.view.set(Float32Array.from({ length: 5 * n }, (_, k) => s.draw().view[k % n]!))
    const expected = Float32Array.from({ length: n }, (_, k) => {
      let sum = arrays.view[k]!
      for (let a = 1; a < 5; a++) sum = Math.fround(sum + arrays.view[a * n + k]!)
      return sum
    })
    const together = s.floats(n)
    s.kernels.sumInto(together.at, arrays.at, n * 4, 5, n)
    assert.deepStrictEqual(bits(together.view), bits(expected))
    const oneByOne = s.floats(arrays.view.slice(0, n))
    for (let a = 1; a < 5; a++) s.kernels.addInto(oneByOne.at, arrays.at + a * n * 4, n)
    assert.deepStrictEqual(bits(oneByOne.view), bits(expected))
  })

  it.prop("the squared norm is summed in float64", [Length, Seed], ([n, seed]) => {
    const s = setUp(n, seed)
    const g = s.draw(100)
    approximately([s.kernels.squaredNorm(g.at, n)], [g.view.reduce((sum, x) => sum + x * x, 0)], 1e-12, "norm")
  })
})

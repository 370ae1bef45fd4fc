/** First weights: orthogonality and gains, bounds, and that a seed decides them. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { type Initialization, initialParameters, orthonormalize } from "../../src/model/initialize.ts"
import { type Layer, weightIndex } from "../../src/model/policy/Layer.ts"
import { ParameterLayout } from "../../src/model/policy/ParameterLayout.ts"
import { type CategoricalMlp, categoricalMlp } from "../../src/model/policy/PolicySpec.ts"
import { Pcg64 } from "../../src/random/Pcg64.ts"
import { approximately } from "./approximately.ts"

const whole = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))
const Network = Schema.Struct({
  towers: Schema.Literals(["separate", "shared"]),
  inputs: whole(1, 8),
  actions: whole(1, 5),
  hidden: Schema.Array(whole(1, 12)).check(Schema.isMaxLength(3)),
  activation: Schema.Literals(["tanh", "relu"])
})
const Seed = whole(0, 1_000_000)
const Scheme = Schema.Literals(["orthogonal", "pytorch"])

const draw = (spec: CategoricalMlp, scheme: Initialization, seed: number) =>
  initialParameters(categoricalMlp(spec), scheme, Pcg64.fromSeed(seed))

const biases = (flat: Float32Array, layer: Layer) => flat.slice(layer.bias, layer.bias + layer.outputs)

/** The weight's rows, or its columns where there are fewer of those: what is orthogonal of a rectangular matrix. */
const shorterSide = (flat: Float32Array, layer: Layer) => {
  const wide = layer.outputs <= layer.inputs
  return Array.from(
    { length: wide ? layer.outputs : layer.inputs },
    (_, v) =>
      Array.from(
        { length: wide ? layer.inputs : layer.outputs },
        (_, k) => flat[wide ? weightIndex(layer, v, k) : weightIndex(layer, k, v)]!
      )
  )
}
const dot = (x: ReadonlyArray<number>, y: ReadonlyArray<number>) => x.reduce((sum, value, k) => sum + value * y[k]!, 0)

describe("initialParameters", () => {
  it.prop("orthogonal: vectors of the layer's gain at right angles, no bias", [Network, Seed], ([spec, seed]) => {
    const flat = draw(spec, "orthogonal", seed)
    for (const layer of new ParameterLayout(categoricalMlp(spec)).layers) {
      const gain = { hidden: Math.SQRT2, memory: 1, "actor-head": 0.01, "critic-head": 1 }[layer.role]
      const vectors = shorterSide(flat, layer)
      for (const [v, x] of vectors.entries()) {
        // float32 has 24 bits: 6e-8 each, over at most 12 products.
        const products = vectors.map((y) => dot(x, y) / (gain * gain))
        approximately(products, vectors.map((_, u) => u === v ? 1 : 0), 1e-6, layer.name)
      }
      assert.isTrue(biases(flat, layer).every((bias) => bias === 0))
    }
  })

  it.prop("pytorch: everything within ±1/√inputs", [Network, Seed], ([spec, seed]) => {
    const flat = draw(spec, "pytorch", seed)
    for (const layer of new ParameterLayout(categoricalMlp(spec)).layers) {
      const bound = Math.fround(1 / Math.sqrt(layer.inputs))
      assert.isTrue(flat.slice(layer.weight, layer.bias + layer.outputs).every((w) => Math.abs(w) <= bound), layer.name)
    }
  })

  it("pytorch: spread as a uniform number is, weights and biases alike", () => {
    const spec = { towers: "shared", inputs: 4, actions: 2, hidden: [4000], activation: "tanh" } as const
    const [trunk] = new ParameterLayout(categoricalMlp(spec)).layers
    const flat = draw(spec, "pytorch", 3)
    for (const numbers of [flat.slice(0, trunk!.bias), biases(flat, trunk!)]) {
      const mean = numbers.reduce((sum, w) => sum + w, 0) / numbers.length
      const square = numbers.reduce((sum, w) => sum + w * w, 0) / numbers.length
      // ±1/2: mean 0 and mean square 1/12, within four standard errors of 4000 draws.
      assert.closeTo(mean, 0, 0.0183)
      assert.closeTo(square, 1 / 12, 0.0048)
    }
  })

  it.prop(
    "a seed decides every bit, and another seed gives others",
    [Network, Scheme, Seed],
    ([spec, scheme, seed]) => {
      assert.deepStrictEqual(draw(spec, scheme, seed), draw(spec, scheme, seed))
      // With one input and one output there are only two orthogonal matrices: 1 and −1.
      const wider = { ...spec, inputs: spec.inputs + 1 }
      assert.notDeepEqual(draw(wider, scheme, seed), draw(wider, scheme, seed + 1))
    }
  )

  it("pytorch: draws in flat order of layers, [out][in], weight before bias", () => {
    const spec = { towers: "separate", inputs: 2, actions: 1, hidden: [2], activation: "tanh" } as const
    const random = Pcg64.fromSeed(5)
    const bound = 1 / Math.sqrt(2)
    const expected: Array<number> = []
    for (const layer of new ParameterLayout(categoricalMlp(spec)).layers) {
      for (let o = 0; o < layer.outputs; o++) {
        for (let i = 0; i < layer.inputs; i++) expected[weightIndex(layer, o, i)] = random.uniform(-bound, bound)
      }
      for (let o = 0; o < layer.outputs; o++) expected[layer.bias + o] = random.uniform(-bound, bound)
    }
    assert.deepStrictEqual(draw(spec, "pytorch", 5), Float32Array.from(expected))
  })

  it("orthonormalize keeps each vector on its own side (R's diagonal is positive) and survives near parallels", () => {
    const vectors = [Float64Array.of(1, 1, 1), Float64Array.of(1, 1, 1 + 1e-9), Float64Array.of(1, 1 + 1e-9, 1)]
    orthonormalize(vectors)
    for (const [v, x] of vectors.entries()) {
      approximately(vectors.map((y) => dot([...x], [...y])), vectors.map((_, u) => u === v ? 1 : 0), 1e-15, "products")
    }
    approximately(vectors[0]!, [1, 1, 1].map((one) => one / Math.sqrt(3)), 1e-15)
    assert.isAbove(vectors[1]![2]!, 0)
    const negative = Float64Array.of(-2)
    orthonormalize([negative])
    assert.strictEqual(negative[0], -1)
  })
})

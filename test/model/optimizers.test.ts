/** Adam, RMSProp, clipping and the schedule; `reference/learner.test.ts` holds Adam to PyTorch over five updates. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import {
  adam,
  applyOptimizer,
  clipGradientNorm,
  gradientNorm,
  initialOptimizerState,
  linearSchedule,
  type OptimizerSpec,
  OptimizerSpec as OptimizerSpecSchema,
  type OptimizerState,
  rmsProp
} from "../../src/model/optimizers.ts"
import { approximately } from "./approximately.ts"
import { spread } from "./spread.ts"

const Gradients = Arbitrary.map(
  Arbitrary.array(spread(-10, 10), { minLength: 1, maxLength: 8 }),
  (numbers) => Float64Array.from(numbers)
)
const inside: OptimizerSpec = { ...rmsProp, epsilonPlacement: "inside" }
const specs = Schema.Literals([0, 1, 2])
const specOf = (index: number) => [adam, rmsProp, inside][index]!

/** Applies each gradient in turn to one parameter that begins at 1. */
const walk = (spec: OptimizerSpec, learningRate: number, gradients: ReadonlyArray<number>) => {
  const state = initialOptimizerState(spec, 1)
  const parameters = Float64Array.of(1)
  for (const g of gradients) applyOptimizer(spec, state, parameters, Float64Array.of(g), learningRate)
  return { state, parameter: parameters[0]! }
}

describe("Adam", () => {
  it("worked by hand for two updates", () => {
    const spec: OptimizerSpec = { kind: "adam", beta1: 0.5, beta2: 0.75, epsilon: 1e-3 }
    // m = 1, v = 1: corrected 2 and 4. Then m = 0 (1 + (−1))/2, v = 0.75 + 0.25 = 1.
    assert.closeTo(walk(spec, 0.1, [2]).parameter, 1 - 0.1 * (2 / (2 + 1e-3)), 1e-15)
    const { parameter, state } = walk(spec, 0.1, [2, -1])
    assert.deepStrictEqual([state.arrays["mean"]![0], state.arrays["square"]![0]], [0, 1])
    assert.deepStrictEqual(state.scalars, { beta1Product: 0.25, beta2Product: 0.5625 })
    assert.closeTo(parameter, 1 - 0.1 * (2 / (2 + 1e-3)), 1e-15)
  })

  it.prop(
    "the first update is the learning rate, against the gradient's sign",
    [spread(0.01, 10), Schema.Boolean],
    ([size, up]) => {
      const g = up ? -size : size
      approximately([walk({ ...adam, epsilon: 1e-12 }, 0.01, [g]).parameter], [1 - 0.01 * Math.sign(g)], 1e-9)
    }
  )
})

describe("RMSProp", () => {
  it("worked by hand, epsilon outside (also by default) and inside the root", () => {
    const constants = { kind: "rmsprop", alpha: 0.75, epsilon: 0.5 } as const
    // s = 4, then 0.75 · 4 + 0.25 · 16 = 7.
    const outside = 1 - 0.1 * (4 / 2.5) - 0.1 * (4 / (Math.sqrt(7) + 0.5))
    assert.closeTo(walk({ ...constants, epsilonPlacement: "outside" }, 0.1, [4, 4]).parameter, outside, 1e-15)
    assert.closeTo(walk(constants, 0.1, [4, 4]).parameter, outside, 1e-15)
    assert.closeTo(
      walk({ ...constants, epsilonPlacement: "inside" }, 0.1, [4, 4]).parameter,
      1 - 0.1 * (4 / Math.sqrt(4.5)) - 0.1 * (4 / Math.sqrt(7.5)),
      1e-15
    )
  })
})

describe("every optimizer", () => {
  it.prop(
    "a state that went through a checkpoint goes on to the same bits",
    [specs, Gradients],
    ([index, gradients]) => {
      const spec = specOf(index)
      const update = (state: OptimizerState, parameters: Float32Array) =>
        applyOptimizer(spec, state, parameters, gradients, 0.01)
      const state = initialOptimizerState(spec, gradients.length)
      const parameters = new Float32Array(gradients.length).fill(1)
      update(state, parameters)
      update(state, parameters)
      const codec = Schema.toCodecJson(
        Schema.Struct({ spec: OptimizerSpecSchema, scalars: Schema.Record(Schema.String, Schema.Finite) })
      )
      const text = JSON.stringify(Schema.encodeSync(codec)({ spec, scalars: state.scalars }))
      const saved = Schema.decodeUnknownSync(codec)(JSON.parse(text))
      assert.deepStrictEqual(saved.spec, spec)
      const resumed: OptimizerState = {
        scalars: saved.scalars,
        arrays: Object.fromEntries(Object.entries(state.arrays).map(([name, array]) => [name, array.slice()]))
      }
      const copy = parameters.slice()
      update(state, parameters)
      update(resumed, copy)
      assert.deepStrictEqual(copy, parameters)
      assert.deepStrictEqual(resumed, state)
    }
  )

  it.prop("descends: many updates bring a parabola to its lowest point", [specs], ([index]) => {
    const spec = specOf(index)
    const state = initialOptimizerState(spec, 2)
    const parameters = Float64Array.of(3, -2)
    const updates = 2000
    for (let n = 0; n < updates; n++) {
      const gradients = parameters.map((x, k) => 2 * (x - k))
      applyOptimizer(spec, state, parameters, gradients, linearSchedule(0.05, 0, n / updates))
    }
    approximately(parameters, [0, 1], 1e-2, "parameters")
  })

  it.prop("no gradient from the start, no change", [specs], ([index]) => {
    assert.strictEqual(walk(specOf(index), 0.1, [0, 0]).parameter, 1)
  })
})

describe("OptimizerSpec", () => {
  it("refuses constants that could only divide by zero", () => {
    const valid = Schema.is(OptimizerSpecSchema)
    assert.isTrue(valid(adam) && valid(rmsProp) && valid(inside))
    assert.isFalse(valid({ ...adam, beta1: 1 }) || valid({ ...adam, beta2: 1 }))
    assert.isFalse(
      valid({ ...adam, epsilon: 0 }) || valid({ ...rmsProp, epsilon: 0 }) || valid({ ...rmsProp, alpha: 2 })
    )
  })
})

describe("clipGradientNorm", () => {
  it.prop(
    "bounds the norm, keeps the direction, and answers the norm before",
    [Gradients, spread(0.01, 20)],
    ([gradients, maxGradNorm]) => {
      const clipped = gradients.slice()
      const norm = clipGradientNorm(clipped, maxGradNorm)
      assert.strictEqual(norm, gradientNorm(gradients))
      assert.isAtMost(gradientNorm(clipped), maxGradNorm)
      const coefficient = Math.min(1, maxGradNorm / (norm + 1e-6))
      approximately(clipped, gradients.map((g) => g * coefficient), 1e-12)
    }
  )

  it("leaves a small gradient as it is, to the bit, and 0 never clips", () => {
    const gradients = Float64Array.of(3, 4)
    assert.strictEqual(clipGradientNorm(gradients, 5.1), 5)
    assert.strictEqual(clipGradientNorm(gradients, 0), 5)
    assert.deepStrictEqual([...gradients], [3, 4])
    // At the bound itself PyTorch's 1e-6 already shows.
    clipGradientNorm(gradients, 5)
    assert.isBelow(gradients[0]!, 3)
  })
})

describe("linearSchedule", () => {
  it("goes from the first to the last and stays there", () => {
    assert.deepStrictEqual([-1, 0, 0.25, 1, 2].map((done) => linearSchedule(8, 4, done)), [8, 8, 7, 4, 4])
  })
})

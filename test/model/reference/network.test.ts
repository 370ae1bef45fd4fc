/** The reference network: by hand, against finite differences, and row by row. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import { initialParameters } from "../../../src/model/initialize.ts"
import type { DistributionSpec } from "../../../src/model/policy/DistributionSpec.ts"
import { ParameterLayout } from "../../../src/model/policy/ParameterLayout.ts"
import { categoricalMlp } from "../../../src/model/policy/PolicySpec.ts"
import {
  lossAlongFragment,
  lossOfRows,
  type OutputGradients,
  outputGradients
} from "../../../src/model/reference/losses.ts"
import { backward, forward, type ForwardPass } from "../../../src/model/reference/network.ts"
import { Pcg64 } from "../../../src/random/Pcg64.ts"
import { approximately } from "../approximately.ts"

const whole = (minimum: number, maximum: number) => Schema.Int.check(Schema.isBetween({ minimum, maximum }))

/** Networks small enough to differentiate one parameter after the other. */
const Networks = Arbitrary.schema(Schema.Struct({
  towers: Schema.Literals(["separate", "shared"]),
  inputs: whole(1, 4),
  actions: whole(1, 4),
  hidden: Schema.Array(whole(1, 5)).check(Schema.isMaxLength(3)),
  activation: Schema.Literals(["tanh", "relu"])
}))
const Seeds = whole(0, 1_000_000)

/** A network with weights of size 1, a batch of random observations, and random things to learn from it. */
const drawn = (spec: typeof Networks extends Arbitrary.Arbitrary<infer A> ? A : never, rows: number, seed: number) => {
  const layout = new ParameterLayout(categoricalMlp(spec))
  const random = Pcg64.fromSeed(seed)
  const normals = (length: number) => Float64Array.from({ length }, () => random.standardNormal())
  return {
    layout,
    parameters: normals(layout.size).map((w) => 0.7 * w),
    observations: normals(rows * spec.inputs),
    actions: Int32Array.from({ length: rows }, () => random.integers(0, spec.actions)),
    returns: normals(rows),
    advantages: normals(rows)
  }
}

const zeros = (distribution: DistributionSpec, pass: { readonly values: Float64Array }): OutputGradients =>
  outputGradients(distribution, pass.values.length)

/** Central differences of `loss` in every parameter. */
const differences = (parameters: Float64Array, loss: (at: Float64Array) => number): Float64Array => {
  const step = 1e-6
  return parameters.map((_, k) => {
    const moved = (by: number) => loss(parameters.map((value, at) => at === k ? value + by : value))
    return (moved(step) - moved(-step)) / (2 * step)
  })
}

/** Whether a hidden unit's output is just above 0. */
const near = (pass: ForwardPass, hidden: number): boolean =>
  [pass.trunk, pass.actor, pass.critic].some((chain) =>
    chain.slice(1, 1 + hidden).some((outputs) => outputs.some((y) => y > 0 && y < 1e-4))
  )

/**
 * Whether a unit stands so close to ReLU's corner that a finite step may cross it, where there is no derivative to
 * compare: the output just above 0, or the sum before it (unknown here) just below. The first is seen directly, the
 * second by turning the layer's weights around.
 */
const atCorner = (layout: ParameterLayout, parameters: Float64Array, observations: Float64Array): boolean => {
  const { encoder } = layout.spec
  if (encoder.activation !== "relu") return false
  const hidden = encoder.hidden.length
  if (near(forward(layout, parameters, observations), hidden)) return true
  return layout.layers.filter((layer) => layer.role === "hidden").some((layer) => {
    const turned = parameters.slice()
    for (let k = layer.weight; k < layer.bias + layer.outputs; k++) turned[k] = -turned[k]!
    return near(forward(layout, turned, observations), hidden)
  })
}

describe("reference network", () => {
  it("worked by hand", () => {
    const layout = new ParameterLayout(
      categoricalMlp({ towers: "shared", inputs: 2, actions: 2, hidden: [2], activation: "relu" })
    )
    // The trunk is [in][out]: unit 0 sums both inputs, unit 1 takes their difference minus 10.
    const trunk = [1, 1, 1, -1, 0, -10]
    const actor = [1, 2, 3, 4, 0.5, -0.5]
    const critic = [5, 6, 0.25]
    const pass = forward(layout, Float64Array.of(...trunk, ...actor, ...critic), Float64Array.of(1, 2, 20, 4))
    assert.deepStrictEqual([...pass.outputs], [3.5, 8.5, 24 + 12 + 0.5, 72 + 24 - 0.5])
    assert.deepStrictEqual([...pass.values], [15.25, 120 + 36 + 0.25])
  })

  it.prop(
    "the gradient of the A2C loss agrees with finite differences",
    [Networks, whole(1, 4), Seeds],
    ([spec, rows, seed]) => {
      const { actions, advantages, layout, observations, parameters, returns } = drawn(spec, rows, seed)
      if (atCorner(layout, parameters, observations)) return
      const { distribution } = layout.spec
      const settings = { name: "a2c", valueCoefficient: 0.5, entropyCoefficient: 0.3 } as const
      const loss = (at: Float64Array) => {
        const pass = forward(layout, at, observations)
        return lossOfRows(distribution, settings, { ...pass, actions, advantages, returns }, zeros(distribution, pass))
          .loss
      }
      const pass = forward(layout, parameters, observations)
      const output = zeros(distribution, pass)
      lossOfRows(distribution, settings, { ...pass, actions, advantages, returns }, output)
      approximately(backward(layout, parameters, pass, output), differences(parameters, loss), 1e-6, "gradient")
    },
    { arbitrary: { runs: 60 } }
  )

  it.prop(
    "the gradient of the TD loss, through the bootstrap, agrees with finite differences",
    [Networks, whole(1, 4), Seeds, Schema.Boolean],
    ([spec, steps, seed, terminated]) => {
      const { actions, layout, observations, parameters, returns } = drawn(spec, steps + 1, seed)
      if (atCorner(layout, parameters, observations)) return
      const { distribution } = layout.spec
      const td = { name: "td", gamma: 0.9, detachBootstrap: false, valueCoefficient: 1, entropyCoefficient: 0 } as const
      const a2c = { name: "a2c", valueCoefficient: 0, entropyCoefficient: 0 } as const
      const rewards = returns.slice(0, steps)
      const pass = forward(layout, parameters, observations)
      const output = zeros(distribution, pass)
      lossAlongFragment(distribution, td, { ...pass, actions, rewards, terminated }, output)
      // δ is held constant in the policy's term, so that term is differentiated as an A2C loss with fixed advantages.
      const deltas = rewards.map((reward, t) =>
        reward + (terminated && t === steps - 1 ? 0 : 0.9 * pass.values[t + 1]!) - pass.values[t]!
      )
      const inputs = spec.inputs
      const policy = (at: Float64Array) => {
        const { outputs, values } = forward(layout, at, observations.slice(0, steps * inputs))
        const batch = { outputs, values, actions, advantages: deltas, returns: values }
        return lossOfRows(distribution, a2c, batch, zeros(distribution, batch)).loss
      }
      const value = (at: Float64Array) => {
        const now = forward(layout, at, observations)
        return lossAlongFragment(distribution, td, { ...now, actions, rewards, terminated }, zeros(distribution, now))
          .valueLoss
      }
      const expected = differences(parameters, (at) => policy(at) + value(at))
      approximately(backward(layout, parameters, pass, output), expected, 1e-6, "gradient")
    },
    { arbitrary: { runs: 60 } }
  )

  it.prop("a row's result does not depend on the other rows", [Networks, whole(1, 4), Seeds], ([spec, rows, seed]) => {
    const { layout, observations, parameters } = drawn(spec, rows, seed)
    const pass = forward(layout, parameters, observations)
    for (let row = 0; row < rows; row++) {
      const alone = forward(layout, parameters, observations.slice(row * spec.inputs, (row + 1) * spec.inputs))
      assert.deepStrictEqual(alone.outputs, pass.outputs.slice(row * spec.actions, (row + 1) * spec.actions))
      assert.deepStrictEqual(alone.values, pass.values.slice(row, row + 1))
    }
  })

  it("reads float32 parameters and overwrites what the gradients held", () => {
    const spec = { towers: "separate", inputs: 3, actions: 2, hidden: [4, 3], activation: "tanh" } as const
    const layout = new ParameterLayout(categoricalMlp(spec))
    const parameters = initialParameters(categoricalMlp(spec), "pytorch", Pcg64.fromSeed(1))
    const pass = forward(layout, parameters, Float32Array.of(1, 2, 3))
    const output = { outputs: Float64Array.of(1, -1), values: Float64Array.of(2), free: new Float64Array(0) }
    const fresh = backward(layout, parameters, pass, output)
    const reused = backward(layout, parameters, pass, output, new Float64Array(layout.size).fill(5))
    assert.deepStrictEqual(reused, fresh)
    assert.deepStrictEqual(output, {
      outputs: Float64Array.of(1, -1),
      values: Float64Array.of(2),
      free: new Float64Array(0)
    })
  })
})

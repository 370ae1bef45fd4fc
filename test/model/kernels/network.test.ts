/**
 * The network on the kernels against the float64 reference, and the promise that stands under every other: a row's result
 * depends on that row alone, to the bit.
 */
import { assert, describe, it } from "@effect/vitest"
import { Kernels } from "../../../src/model/kernels/Kernels.ts"
import { greedyAction, logProbability, sampleAction, softmax } from "../../../src/model/policy/categorical.ts"
import type { CategoricalMlp } from "../../../src/model/policy/PolicySpec.ts"
import * as reference from "../../../src/model/reference/index.ts"
import { Pcg64 } from "../../../src/random/Pcg64.ts"
import { approximately } from "../approximately.ts"
import { bits, blank, makeBed, randomNetwork, Rows, Seed, Spec } from "./bed.ts"

/** float32 sums of at most 70 products of numbers of the size of 1, through three layers. */
const tolerance = 1e-5

const setUp = (spec: CategoricalMlp, rows: number, seed: number) => {
  const bed = makeBed()
  const { layout, observations, parameters, random } = randomNetwork(spec, rows, seed)
  return {
    ...bed,
    layout,
    random,
    exactParameters: parameters,
    exactObservations: observations,
    net: bed.network(spec),
    params: bed.floats(parameters),
    observations: bed.floats(observations),
    logits: bed.floats(rows * spec.actions),
    values: bed.floats(rows),
    work: bed.workspace(spec, rows)
  }
}

type Setting = ReturnType<typeof setUp>

const forward = (s: Setting, rows: number) =>
  s.kernels.forward(s.net, s.params.at, s.observations.at, rows, s.work, s.logits.at, s.values.at, 0)

const randomOutputs = (s: Setting, spec: CategoricalMlp, rows: number) => ({
  dLogits: s.floats(Float32Array.from({ length: rows * spec.actions }, () => s.random.uniform(-1, 1) / rows)),
  dValues: s.floats(Float32Array.from({ length: rows }, () => s.random.uniform(-1, 1) / rows))
})

describe("the network on the kernels", () => {
  it.prop("forward is the reference's", [Spec, Rows, Seed], ([spec, rows, seed]) => {
    const s = setUp(spec, rows, seed)
    forward(s, rows)
    const expected = reference.forward(s.layout, s.exactParameters, s.exactObservations)
    approximately(s.logits.view, expected.outputs, tolerance, "logits")
    approximately(s.values.view, expected.values, tolerance, "values")
  })

  it.prop("backward is the reference's", [Spec, Rows, Seed], ([spec, rows, seed]) => {
    const s = setUp(spec, rows, seed)
    const { dLogits, dValues } = randomOutputs(s, spec, rows)
    const gradients = s.floats(s.layout.size)
    gradients.view.fill(7)
    forward(s, rows)
    s.kernels.backward(
      s.net,
      s.params.at,
      s.observations.at,
      rows,
      s.work,
      dLogits.at,
      dValues.at,
      gradients.at,
      0
    )
    const pass = reference.forward(s.layout, s.exactParameters, s.exactObservations)
    const expected = reference.backward(s.layout, s.exactParameters, pass, {
      outputs: Float64Array.from(dLogits.view),
      values: Float64Array.from(dValues.view),
      free: new Float64Array(0)
    })
    const largest = expected.reduce((most, g) => Math.max(most, Math.abs(g)), 1)
    approximately(gradients.view, expected, tolerance * largest, "gradients")
  })

  it.prop("a row's outputs are the same bits alone and among others", [Spec, Rows, Seed], ([spec, rows, seed]) => {
    const s = setUp(spec, rows, seed)
    forward(s, rows)
    const logits = bits(s.logits.view)
    const values = bits(s.values.view)
    const one = { logits: s.floats(spec.actions), value: s.floats(1) }
    for (let row = 0; row < rows; row++) {
      const observation = s.observations.at + row * spec.inputs * 4
      s.kernels.forward(s.net, s.params.at, observation, 1, s.work, one.logits.at, one.value.at, 0)
      assert.deepStrictEqual(bits(one.logits.view), logits.slice(row * spec.actions, (row + 1) * spec.actions))
      assert.deepStrictEqual(bits(one.value.view), values.slice(row, row + 1))
    }
  })

  // Large weights are summed over a few inputs at a time; the last width fills no block.
  for (const [rows, activation] of [[1, "relu"], [6, "tanh"], [35, "relu"]] as const) {
    it(`a large network is the reference's, and its rows the same bits alone: ${rows} rows, ${activation}`, () => {
      const large: CategoricalMlp = { towers: "shared", inputs: 5, actions: 3, hidden: [517, 541], activation }
      const s = setUp(large, rows, 7)
      forward(s, rows)
      const expected = reference.forward(s.layout, s.exactParameters, s.exactObservations)
      approximately(s.logits.view, expected.outputs, tolerance, "logits")
      approximately(s.values.view, expected.values, tolerance, "values")
      const [logits, values] = [bits(s.logits.view), bits(s.values.view)]
      for (let row = 0; row < rows; row++) {
        const observation = s.observations.at + row * large.inputs * 4
        s.kernels.forward(s.net, s.params.at, observation, 1, s.work, s.logits.at, s.values.at, 0)
        assert.deepStrictEqual(bits(s.logits.view.subarray(0, 3)), logits.slice(row * 3, row * 3 + 3))
        assert.deepStrictEqual(bits(s.values.view.subarray(0, 1)), values.slice(row, row + 1))
      }
    })
  }

  it.prop(
    "a gradient continued over pieces of the rows is the same bits as over all",
    [Spec, Rows, Rows, Seed],
    ([spec, first, second, seed]) => {
      const rows = first + second
      const s = setUp(spec, rows, seed)
      const { dLogits, dValues } = randomOutputs(s, spec, rows)
      const whole = s.floats(s.layout.size)
      const pieces = s.floats(s.layout.size)
      const backward = (from: number, count: number, gradients: number, accumulate: 0 | 1) => {
        const observations = s.observations.at + from * spec.inputs * 4
        s.kernels.forward(s.net, s.params.at, observations, count, s.work, s.logits.at, s.values.at, 0)
        s.kernels.backward(
          s.net,
          s.params.at,
          observations,
          count,
          s.work,
          dLogits.at + from * spec.actions * 4,
          dValues.at + from * 4,
          gradients,
          accumulate
        )
      }
      backward(0, rows, whole.at, 0)
      backward(0, first, pieces.at, 0)
      backward(first, second, pieces.at, 1)
      assert.deepStrictEqual(bits(pieces.view), bits(whole.view))
    }
  )

  it.prop("the fused gradient is the same bits as its three parts", [Spec, Rows, Seed], ([spec, rows, seed]) => {
    const s = setUp(spec, rows, seed)
    const draw = (low: number, high: number) =>
      s.floats(Float32Array.from({ length: rows }, () => s.random.uniform(low, high)))
    const actions = s.ints(Array.from({ length: rows }, () => s.random.integers(0, spec.actions)))
    const advantages = draw(-2, 2)
    const returns = draw(-2, 2)
    const dLogits = s.floats(rows * spec.actions)
    const dValues = s.floats(rows)
    const parts = { gradients: s.floats(s.layout.size), statistics: s.statistics() }
    const fused = { gradients: s.floats(s.layout.size), statistics: s.statistics() }
    // What stood there before does not matter.
    fused.gradients.view.fill(NaN)
    const job = {
      ...blank,
      policy: s.net,
      parameters: s.params.at,
      rows,
      observations: s.observations.at,
      actions: actions.at,
      advantages: advantages.at,
      returns: returns.at,
      loss: { name: "a2c", valueCoefficient: 0.5, entropyCoefficient: 0.01 },
      scale: 1 / rows
    } as const
    forward(s, rows)
    s.kernels.differentiate({
      ...job,
      workspace: s.work,
      outputs: s.logits.at,
      values: s.values.at,
      dOutputs: dLogits.at,
      dValues: dValues.at,
      gradients: parts.gradients.at,
      statistics: parts.statistics.at
    })
    s.kernels.backward(
      s.net,
      s.params.at,
      s.observations.at,
      rows,
      s.work,
      dLogits.at,
      dValues.at,
      parts.gradients.at,
      0
    )
    s.kernels.gradients({
      ...job,
      workspace: s.workspace(spec, Math.min(rows, Kernels.chunkRows)),
      gradients: fused.gradients.at,
      statistics: fused.statistics.at
    })
    assert.deepStrictEqual(bits(fused.gradients.view), bits(parts.gradients.view))
    assert.deepStrictEqual(Array.from(fused.statistics.view), Array.from(parts.statistics.view))
  })

  it("the gradient of no rows is zero", () => {
    const spec: CategoricalMlp = { towers: "separate", inputs: 4, actions: 2, hidden: [20], activation: "relu" }
    const s = setUp(spec, 1, 0)
    const gradients = s.floats(s.layout.size)
    for (
      const backward of [
        () => s.kernels.backward(s.net, s.params.at, s.observations.at, 0, s.work, 0, 0, gradients.at, 0),
        () =>
          s.kernels.gradients({
            ...blank,
            policy: s.net,
            parameters: s.params.at,
            workspace: s.work,
            loss: { name: "a2c", valueCoefficient: 1, entropyCoefficient: 1 },
            gradients: gradients.at,
            statistics: s.statistics().at
          })
      ]
    ) {
      gradients.view.fill(NaN)
      backward()
      assert.isTrue(gradients.view.every((g) => g === 0))
    }
  })

  it.prop("acting samples as the reference does, each row from its own stream", [Spec, Rows, Seed], (given) => {
    const [spec, rows, seed] = given
    const s = setUp(spec, rows, seed)
    const seeds = Array.from({ length: rows }, (_, row) => seed + row)
    // Rows lie apart, as environments do in their slots.
    const at = { stream: 0, action: 40, value: 44, logProbability: 48, logits: 64, observation: 64 + spec.actions * 4 }
    const stride = Math.ceil((at.observation + spec.inputs * 4) / 16) * 16
    const slots = s.allocate(rows * stride)
    const column = (k: number, place: number, length: number) => s.arena.float32(slots + k * stride + place, length)
    for (let row = 0; row < rows; row++) {
      Pcg64.fromSeed(seeds[row]!, s.arena.uint32(slots + row * stride, Pcg64.words))
      column(row, at.observation, spec.inputs).set(
        s.observations.view.subarray(row * spec.inputs, (row + 1) * spec.inputs)
      )
    }
    s.kernels.act({
      ...blank,
      policy: s.net,
      parameters: s.params.at,
      workspace: s.work,
      rows,
      stride,
      observations: slots + at.observation,
      streams: slots + at.stream,
      outputs: slots + at.logits,
      values: slots + at.value,
      actions: slots + at.action,
      logProbabilities: slots + at.logProbability
    })
    const actions = Array.from({ length: rows }, (_, row) => s.arena.int32(slots + row * stride + at.action, 1)[0]!)
    for (let row = 0; row < rows; row++) {
      s.logits.view.set(column(row, at.logits, spec.actions), row * spec.actions)
      s.values.view[row] = column(row, at.value, 1)[0]!
    }
    const expected = reference.forward(s.layout, s.exactParameters, s.exactObservations)
    approximately(s.logits.view, expected.outputs, tolerance, "logits")
    approximately(s.values.view, expected.values, tolerance, "values")
    const p = new Float64Array(spec.actions)
    for (let row = 0; row < rows; row++) {
      const stream = Pcg64.fromSeed(seeds[row]!)
      const u = stream.random()
      const logits = Float64Array.from(s.logits.view.subarray(row * spec.actions, (row + 1) * spec.actions))
      softmax(p, logits)
      const action = sampleAction(p, u)
      // The two may differ only where u falls within the rounding of a border between two actions.
      if (actions[row] !== action) {
        const border = p.slice(0, Math.min(action, actions[row]!) + 1).reduce((sum, value) => sum + value, 0)
        approximately([u], [border], 1e-6, "u at the border of two actions")
      }
      approximately(
        [column(row, at.logProbability, 1)[0]!],
        [logProbability(logits, actions[row]!)],
        1e-6,
        "log p"
      )
      assert.deepStrictEqual(
        Array.from(s.arena.uint32(slots + row * stride, Pcg64.words)),
        Array.from(stream.state)
      )
    }
  })

  it("an action of probability 0 is never sampled, one of probability 1 always", () => {
    const spec: CategoricalMlp = { towers: "shared", inputs: 1, actions: 3, hidden: [], activation: "tanh" }
    const s = setUp(spec, 1, 0)
    const streams = s.streams([3])
    const actions = s.ints(1)
    const logProbability = s.floats(1)
    const act = () =>
      s.kernels.act({
        ...blank,
        policy: s.net,
        parameters: s.params.at,
        workspace: s.work,
        rows: 1,
        observations: s.observations.at,
        streams: streams.at,
        outputs: s.logits.at,
        values: s.values.at,
        actions: actions.at,
        logProbabilities: logProbability.at
      })
    for (const chosen of [0, 1, 2]) {
      s.params.view.fill(0)
      // The actor's biases follow its three weights.
      s.params.view.set([-Infinity, -Infinity, -Infinity], 3)
      s.params.view[3 + chosen] = 2.5
      for (let k = 0; k < 100; k++) {
        act()
        assert.deepStrictEqual([actions.view[0], logProbability.view[0]], [chosen, 0])
      }
    }
  })

  it("a draw on the border of two actions takes the later one: u < p₀ + … + pₐ is strict", () => {
    const spec: CategoricalMlp = { towers: "shared", inputs: 1, actions: 2, hidden: [], activation: "tanh" }
    const s = setUp(spec, 1, 0)
    s.params.view.fill(0)
    const stream = s.streams([0])
    // From state 0 a step leads to the increment; 2^63 in its low half comes out as the double 0.5.
    stream.view.fill(0)
    stream.view[5] = 0x80000000
    const actions = s.ints(1)
    s.kernels.act({
      ...blank,
      policy: s.net,
      parameters: s.params.at,
      workspace: s.work,
      rows: 1,
      observations: s.observations.at,
      streams: stream.at,
      outputs: s.logits.at,
      values: s.values.at,
      actions: actions.at,
      logProbabilities: s.floats(1).at
    })
    assert.strictEqual(actions.view[0], 1)
    stream.view.fill(0, 0, 4)
    assert.strictEqual(s.kernels.uniform(stream.at), 0.5)
  })

  it.prop("the greedy action is the reference's, of equals the first", [Spec, Rows, Seed], ([spec, rows, seed]) => {
    const s = setUp(spec, rows, seed)
    // Few different numbers, so that ties are common.
    s.logits.view.forEach((_, k) => s.logits.view[k] = s.random.integers(-2, 3))
    const actions = s.ints(rows)
    s.kernels.mode(s.net, s.logits.at, rows, actions.at)
    assert.deepStrictEqual(
      Array.from(actions.view),
      Array.from({ length: rows }, (_, row) => greedyAction(s.logits.view, row * spec.actions, spec.actions))
    )
  })

  it.prop("what is not a number shows in the results", [Spec, Seed], ([spec, seed]) => {
    const s = setUp(spec, 1, seed)
    s.observations.view[0] = NaN
    forward(s, 1)
    assert.isTrue(s.logits.view.every(Number.isNaN) && s.values.view.every(Number.isNaN))
  })

  it.prop("stays inside its workspace and its outputs", [Spec, Rows, Seed], ([spec, rows, seed]) => {
    const s = setUp(spec, rows, seed)
    const { dLogits, dValues } = randomOutputs(s, spec, rows)
    const work = s.workspace(spec, rows)
    const guards = [s.floats(8)]
    const gradients = s.floats(s.layout.size)
    guards.push(s.floats(8))
    const outputs = { logits: s.floats(rows * spec.actions), values: s.floats(rows) }
    guards.push(s.floats(8))
    for (const guard of guards) guard.view.fill(1)
    s.kernels.forward(s.net, s.params.at, s.observations.at, rows, work, outputs.logits.at, outputs.values.at, 0)
    s.kernels.backward(
      s.net,
      s.params.at,
      s.observations.at,
      rows,
      work,
      dLogits.at,
      dValues.at,
      gradients.at,
      0
    )
    const parameters = Float32Array.from(s.exactParameters)
    assert.deepStrictEqual(bits(s.params.view), bits(parameters))
    for (const guard of guards) assert.isTrue(guard.view.every((value) => value === 1))
  })
})

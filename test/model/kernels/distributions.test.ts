/** Every distribution on the kernels: acting, evaluating, gradients and masks, against the float64 reference. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Kernels } from "../../../src/model/kernels/Kernels.ts"
import { distributionOf, type DistributionSpec } from "../../../src/model/policy/DistributionSpec.ts"
import { applyMask } from "../../../src/model/policy/masks.ts"
import { ParameterLayout } from "../../../src/model/policy/ParameterLayout.ts"
import type { PolicySpec } from "../../../src/model/policy/PolicySpec.ts"
import { lossOfRows, outputGradients } from "../../../src/model/reference/losses.ts"
import { backward, forward } from "../../../src/model/reference/network.ts"
import { Pcg64 } from "../../../src/random/Pcg64.ts"
import { approximately } from "../approximately.ts"
import { bits, blank, makeBed, Rows, Seed } from "./bed.ts"

const specs: ReadonlyArray<DistributionSpec> = [
  { kind: "categorical", n: 4 },
  { kind: "multi-categorical", nvec: [3, 1, 2, 5] },
  { kind: "multi-categorical", nvec: [4] },
  { kind: "bernoulli", n: 1 },
  { kind: "bernoulli", n: 5 },
  { kind: "diagonal-gaussian", dims: 1 },
  { kind: "diagonal-gaussian", dims: 2 },
  { kind: "diagonal-gaussian", dims: 3 }
]
const Which = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: specs.length - 1 }))
const Towers = Schema.Literals(["separate", "shared"])
const inputs = 3

/** Rows of observations in slots that lie apart, and a random policy. */
const setUp = (which: number, towers: "separate" | "shared", rows: number, seed: number) => {
  const bed = makeBed(4_000_000)
  const policy: PolicySpec = {
    encoder: { kind: "mlp", towers, inputs, hidden: [8], activation: "tanh" },
    distribution: specs[which]!
  }
  const distribution = distributionOf(policy.distribution)
  const layout = new ParameterLayout(policy)
  const random = Pcg64.fromSeed(seed)
  const params = bed.floats(Float32Array.from({ length: layout.size }, () => random.uniform(-1, 1)))
  const descriptor = Effect.runSync(bed.kernels.describe(bed.arena, policy))
  const workspace = bed.allocate(Kernels.workspaceBytes(policy, Kernels.chunkRows))
  const { outputs, action: { type, width } } = distribution
  const at = { stream: 0, value: 40, logProbability: 44, action: 48, outputs: 48 + 4 * width, observation: 0, mask: 0 }
  at.observation = at.outputs + 4 * outputs
  at.mask = at.observation + 4 * inputs
  const stride = Math.ceil((at.mask + outputs) / 16) * 16
  const slots = bed.allocate(rows * stride)
  for (let row = 0; row < rows; row++) {
    const slot = slots + row * stride
    Pcg64.fromSeed(seed + row, bed.arena.uint32(slot, Pcg64.words))
    bed.arena.float32(slot + at.observation, inputs).forEach((_, k, view) => view[k] = random.uniform(-2, 2))
  }
  const column = (row: number, place: number, length: number) => bed.arena.float32(slots + row * stride + place, length)
  const actionOf = (row: number) =>
    type === "int32"
      ? bed.arena.int32(slots + row * stride + at.action, width)
      : bed.arena.float32(slots + row * stride + at.action, width)
  const act = (masks: boolean) =>
    bed.kernels.act({
      ...blank,
      policy: descriptor,
      parameters: params.at,
      workspace,
      rows,
      stride,
      observations: slots + at.observation,
      streams: slots + at.stream,
      masks: masks ? slots + at.mask : 0,
      outputs: slots + at.outputs,
      values: slots + at.value,
      actions: slots + at.action,
      logProbabilities: slots + at.logProbability
    })
  /** Everything of the rows side by side, as learning takes it. */
  const gathered = () => {
    const concat = (place: number, length: number) =>
      Float32Array.from({ length: rows * length }, (_, k) => column(Math.floor(k / length), place, length)[k % length]!)
    const taken = Array.from({ length: rows }, (_, row) => [...actionOf(row)]).flat()
    return {
      observations: bed.floats(concat(at.observation, inputs)),
      actions: type === "int32" ? bed.ints(taken) : bed.floats(taken),
      logProbabilities: concat(at.logProbability, 1)
    }
  }
  const free = params.view.slice(layout.free.at)
  return {
    ...bed,
    act,
    actionOf,
    at,
    column,
    descriptor,
    distribution,
    free,
    gathered,
    layout,
    params,
    policy,
    random,
    slots,
    stride,
    workspace
  }
}

describe("distributions on the kernels", () => {
  it.prop(
    "acting samples as the reference does, and evaluating finds the very log-probabilities",
    [Which, Towers, Rows, Seed],
    ([which, towers, rows, seed]) => {
      const s = setUp(which, towers, rows, seed)
      const { action: { type, width }, outputs } = s.distribution
      s.act(false)
      for (let row = 0; row < rows; row++) {
        const parameters = Float64Array.from([...s.column(row, s.at.outputs, outputs), ...s.free])
        const stream = Pcg64.fromSeed(seed + row)
        const expected = new Float64Array(width)
        s.distribution.sample(parameters, stream, expected)
        const actual = s.actionOf(row)
        // Choices may differ only where a draw falls within the rounding of a border between two.
        if (type === "float32") approximately(actual, expected, 1e-5, "action")
        else if ([...actual].some((choice, k) => choice !== expected[k])) {
          assert.closeTo(
            s.distribution.logProbability(parameters, actual),
            s.distribution.logProbability(parameters, expected),
            20
          )
        }
        approximately(
          s.column(row, s.at.logProbability, 1),
          [s.distribution.logProbability(parameters, [...actual])],
          1e-5,
          "log p"
        )
        if (type === "float32" || width === 1) {
          assert.deepStrictEqual(
            Array.from(s.arena.uint32(s.slots + row * s.stride, Pcg64.words)),
            Array.from(stream.state)
          )
        }
      }
      const { actions, logProbabilities, observations } = s.gathered()
      const found = { logProbabilities: s.floats(rows), entropies: s.floats(rows), values: s.floats(rows) }
      s.kernels.evaluate({
        states: 0,
        starts: 0,
        policy: s.descriptor,
        parameters: s.params.at,
        workspace: s.workspace,
        rows,
        observations: observations.at,
        actions: actions.at,
        masks: 0,
        logProbabilities: found.logProbabilities.at,
        entropies: found.entropies.at,
        values: found.values.at
      })
      assert.deepStrictEqual(bits(found.logProbabilities.view), bits(logProbabilities))
      for (let row = 0; row < rows; row++) {
        const parameters = Float64Array.from([...s.column(row, s.at.outputs, outputs), ...s.free])
        approximately([found.entropies.view[row]!], [s.distribution.entropy(parameters)], 1e-5, "entropy")
        assert.strictEqual(found.values.view[row], s.column(row, s.at.value, 1)[0])
      }
    }
  )

  it.prop("the most likely action is the reference's", [Which, Rows, Seed], ([which, rows, seed]) => {
    const s = setUp(which, "separate", rows, seed)
    const { action: { type, width }, outputs } = s.distribution
    // Few different numbers, so that ties are common.
    const put = s.floats(Float32Array.from({ length: rows * outputs }, () => s.random.integers(-2, 3)))
    const chosen = type === "int32" ? s.ints(rows * width) : s.floats(rows * width)
    s.kernels.mode(s.descriptor, put.at, rows, chosen.at)
    const expected = new Float64Array(width)
    for (let row = 0; row < rows; row++) {
      const parameters = Float64Array.from([...put.view.subarray(row * outputs, (row + 1) * outputs), ...s.free])
      s.distribution.mode(parameters, expected)
      assert.deepStrictEqual([...chosen.view.subarray(row * width, (row + 1) * width)], [...expected])
    }
  })

  it.prop(
    "gradients are the reference's, masked or not",
    [Which, Towers, Rows, Seed, Schema.Boolean],
    ([which, towers, rows, seed, wanted]) => {
      const s = setUp(which, towers, rows, seed)
      const { action: { type }, masks, outputs } = s.distribution
      const masked = wanted && masks > 0
      const mask = new Uint8Array(rows * outputs)
      if (masked) {
        const parts = s.policy.distribution.kind === "multi-categorical" ? s.policy.distribution.nvec : [outputs]
        for (let row = 0; row < rows; row++) {
          let from = 0
          for (const n of parts) {
            for (let j = 0; j < n; j++) mask[row * outputs + from + j] = s.random.integers(0, 2)
            // Something is legal in every choice.
            mask[row * outputs + from + s.random.integers(0, n)] = 1
            from += n
          }
          s.arena.uint8(s.slots + row * s.stride + s.at.mask, outputs).set(
            mask.subarray(row * outputs, (row + 1) * outputs)
          )
        }
      }
      s.act(masked)
      const { actions, observations } = s.gathered()
      const draw = () => s.floats(Float32Array.from({ length: rows }, () => s.random.uniform(-1, 1)))
      const [advantages, returns] = [draw(), draw()]
      const masksAt = s.allocate(mask.length)
      s.arena.uint8(masksAt, mask.length).set(mask)
      const gradients = s.floats(s.layout.size)
      gradients.view.fill(NaN)
      const loss = { name: "a2c", valueCoefficient: 0.5, entropyCoefficient: 0.1 } as const
      s.kernels.gradients({
        ...blank,
        policy: s.descriptor,
        parameters: s.params.at,
        workspace: s.workspace,
        rows,
        loss,
        scale: 1 / rows,
        observations: observations.at,
        actions: actions.at,
        masks: masked ? masksAt : 0,
        advantages: advantages.at,
        returns: returns.at,
        gradients: gradients.at,
        statistics: s.statistics().at
      })
      const parameters = Float64Array.from(s.params.view)
      const pass = forward(s.layout, parameters, Float64Array.from(observations.view))
      if (masked) applyMask(pass.outputs, mask)
      const taken = actions.view
      if (masked && type === "int32") {
        for (let row = 0; row < rows; row++) assert.isAbove(s.column(row, s.at.logProbability, 1)[0]!, -100)
      }
      const output = outputGradients(s.policy.distribution, rows)
      lossOfRows(s.policy.distribution, loss, {
        ...pass,
        free: s.free,
        actions: taken,
        advantages: advantages.view,
        returns: returns.view
      }, output)
      const expected = backward(s.layout, parameters, pass, output)
      const largest = expected.reduce((most, g) => Math.max(most, Math.abs(g)), 1)
      approximately(gradients.view, expected, 2e-5 * largest, "gradients")
    }
  )
})

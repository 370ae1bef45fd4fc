/** The recurrent cell: its float64 reference against finite differences, the kernels against the reference, acting against learning. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { initialParameters } from "../../../src/model/initialize.ts"
import { Kernels } from "../../../src/model/kernels/Kernels.ts"
import { distributionOf } from "../../../src/model/policy/DistributionSpec.ts"
import { ParameterLayout } from "../../../src/model/policy/ParameterLayout.ts"
import type { PolicySpec } from "../../../src/model/policy/PolicySpec.ts"
import { backward, forward, lossOfRows, outputGradients } from "../../../src/model/reference/index.ts"
import { Pcg64 } from "../../../src/random/Pcg64.ts"
import { approximately } from "../approximately.ts"
import { bits, blank, makeBed, Seed } from "./bed.ts"

const Policy = Schema.Struct({
  inputs: Schema.Literals([1, 3, 4, 9]),
  hidden: Schema.Literals(["1", "3", "4", "8", "33", "5,6", "8,4,7"]),
  activation: Schema.Literals(["tanh", "relu"]),
  distribution: Schema.Literals(["categorical", "diagonal-gaussian"])
})

const policyOf = ({ distribution, hidden, ...encoder }: typeof Policy.Type): PolicySpec => ({
  encoder: { kind: "gru", ...encoder, hidden: hidden.split(",").map(Number) },
  distribution: distribution === "categorical" ? { kind: distribution, n: 3 } : { kind: distribution, dims: 2 }
})

/** Some consecutive rows, two of which may begin an episode, and what is remembered before them. */
const rowsOf = (policy: PolicySpec, rows: number, seed: number) => {
  const random = Pcg64.fromSeed(seed)
  const layout = new ParameterLayout(policy)
  const { action } = distributionOf(policy.distribution)
  const numbers = (length: number, scale = 1) => Float32Array.from({ length }, () => scale * random.standardNormal())
  const parameters = initialParameters(policy, "pytorch", random)
  const actions = action.type === "int32"
    ? Int32Array.from({ length: rows * action.width }, () => random.integers(0, 2))
    : numbers(rows * action.width)
  return {
    layout,
    parameters,
    actions,
    observations: numbers(rows * policy.encoder.inputs),
    advantages: numbers(rows),
    returns: numbers(rows),
    state: numbers(layout.memory!.recurrent.inputs, 0.5),
    starts: Uint8Array.from({ length: rows }, () => random.random() < 0.15 ? 1 : 0)
  }
}

const loss = { name: "a2c", valueCoefficient: 0.5, entropyCoefficient: 0.01 } as const

/** The mean loss and its gradient in float64. */
const reference = (
  policy: PolicySpec,
  { actions, advantages, layout, observations, returns, starts, state }: ReturnType<typeof rowsOf>,
  parameters: Float64Array
) => {
  const pass = forward(layout, parameters, observations, { state, starts })
  const output = outputGradients(policy.distribution, pass.rows)
  const { at, length } = layout.free
  const terms = lossOfRows(policy.distribution, loss, {
    outputs: pass.outputs,
    values: pass.values,
    free: parameters.subarray(at, at + length),
    actions,
    advantages: Float64Array.from(advantages),
    returns: Float64Array.from(returns)
  }, output)
  return { terms, pass, gradients: backward(layout, parameters, pass, output) }
}

/** The same rows in the kernels' memory. */
const setUp = (policy: PolicySpec, given: ReturnType<typeof rowsOf>) => {
  const bed = makeBed(4_000_000)
  const rows = given.starts.length
  const starts = bed.allocate(rows)
  bed.arena.uint8(starts, rows).set(given.starts)
  const actions = bed.allocate(given.actions.byteLength)
  if (given.actions instanceof Int32Array) bed.arena.int32(actions, given.actions.length).set(given.actions)
  else bed.arena.float32(actions, given.actions.length).set(given.actions)
  return {
    ...bed,
    job: {
      ...blank,
      policy: Effect.runSync(bed.kernels.describe(bed.arena, policy)),
      parameters: bed.floats(given.parameters).at,
      workspace: bed.allocate(Kernels.workspaceBytes(policy, Kernels.rowsAtOnce(policy, rows))),
      rows,
      observations: bed.floats(given.observations).at,
      actions,
      starts,
      states: bed.floats(given.state).at
    },
    numbers: bed.floats
  }
}

const Rows = Schema.Literals([1, 2, 5, 20, 33, 70])

describe("a gated recurrent unit", () => {
  it.prop(
    "has the gradient in float64 that finite differences have",
    [Policy, Schema.Literals([1, 3, 7]), Seed],
    (given) => {
      const [sizes, rows, seed] = given
      // A kink of ReLU would be stepped over.
      const policy = policyOf({ ...sizes, activation: "tanh" })
      const known = rowsOf(policy, rows, seed)
      const parameters = Float64Array.from(known.parameters)
      const { gradients } = reference(policy, known, parameters)
      const random = Pcg64.fromSeed(seed + 1)
      for (let trial = 0; trial < 12; trial++) {
        const k = random.integers(0, parameters.length)
        const at = (change: number) => {
          const moved = parameters.slice()
          moved[k] = moved[k]! + change
          return reference(policy, known, moved).terms.loss
        }
        const h = 1e-5
        approximately([gradients[k]!], [(at(h) - at(-h)) / (2 * h)], 1e-7, `parameter ${k}`)
      }
    },
    { arbitrary: { runs: 20 } }
  )

  it.prop("has that gradient in the kernels", [Policy, Rows, Seed], ([sizes, rows, seed]) => {
    const policy = policyOf({ ...sizes, activation: "tanh" })
    const known = rowsOf(policy, rows, seed)
    const expected = reference(policy, known, Float64Array.from(known.parameters))
    const s = setUp(policy, known)
    const gradients = s.floats(known.parameters.length)
    const sums = s.statistics()
    const job = {
      ...s.job,
      loss,
      scale: 1 / rows,
      advantages: s.numbers(known.advantages).at,
      returns: s.numbers(known.returns).at,
      gradients: gradients.at,
      statistics: sums.at
    }
    s.kernels.gradients(job)
    approximately(gradients.view, expected.gradients, 2e-5, "gradients")
    approximately([sums.view[0]! / rows], [expected.terms.policyLoss], 1e-5, "policy loss")
    // Once more, on top.
    s.kernels.gradients({ ...job, accumulate: 1 })
    approximately(gradients.view, expected.gradients.map((g) => 2 * g), 4e-5, "twice the gradients")
    // Of no rows there is none.
    s.kernels.gradients({ ...job, rows: 0 })
    assert.isTrue(gradients.view.every((g) => g === 0))
  }, { arbitrary: { runs: 40 } })

  it.prop(
    "acts, step by step, with the bits that learning finds again",
    [Policy, Rows, Seed],
    ([sizes, rows, seed]) => {
      const policy = policyOf(sizes)
      const known = rowsOf(policy, rows, seed)
      const s = setUp(policy, known)
      const { action, outputs } = distributionOf(policy.distribution)
      const width = policy.encoder.inputs
      const acted = { logProbabilities: s.floats(rows), values: s.floats(rows) }
      const actions = s.floats(rows * action.width)
      const state = s.numbers(known.state)
      const put = s.floats(outputs)
      const value = s.floats(1)
      const stream = s.streams([seed])
      for (let t = 0; t < rows; t++) {
        if (known.starts[t] === 1) state.view.fill(0)
        const observations = s.job.observations + t * width * 4
        // What a value is asked for changes nothing.
        s.kernels.valuesMany(s.job.policy, s.job.parameters, 1, 16, observations, s.job.workspace, value.at, state.at)
        s.kernels.act({
          ...s.job,
          rows: 1,
          observations,
          streams: stream.at,
          states: state.at,
          outputs: put.at,
          values: acted.values.at + t * 4,
          actions: actions.at + t * action.width * 4,
          logProbabilities: acted.logProbabilities.at + t * 4
        })
        assert.strictEqual(value.view[0], acted.values.view[t])
      }
      const found = { logProbabilities: s.floats(rows), entropies: s.floats(rows), values: s.floats(rows) }
      s.kernels.evaluate({
        ...s.job,
        actions: actions.at,
        logProbabilities: found.logProbabilities.at,
        entropies: found.entropies.at,
        values: found.values.at
      })
      assert.deepStrictEqual(bits(found.values.view), bits(acted.values.view))
      approximately(found.logProbabilities.view, acted.logProbabilities.view, 1e-5, "log-probabilities")
      const expected = forward(known.layout, known.parameters, known.observations, known)
      approximately(found.values.view, expected.values, 1e-5, "values")
      approximately(state.view, expected.cell!.after.slice(-known.state.length), 1e-5, "what is remembered at the end")
    },
    { arbitrary: { runs: 40 } }
  )

  it.prop(
    "serves many environments at once with the bits of each alone",
    [Policy, Schema.Literals([2, 5, 33]), Seed],
    (given) => {
      const [sizes, count, seed] = given
      const policy = policyOf(sizes)
      const known = rowsOf(policy, count, seed)
      const s = setUp(policy, known)
      const { outputs } = distributionOf(policy.distribution)
      const width = known.state.length
      const states = Pcg64.fromSeed(seed)
      const before = Float32Array.from({ length: count * width }, () => states.standardNormal())
      const all = { states: s.numbers(before), outputs: s.floats(count * outputs), values: s.floats(count) }
      const one = { states: s.numbers(before), outputs: s.floats(count * outputs), values: s.floats(count) }
      const { observations, parameters, policy: net, workspace } = s.job
      const { forward } = s.kernels
      const more = s.allocate(Kernels.workspaceBytes(policy, count))
      forward(net, parameters, observations, count, more, all.outputs.at, all.values.at, all.states.at)
      for (let e = 0; e < count; e++) {
        const at = (start: number, numbers: number) => start + e * numbers * 4
        const x = at(observations, policy.encoder.inputs)
        forward(
          net,
          parameters,
          x,
          1,
          workspace,
          at(one.outputs.at, outputs),
          at(one.values.at, 1),
          at(one.states.at, width)
        )
      }
      for (const name of ["states", "outputs", "values"] as const) {
        assert.deepStrictEqual(bits(all[name].view), bits(one[name].view), name)
      }
    },
    { arbitrary: { runs: 30 } }
  )
})

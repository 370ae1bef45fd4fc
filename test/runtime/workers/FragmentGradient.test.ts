/** Gradients computed in a worker's slot, against the float64 reference and what PyTorch recorded of notebook 002. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Arena } from "../../../src/model/kernels/Arena.ts"
import { Kernels } from "../../../src/model/kernels/Kernels.ts"
import { Statistic } from "../../../src/model/losses/Loss.ts"
import { adam, initialOptimizerState } from "../../../src/model/optimizers.ts"
import type { FloatArray } from "../../../src/model/policy/Layer.ts"
import { ParameterLayout } from "../../../src/model/policy/ParameterLayout.ts"
import { type CategoricalMlp, categoricalMlp } from "../../../src/model/policy/PolicySpec.ts"
import { forward } from "../../../src/model/reference/network.ts"
import { type Learning, updateAlongFragment, updateOnRows } from "../../../src/model/reference/updates.ts"
import { generalizedAdvantages } from "../../../src/model/returns.ts"
import { Pcg64 } from "../../../src/random/Pcg64.ts"
import type { Loss, PassOrder } from "../../../src/runtime/plan/UpdatePlan.ts"
import {
  dataPlaneBytes,
  type DataPlaneLayout,
  envSlot,
  layOut,
  unitSlot
} from "../../../src/runtime/workers/dataPlaneLayout.ts"
import type { DataPlaneSpec } from "../../../src/runtime/workers/DataPlaneSpec.ts"
import * as FragmentGradient from "../../../src/runtime/workers/FragmentGradient.ts"
import type { TargetSettings } from "../../../src/runtime/workers/targets.ts"
import { randomNetwork } from "../../model/kernels/bed.ts"
import { flatten, layoutOf, learnerFile, sizesOf } from "../../model/learnerFile.ts"

interface Settings {
  readonly targets: TargetSettings
  readonly loss: Loss
}

const a2c = { name: "a2c", valueCoefficient: 0.5, entropyCoefficient: 0.01 } as const
const td = (settings: Partial<Extract<Loss, { name: "td" }>> = {}): Loss => ({
  name: "td",
  gamma: 0.98,
  detachBootstrap: true,
  valueCoefficient: 0.5,
  entropyCoefficient: 0.01,
  ...settings
})

const plain: Settings = {
  targets: {
    nSteps: 40,
    returns: "gae",
    gamma: 0.98,
    gaeLambda: 0.9,
    normalizeReturns: false,
    bootstrapTruncated: true,
    dropLastStep: false
  },
  loss: a2c
}

/** A plane of two environments and two workers, and the gradient that the second makes of the second. */
const setUp = Effect.fnUntraced(function*(network: CategoricalMlp, settings: Settings) {
  const parameters = new ParameterLayout(categoricalMlp(network)).size
  const steps = settings.targets.nSteps
  const spec: DataPlaneSpec = {
    slots: 2,
    steps,
    inputs: network.inputs,
    actions: network.actions,
    actionWidth: 1,
    continuous: false,
    masks: 0,
    memory: 0,
    stateSize: 1,
    parameters,
    normalization: { observations: false, rewards: false },
    descriptorBytes: Kernels.descriptorBytes(categoricalMlp(network)),
    workers: 2,
    workspaceBytes: Kernels.workspaceBytes(
      categoricalMlp(network),
      settings.loss.name === "td" ? steps + 1 : Kernels.chunkRows
    ),
    pulled: parameters,
    activationBytes: 0,
    stretch: 0,
    replicaBytes: 0,
    unit: 1,
    gradient: parameters
  }
  const bytes = dataPlaneBytes(spec)
  const arena = yield* Arena.make({ bytes: bytes + 64 })
  const kernels = yield* Kernels.instantiate(arena.memory)
  const layout = layOut(spec, yield* arena.allocate(bytes))
  kernels.writeDescriptor(layout.descriptor, categoricalMlp(network))
  const slot = { ...envSlot(arena.buffer, layout, 1), ...gradientOf(arena.buffer, layout) }
  const whole = new Uint8Array(arena.buffer)
  const pass = { loss: settings.loss, advantage: null, minibatch: null }
  const gradient = FragmentGradient.make(kernels, layout, { worker: 1, first: 1, count: 1, unit: 1 }, {
    policy: categoricalMlp(network),
    targets: settings.targets,
    seed: 5,
    units: 2,
    first: pass
  })
  return {
    slot,
    whole,
    layout,
    compute: (rows: number) => gradient.first(slot.address.weights, rows),
    again: (rows: number, given: Partial<PassOrder>) =>
      gradient.again(slot.address.weights, rows, { ...pass, ...given })
  }
})

const gradientOf = (buffer: SharedArrayBuffer, layout: DataPlaneLayout) => {
  const { gradient, statistics } = unitSlot(buffer, layout, 1)
  return { gradient, statistics }
}

/** The gradient of the mean over the rows: what is left in place is the sum. */
const mean = (gradient: Float32Array, rows: number): Float32Array => gradient.map((sum) => sum / rows)

const learningOf = (layout: ParameterLayout, parameters: FloatArray): Learning => ({
  layout,
  parameters: Float64Array.from(parameters),
  optimizer: adam,
  state: initialOptimizerState(adam, layout.size)
})
const still = { learningRate: 0 }

/**
 * Relative to the largest: float32 sums of the same numbers in another order. Rewards and values are near 1, and so is
 * their rounding even where they cancel to a difference near 0: below `largest` the tolerance shrinks no more.
 */
const close = (actual: ArrayLike<number>, expected: ArrayLike<number>, tolerance: number, what: string): void => {
  let largest = 0.05
  for (let k = 0; k < expected.length; k++) largest = Math.max(largest, Math.abs(expected[k]!))
  assert.strictEqual(actual.length, expected.length)
  for (let k = 0; k < expected.length; k++) {
    if (!(Math.abs(actual[k]! - expected[k]!) <= tolerance * largest)) {
      assert.fail(`${what}[${k}] is ${actual[k]}, not ${expected[k]}, of ${largest} at most`)
    }
  }
}

const Case = Schema.Struct({
  towers: Schema.Literals(["separate", "shared"]),
  activation: Schema.Literals(["tanh", "relu"]),
  width: Schema.Literals([1, 5, 20, 33]),
  actions: Schema.Literals([2, 3]),
  rows: Schema.Literals([1, 2, 5, 20, 33, 40]),
  seed: Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 1_000_000 })),
  terminated: Schema.Boolean,
  detached: Schema.Boolean
})

const networkOf = ({ actions, activation, towers, width }: typeof Case.Type): CategoricalMlp => ({
  towers,
  activation,
  inputs: 4,
  actions,
  hidden: [width]
})

/** Random experience in the slot, as a rollout leaves it; returns the observations in float64. */
const fill = (given: typeof Case.Type, { slot }: Effect.Success<ReturnType<typeof setUp>>) => {
  const { rows, seed, terminated } = given
  const random = Pcg64.fromSeed(seed)
  const { actions, inputs } = networkOf(given)
  const { layout, observations, parameters } = randomNetwork(networkOf(given), rows + 1, seed)
  slot.weights.set(parameters)
  slot.observations.set(observations)
  const weights = Float64Array.from(slot.weights)
  const seen = Float64Array.from(slot.observations.subarray(0, (rows + 1) * inputs))
  const { values } = forward(layout, weights, seen)
  for (let t = 0; t < rows; t++) {
    slot.actions[t] = random.integers(0, actions)
    slot.rewards[t] = random.standardNormal()
    slot.values[t] = values[t]!
    slot.nextValues[t] = values[t + 1]!
  }
  slot.terminated[rows - 1] = terminated ? 1 : 0
  if (terminated) slot.nextValues[rows - 1] = 0
  // Leftovers of an earlier, longer fragment count for nothing.
  slot.rewards.fill(1e9, rows)
  slot.nextValues.fill(1e9, rows)
  slot.gradient.fill(NaN)
  slot.statistics.fill(NaN)
  return { layout, weights, seen }
}

describe("FragmentGradient", () => {
  it.effect.prop("a2c: the float64 gradient of the fragment", [Case], ([given]) =>
    Effect.gen(function*() {
      const { rows } = given
      const plane = yield* setUp(networkOf(given), plain)
      const { layout, seen, weights } = fill(given, plane)
      const { slot } = plane
      plane.compute(rows)

      const advantages = new Float64Array(rows)
      const returns = new Float64Array(rows)
      const steps = {
        rewards: slot.rewards,
        values: Float64Array.from(slot.values),
        nextValues: Float64Array.from(slot.nextValues),
        terminated: slot.terminated,
        truncated: slot.truncated
      }
      generalizedAdvantages(advantages, returns, steps, plain.targets.gamma, plain.targets.gaeLambda, 0, rows)
      const expected = updateOnRows(
        learningOf(layout, weights),
        {
          observations: seen.subarray(0, rows * networkOf(given).inputs),
          actions: slot.actions.slice(0, rows),
          advantages,
          returns
        },
        a2c,
        still
      )
      close(mean(slot.gradient, rows), expected.gradients, 2e-5, "gradient")
      const { entropy, policyLoss, valueLoss } = expected.terms
      assert.strictEqual(slot.statistics[Statistic.rows], rows)
      close(
        [Statistic.policyLoss, Statistic.valueLoss, Statistic.entropy].map((k) => slot.statistics[k]! / rows),
        [policyLoss, valueLoss, entropy],
        2e-5,
        "loss"
      )
    }), { arbitrary: { runs: 40 } })

  it.effect.prop(
    "td: the float64 gradient of the fragment, through the bootstrap or not",
    [Case],
    ([given]) =>
      Effect.gen(function*() {
        const { detached, rows, terminated } = given
        const loss = td({ gamma: 0.9, detachBootstrap: detached, valueCoefficient: 1, entropyCoefficient: 0 })
        const plane = yield* setUp(networkOf(given), { ...plain, loss })
        const { layout, seen, weights } = fill(given, plane)
        const { slot } = plane
        plane.compute(rows)
        const expected = updateAlongFragment(
          learningOf(layout, weights),
          {
            observations: seen,
            actions: slot.actions.slice(0, rows),
            // The kernel takes rewards in float32.
            rewards: Float64Array.from(Float32Array.from(slot.rewards.subarray(0, rows))),
            terminated
          },
          { name: "td", gamma: 0.9, detachBootstrap: detached, valueCoefficient: 1, entropyCoefficient: 0 },
          still
        )
        close(mean(slot.gradient, rows), expected.gradients, 2e-5, "gradient")
        close(
          [Statistic.policyLoss, Statistic.valueLoss].map((k) => slot.statistics[k]! / rows),
          [expected.terms.policyLoss, expected.terms.valueLoss],
          2e-5,
          "loss"
        )
      }),
    { arbitrary: { runs: 40 } }
  )

  it.effect.prop(
    "writes to its own places alone, and the same bits whatever was there",
    [Case],
    ([given]) =>
      Effect.gen(function*() {
        for (const loss of [a2c, td()]) {
          const plane = yield* setUp(networkOf(given), { ...plain, loss })
          fill(given, plane)
          const { compute, layout, slot, whole } = plane
          const outside = () => {
            const rest = whole.slice()
            for (const part of ["slot", "unit", "worker"] as const) {
              const bytes = layout[`${part}Bytes`]
              const mine = layout[`${part}s`] + bytes
              rest.fill(0, mine, mine + bytes)
            }
            return rest
          }
          const before = outside()
          compute(given.rows)
          assert.deepStrictEqual(outside(), before)
          const first = slot.gradient.slice()
          const sums = slot.statistics.slice()
          slot.gradient.fill(7)
          compute(given.rows)
          assert.deepStrictEqual(slot.gradient, first)
          assert.deepStrictEqual(slot.statistics, sums)
        }
      }),
    { arbitrary: { runs: 10 } }
  )

  it.effect.prop(
    "minibatches: their gradients add up to the whole, and advantages are brought to the mean and scale that are told",
    [Case],
    ([given]) =>
      Effect.gen(function*() {
        const { rows } = given
        const plane = yield* setUp(networkOf(given), plain)
        fill(given, plane)
        const { again, compute, slot } = plane
        compute(rows)
        const whole = slot.gradient.slice()
        again(rows, {})
        // The same rows, not from what acting left of them: the same bits.
        assert.deepStrictEqual(slot.gradient, whole)
        const of = Math.min(rows, 3)
        const sum = new Float64Array(whole.length)
        let counted = 0
        for (let index = 0; index < of; index++) {
          again(rows, { minibatch: { consumed: 7, epoch: 2, index, of } })
          slot.gradient.forEach((g, k) => sum[k] = sum[k]! + g)
          counted += slot.statistics[Statistic.rows]!
        }
        assert.strictEqual(counted, rows)
        close(sum, whole, 1e-4, "sum")

        again(rows, { advantage: { mean: 0.25, scale: 3 } })
        const told = slot.gradient.slice()
        for (let t = 0; t < rows; t++) slot.advantages[t] = (slot.advantages[t]! - 0.25) * 3
        again(rows, {})
        close(slot.gradient, told, 1e-4, "told")
      }),
    { arbitrary: { runs: 30 } }
  )

  describe.skipIf(learnerFile === undefined)("recorded", () => {
    it.effect.each(learnerFile?.cases.map((recorded, index) => ({ index, kind: recorded.kind, recorded })) ?? [])(
      "case $index ($kind): PyTorch's gradient of the notebook's loss",
      ({ kind, recorded }) =>
        Effect.gen(function*() {
          const file = learnerFile!
          const rows = recorded.actions.length
          const layout = layoutOf(recorded)
          const alongFragment = kind === "shared"
          const plane = yield* setUp(sizesOf(recorded), {
            ...plain,
            // Without a discount the n-step return is the reward: the file's returns stand in its place.
            targets: { ...plain.targets, nSteps: rows, returns: "n-step", gamma: alongFragment ? file.gamma : 0 },
            loss: alongFragment
              ? td({ gamma: file.gamma, detachBootstrap: false, valueCoefficient: 1, entropyCoefficient: 0 })
              : { ...a2c, entropyCoefficient: file.entropy_coef }
          })
          const { compute, slot } = plane
          slot.weights.set(flatten(layout, recorded.initial))
          slot.observations.set(recorded.observations.slice(0, rows + 1).flat())
          slot.actions.set(recorded.actions)
          slot.rewards.set(alongFragment ? recorded.rewards : recorded.returns)
          slot.terminated[rows - 1] = 1
          slot.values.set(
            forward(layout, Float64Array.from(slot.weights), Float64Array.from(slot.observations)).values.subarray(
              0,
              rows
            )
          )
          compute(rows)
          const [first] = recorded.updates
          const tolerance = 1e-5
          close([slot.statistics[Statistic.policyLoss]! / rows], [first!.policy_loss], tolerance, "policy loss")
          close([slot.statistics[Statistic.valueLoss]! / rows], [first!.value_loss], tolerance, "value loss")
          if (first!.gradients !== undefined) {
            close(mean(slot.gradient, rows), flatten(layout, first!.gradients), tolerance, "gradient")
          }
        })
    )
  })
})

/**
 * The distributions on every device as PyTorch computed them (`distributions.json`). A policy without hidden layers whose
 * weights are 0 puts out its biases, so that each row's distribution can be written as parameters.
 */
import { describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type { DeviceName, DeviceOf, Segment } from "../../../src/model/Device.ts"
import { adam } from "../../../src/model/optimizers.ts"
import { distributionOf } from "../../../src/model/policy/DistributionSpec.ts"
import { ParameterLayout } from "../../../src/model/policy/ParameterLayout.ts"
import type { PolicySpec } from "../../../src/model/policy/PolicySpec.ts"
import { approximately } from "../approximately.ts"
import { type DistributionCase, distributionsFile, nameOf, rowsOf, specOf } from "../distributionsFile.ts"
import { isSetUp, opened } from "./opening.ts"

const names: ReadonlyArray<DeviceName> = [
  "reference",
  "cpu",
  "tfjs-cpu",
  "tfjs-wasm",
  ...(isSetUp("tfjs-node") ? ["tfjs-node"] as const : [])
]

const check = Effect.fnUntraced(function*<D extends DeviceName>(device: DeviceOf<D>, given: DistributionCase) {
  const distribution = specOf(given)
  const { action, outputs } = distributionOf(distribution)
  const policy: PolicySpec = {
    encoder: { kind: "mlp", towers: "separate", inputs: 1, hidden: [], activation: "tanh" },
    distribution
  }
  const layout = new ParameterLayout(policy)
  const { bias } = layout.actor[0]!
  const parameters = new Float32Array(layout.size)
  // Adam without memory remembers the last gradient as it was.
  const spec = { policy, optimizer: { ...adam, beta1: 0 }, maxRows: 1 }
  const model = yield* device.model(spec, parameters)
  for (const [k, row] of rowsOf(given).entries()) {
    parameters.set(row.parameters.slice(0, outputs), bias)
    parameters.set(row.parameters.slice(outputs), layout.free.at)
    yield* model.write(parameters)
    const segment: Segment = {
      rows: 1,
      observations: Float32Array.of(0),
      actions: action.type === "int32" ? Int32Array.from(row.action) : Float32Array.from(row.action),
      // The loss −log p · A − c · H is what the file differentiates.
      advantages: Float32Array.of(-row.dLogProbability),
      returns: Float32Array.of(0),
      logProbabilities: Float32Array.of(0),
      values: Float32Array.of(0)
    }
    const batch = yield* model.batch([segment])
    const { entropies, logProbabilities } = yield* model.evaluate(batch)
    const gradients = yield* model.gradients(batch, {
      loss: { name: "a2c", valueCoefficient: 0, entropyCoefficient: -row.dEntropy },
      advantage: null,
      select: null
    })
    yield* model.apply(gradients, { learningRate: 1e-9, maxGradNorm: 0 })
    const gradient = (yield* model.save).optimizer.arrays["mean"]!
    // Parameters are rounded to float32: a logit of 700 by 3e-5, a standardized action in proportion to its size.
    const largest = row.parameters.reduce((most, x) => Math.max(most, Math.abs(x)), 1)
    const tolerance = 2e-6 * Math.max(1, largest / 5, Math.abs(row.logProbability))
    const of = (what: string) => `row ${k}: ${what}`
    approximately(logProbabilities, [row.logProbability], tolerance, of("log p"))
    approximately(entropies, [row.entropy], tolerance, of("entropy"))
    approximately(
      gradient.subarray(bias, bias + outputs),
      row.gradient.slice(0, outputs),
      3 * tolerance,
      of("gradient")
    )
    approximately(
      gradient.subarray(layout.free.at),
      row.gradient.slice(outputs),
      3 * tolerance,
      of("gradient of free parameters")
    )
  }
})

describe.skipIf(distributionsFile === undefined)("recorded distributions", () => {
  for (const name of names) {
    it.live.each((distributionsFile?.cases ?? []).map((given) => [nameOf(given), given] as const))(
      `${name} is PyTorch's: %s`,
      ([, given]) => Effect.scoped(Effect.flatMap(opened(name), (device) => device.use((d) => check(d, given))))
    )
  }
})

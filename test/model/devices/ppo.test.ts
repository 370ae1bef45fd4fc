/**
 * The clipped surrogate on every device as PyTorch computed it in float64 (`ppo.json`): losses, approximate KL, clip
 * fraction, norm and gradients of each minibatch, and the weights after each of Adam's updates.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Result from "effect/Result"
import type { DeviceName, DeviceOf, Pass, Segment } from "../../../src/model/Device.ts"
import { adam } from "../../../src/model/optimizers.ts"
import { ParameterLayout } from "../../../src/model/policy/ParameterLayout.ts"
import { approximately } from "../approximately.ts"
import { policyOf, type PpoCase, ppoFile } from "../ppoFile.ts"
import { isSetUp, opened } from "./opening.ts"

/** float64 differs in the order of sums and in float32 parameters between updates; float32 has 6e-8. */
const tolerances: { readonly [Name in DeviceName]?: number } = {
  reference: 1e-6,
  cpu: 2e-5,
  "tfjs-cpu": 2e-5,
  "tfjs-wasm": 2e-5,
  ...(isSetUp("tfjs-node") ? { "tfjs-node": 2e-5 } : {})
}

const segmentOf = (given: PpoCase): Segment => {
  const numbers = given.taken.flatMap((action) => action)
  return {
    rows: given.observations.length,
    observations: Float32Array.from(given.observations.flat()),
    actions: given.actions === "discrete" ? Int32Array.from(numbers) : Float32Array.from(numbers),
    advantages: Float32Array.from(given.advantages),
    returns: Float32Array.from(given.returns),
    logProbabilities: Float32Array.from(given.old_log_probs),
    values: Float32Array.from(given.old_values)
  }
}

/** A minibatch: (A − mean) / (sample deviation + 1e-8) over its rows. */
const passOf = (given: PpoCase, rows: ReadonlyArray<number>): Pass => {
  const chosen = rows.map((row) => given.advantages[row]!)
  const mean = chosen.reduce((sum, A) => sum + A, 0) / rows.length
  const deviation = Math.sqrt(chosen.reduce((sum, A) => sum + (A - mean) ** 2, 0) / (rows.length - 1))
  return {
    loss: {
      name: "ppo",
      clipRange: given.clip_range,
      valueClipRange: given.value_clip,
      valueCoefficient: given.value_coef,
      entropyCoefficient: given.entropy_coef
    },
    advantage: given.normalise === "sample" ? { mean, scale: 1 / (deviation + 1e-8) } : null,
    select: [Int32Array.from(rows)]
  }
}

const check = Effect.fnUntraced(function*<D extends DeviceName>(
  device: DeviceOf<D>,
  given: PpoCase,
  tolerance: number
) {
  const policy = policyOf(given)
  const layout = new ParameterLayout(policy)
  const flatten = (named: PpoCase["initial"]) =>
    Result.getOrThrow(layout.fromNamed(named, new Float64Array(layout.size)))
  const initial = Float32Array.from(flatten(given.initial))
  const segment = segmentOf(given)
  const spec = { policy, maxRows: segment.rows, optimizer: { kind: "adam", ...given.adam } as const }
  const model = yield* device.model(spec, initial)
  // Adam without memory remembers the last gradient as it was.
  const mirror = yield* device.model({ ...spec, optimizer: { ...adam, beta1: 0 } }, initial)
  const parameters = new Float32Array(layout.size)
  for (const [u, expected] of given.updates.entries()) {
    const pass = passOf(given, expected.rows)
    yield* model.read(parameters)
    yield* mirror.write(parameters)
    const seen = yield* Effect.flatMap(mirror.batch([segment]), (batch) => mirror.gradients(batch, pass))
    yield* mirror.apply(seen, { learningRate: 1e-9, maxGradNorm: 0 })
    if (expected.gradients !== undefined) {
      approximately(
        (yield* mirror.save).optimizer.arrays["mean"]!,
        flatten(expected.gradients),
        tolerance * Math.max(1, expected.grad_norm),
        `gradients of update ${u}`
      )
    }

    const gradients = yield* Effect.flatMap(model.batch([segment]), (batch) => model.gradients(batch, pass))
    const { approxKl, clipFraction, entropy, policyLoss, valueLoss } = gradients.loss
    const norm = yield* model.apply(gradients, {
      learningRate: given.learning_rate,
      maxGradNorm: given.max_grad_norm
    })
    const loss = policyLoss + given.value_coef * valueLoss - given.entropy_coef * entropy
    approximately(
      [loss, policyLoss, valueLoss, entropy, approxKl!, norm],
      [
        expected.loss,
        expected.policy_loss,
        expected.value_loss,
        expected.entropy,
        expected.approx_kl,
        expected.grad_norm
      ],
      tolerance * Math.max(1, expected.value_loss),
      `losses and norm of update ${u}`
    )
    approximately([clipFraction!], [expected.clip_fraction], 1e-7, `clip fraction of update ${u}`)
    yield* model.read(parameters)
    // Adam divides a gradient by its own size, so that the rounding of a very small one shows in full.
    if (expected.after !== undefined) {
      approximately(
        parameters,
        flatten(expected.after),
        given.learning_rate * Math.max(1e-3, 1000 * tolerance) * (u + 1),
        `weights after update ${u}`
      )
    }
  }
})

describe.skipIf(ppoFile === undefined)("recorded PPO", () => {
  it("there are cases", () => {
    assert.isAbove(ppoFile!.cases.length, 0)
    for (const { updates } of ppoFile!.cases) assert.isAbove(updates.length, 0)
  })

  for (const name of Object.keys(tolerances) as ReadonlyArray<keyof typeof tolerances>) {
    it.live.each(
      (ppoFile?.cases ?? []).map((given) => [given.name, given] as const)
    )(
      `${name} is PyTorch's: %s`,
      ([, given]) =>
        Effect.scoped(
          Effect.flatMap(opened(name), (device) => device.use((d) => check(d, given, tolerances[name]!)))
        )
    )
  }
})

/**
 * What a device of TensorFlow.js asks of its backend, and what it makes of a backend that goes wrong without a word in its
 * calls, as a GPU's does. The backend here is the plain one in JavaScript, which is watched, or told to fail.
 */
import { assert, describe, it } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { fileURLToPath } from "node:url"
import type { DeviceOf, LearnerModel, ModelSpec, Pass, Segment } from "../../../src/model/Device.ts"
import { loadTfjs } from "../../../src/model/devices/loadTfjs.ts"
import { PackageFolders, placesOf } from "../../../src/model/devices/packages.ts"
import * as TfjsDevice from "../../../src/model/devices/TfjsDevice.ts"
import type { Trouble } from "../../../src/model/devices/trouble.ts"
import { initialParameters } from "../../../src/model/initialize.ts"
import { adam, type OptimizerSpec, rmsProp } from "../../../src/model/optimizers.ts"
import type { Activation } from "../../../src/model/policy/activations.ts"
import { ParameterLayout } from "../../../src/model/policy/ParameterLayout.ts"
import { categoricalMlp } from "../../../src/model/policy/PolicySpec.ts"
import { Pcg64 } from "../../../src/random/Pcg64.ts"

const policy = (activation: Activation) =>
  categoricalMlp({ towers: "shared", inputs: 3, actions: 2, hidden: [8, 8], activation })

const segments: ReadonlyArray<Segment> = [{
  rows: 4,
  observations: Float32Array.from({ length: 12 }, (_, k) => Math.fround(k / 10 - 0.5)),
  actions: Int32Array.of(0, 1, 1, 0),
  advantages: Float32Array.of(1, -1, 0.5, 2),
  returns: Float32Array.of(1, 2, 3, 4),
  logProbabilities: Float32Array.of(-1, -1, -1, -1),
  values: Float32Array.of(0, 0, 0, 0)
}]
const pass: Pass = {
  loss: { name: "a2c", valueCoefficient: 0.5, entropyCoefficient: 0.01 },
  advantage: null,
  select: null
}

const backend = Effect.provideService(loadTfjs("tfjs-cpu"), PackageFolders, placesOf(fileURLToPath(import.meta.url)))

const modelOn = <D extends "webgpu">(
  device: DeviceOf<D>,
  activation: Activation = "relu",
  optimizer: OptimizerSpec = rmsProp
) => {
  const spec: ModelSpec = { policy: policy(activation), optimizer, maxRows: 4 }
  return device.model(spec, initialParameters(spec.policy, "pytorch", Pcg64.fromSeed(1)))
}

const update = <D extends "webgpu">(model: LearnerModel<D>, learningRate = 1e-3) =>
  Effect.gen(function*() {
    const gradients = yield* Effect.flatMap(model.batch(segments), (batch) => model.gradients(batch, pass))
    yield* model.apply(gradients, { learningRate, maxGradNorm: 0 })
    yield* model.read(new Float32Array(new ParameterLayout(policy("relu")).size))
  })

/** What a backend did while an effect ran: the names of its kernels, and how many tensors the host gave it. */
const watched = Effect.fnUntraced(function*<E>(effect: Effect.Effect<unknown, E>) {
  const instance = tf.backend()
  const { write } = instance
  let writes = 0
  instance.write = (...args) => {
    writes++
    return write.apply(instance, args)
  }
  const kernels: Array<string> = []
  const { state } = tf.engine()
  const before = state.activeProfile
  state.profiling = true
  state.activeProfile = { newBytes: 0, newTensors: 0, peakBytes: 0, kernels: [], result: [], kernelNames: [] }
  yield* Effect.ensuring(
    effect,
    Effect.sync(() => {
      kernels.push(...state.activeProfile.kernels.map(({ name }) => name))
      state.profiling = false
      state.activeProfile = before
      instance.write = write
    })
  )
  return { kernels, writes }
})

describe("a device of TensorFlow.js", () => {
  it.live("takes ReLU's derivative as a sign, which is fast everywhere", () =>
    Effect.scoped(Effect.gen(function*() {
      const model = yield* modelOn(TfjsDevice.make("webgpu", yield* backend))
      const { kernels } = yield* watched(update(model))
      assert.include(kernels, "Sign")
      assert.notInclude(kernels, "Step")
    })))

  for (
    const [name, activation, optimizer, kept] of [
      // The 1 of tanh's derivative, the three coefficients of the loss, both of the running mean, epsilon and the rate.
      ["RMSProp", "tanh", rmsProp, 8],
      // The coefficients of the loss, all three of the running means, and epsilon: bias corrections are others each time.
      ["Adam", "relu", adam, 7]
    ] as const
  ) {
    it.live(`sends a number of its formulas only where it is another one: ${name}`, () =>
      Effect.scoped(Effect.gen(function*() {
        const model = yield* modelOn(TfjsDevice.make("webgpu", yield* backend), activation, optimizer)
        const first = yield* watched(update(model))
        const second = yield* watched(update(model))
        const third = yield* watched(update(model, 2e-3))
        assert.deepStrictEqual(second.kernels, first.kernels)
        assert.strictEqual(first.writes - second.writes, kept)
        assert.strictEqual(third.writes - second.writes, optimizer.kind === "adam" ? 0 : 1)
      })))
  }
})

describe("a GPU that went wrong", () => {
  const troubles: ReadonlyArray<readonly [trouble: Trouble, says: RegExp]> = [
    [{ kind: "refused", reason: "too many" }, /^The device webgpu refused a command \(too many\)\. Go on from/],
    [{ kind: "memory", reason: "" }, /^The device webgpu is out of memory\. Free the memory/],
    [{ kind: "lost", reason: "fell off the bus" }, /^The device webgpu was lost \(fell off the bus\)\. Go on from/],
    [{ kind: "failed", reason: "" }, /^The device webgpu failed\. Go on from/]
  ]
  for (const [trouble, says] of troubles) {
    it.live(`${trouble.kind}: is asked for nothing more, and believed nothing more`, () =>
      Effect.scoped(Effect.gen(function*() {
        let known: Trouble | undefined
        const device = TfjsDevice.make("webgpu", { ...(yield* backend), trouble: () => known })
        const model = yield* modelOn(device)
        const batch = yield* model.batch(segments)
        const gradients = yield* model.gradients(batch, pass)
        const state = yield* model.save
        const before = tf.memory().numTensors
        known = trouble
        const into = new Float32Array(state.parameters.length)
        const attempts: ReadonlyArray<Effect.Effect<unknown, { readonly message: string }>> = [
          model.apply(gradients, { learningRate: 1, maxGradNorm: 0 }),
          model.gradients(batch, pass),
          model.batch(segments),
          model.read(into),
          model.write(into),
          model.save,
          model.load(state),
          modelOn(device).pipe(Effect.scoped)
        ]
        for (const attempt of attempts) assert.match((yield* Effect.flip(attempt)).message, says)
        assert.isTrue(into.every((value) => value === 0), "nothing was read")
        assert.isAtMost(tf.memory().numTensors, before)
      })))
  }

  it.live("is noticed where it happens while an answer is under way", () =>
    Effect.scoped(Effect.gen(function*() {
      let known: Trouble | undefined
      const model = yield* modelOn(TfjsDevice.make("webgpu", { ...(yield* backend), trouble: () => known }))
      const instance = tf.backend()
      const { read } = instance
      instance.read = (id) => {
        known = { kind: "lost", reason: "" }
        return read.call(instance, id)
      }
      const message = yield* Effect.flip(model.read(new Float32Array(1000))).pipe(
        Effect.map(({ message }) => message),
        Effect.ensuring(Effect.sync(() => instance.read = read))
      )
      assert.match(message, /^The device webgpu was lost\. /)
    })))

  it.effect("is not waited for without end", () =>
    Effect.scoped(Effect.gen(function*() {
      const model = yield* modelOn(TfjsDevice.make("webgpu", yield* backend))
      const instance = tf.backend()
      const { read } = instance
      instance.read = () => new Promise(() => {})
      yield* Effect.ensuring(
        Effect.gen(function*() {
          const fiber = yield* Effect.forkChild(Effect.flip(model.save))
          yield* TestClock.adjust("59 seconds")
          assert.isUndefined(fiber.pollUnsafe())
          yield* TestClock.adjust("2 seconds")
          const { message } = yield* Fiber.join(fiber)
          assert.match(message, /^The device webgpu does not answer \(for 60 seconds\)\. Go on from/)
        }),
        Effect.sync(() => instance.read = read)
      )
    })))

  it.live("tells what it threw in one line", () =>
    Effect.scoped(Effect.gen(function*() {
      const model = yield* modelOn(TfjsDevice.make("webgpu", yield* backend))
      const instance = tf.backend()
      const { read } = instance
      const thrown: ReadonlyArray<readonly [cause: unknown, says: RegExp]> = [
        [
          new Error("OOM when allocating tensor.\nHint: none"),
          /^The device webgpu is out of memory \(OOM when allocating tensor\)\. Free/
        ],
        [new Error(""), /^The device webgpu failed\. Go/],
        [new RangeError(""), /^The device webgpu failed \(RangeError\)\. Go/],
        [undefined, /^The device webgpu failed\. Go/],
        [Object.create(null), /^The device webgpu failed \(something that has no text\)\. Go/],
        ["x".repeat(10_000), /^[^\n]{1,500}$/]
      ]
      for (const [cause, says] of thrown) {
        instance.read = () => Promise.reject(cause)
        const { message } = yield* Effect.ensuring(
          Effect.flip(model.save),
          Effect.sync(() => instance.read = read)
        )
        assert.match(message, says)
      }
    })))
})

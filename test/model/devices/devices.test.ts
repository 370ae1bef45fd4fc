/** What every device promises, whichever it is: the numbers of the float64 reference, and nothing left behind. */
import { assert, describe, it } from "@effect/vitest"
import * as tf from "@tensorflow/tfjs-core"
import { Deferred, Effect, Fiber, Schema } from "effect"
import type { DeviceName, DeviceOf, ModelSpec, Pass, Segment } from "../../../src/model/Device.ts"
import { measureUpdate } from "../../../src/model/devices/measureUpdate.ts"
import { initialParameters } from "../../../src/model/initialize.ts"
import { Statistic } from "../../../src/model/losses/Loss.ts"
import {
  adam,
  applyOptimizer,
  clipGradientNorm,
  initialOptimizerState,
  type OptimizerSpec,
  rmsProp
} from "../../../src/model/optimizers.ts"
import { applyMask } from "../../../src/model/policy/masks.ts"
import { ParameterLayout } from "../../../src/model/policy/ParameterLayout.ts"
import { type CategoricalMlp, categoricalMlp } from "../../../src/model/policy/PolicySpec.ts"
import { evaluateRows, lossOfRows, outputGradients } from "../../../src/model/reference/losses.ts"
import { backward, forward } from "../../../src/model/reference/network.ts"
import { updateOnRows } from "../../../src/model/reference/updates.ts"
import { Pcg64 } from "../../../src/random/Pcg64.ts"
import { approximately } from "../approximately.ts"
import { opened } from "./opening.ts"

const names = ["reference", "tfjs-cpu", "tfjs-wasm"] as const
const coefficients = { name: "a2c", valueCoefficient: 0.5, entropyCoefficient: 0.01 } as const
const pass: Pass = { loss: coefficients, advantage: null, select: null }
/** What the library counts, whether or not a backend is there to ask. */
const held = () => {
  const { numBytes, numDataBuffers, numTensors } = tf.engine().state
  return { numBytes, numDataBuffers, numTensors }
}
const nothing = { numBytes: 0, numDataBuffers: 0, numTensors: 0 }
const size = { learningRate: 1e-3, maxGradNorm: 0.5 }

const segmentOf = (random: Pcg64, network: CategoricalMlp, rows: number): Segment => {
  const normals = (length: number) => Float32Array.from({ length }, () => random.standardNormal())
  return {
    rows,
    // One row more than counts, as the fragments of a run have.
    observations: normals((rows + 1) * network.inputs),
    actions: Int32Array.from({ length: rows }, () => random.integers(0, network.actions)),
    advantages: normals(rows),
    returns: normals(rows),
    logProbabilities: normals(rows),
    values: normals(rows)
  }
}

const joined = (segments: ReadonlyArray<Segment>, inputs: number) => ({
  observations: Float64Array.from(segments.flatMap((s) => [...s.observations.subarray(0, s.rows * inputs)])),
  actions: Int32Array.from(segments.flatMap((s) => [...s.actions])),
  advantages: Float64Array.from(segments.flatMap((s) => [...s.advantages])),
  returns: Float64Array.from(segments.flatMap((s) => [...s.returns]))
})

const initialOf = (network: CategoricalMlp) => initialParameters(categoricalMlp(network), "pytorch", Pcg64.fromSeed(3))

const specOf = (network: CategoricalMlp, optimizer: OptimizerSpec = rmsProp): ModelSpec => ({
  policy: categoricalMlp(network),
  optimizer,
  maxRows: 64
})

const plain: CategoricalMlp = { towers: "separate", inputs: 4, actions: 2, hidden: [16], activation: "tanh" }

/** A test of each device. */
const each = (
  says: string,
  test: <D extends DeviceName>(device: DeviceOf<D>, name: typeof names[number]) => Effect.Effect<unknown, unknown>
) => {
  for (const name of names) {
    it.live(`${name} ${says}`, () =>
      Effect.scoped(Effect.flatMap(opened(name), (device) => device.use((d) => test(d, name)))))
  }
}

const Count = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 4 }))
const Depth = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 3 }))
const Kind = Schema.Literals(["separate", "shared"])
const Activation = Schema.Literals(["tanh", "relu"])
const Optimizer = Schema.Literals(["adam", "outside", "inside"])

describe("a device", () => {
  for (const name of names) {
    it.effect.prop(
      `${name} learns as the float64 reference does, whatever the network, the optimizer and the segments`,
      [Kind, Activation, Count, Count, Depth, Count, Optimizer],
      ([towers, activation, inputs, actions, depth, segments, which]) =>
        Effect.scoped(Effect.gen(function*() {
          const hidden = Array.from({ length: depth }, (_, k) => 3 + 5 * k)
          const network: CategoricalMlp = { towers, activation, inputs, actions, hidden }
          const optimizer: OptimizerSpec = which === "adam" ? adam : { ...rmsProp, epsilonPlacement: which }
          const initial = initialOf(network)
          const random = Pcg64.fromSeed(inputs * 100 + depth)
          const batch = Array.from({ length: segments }, (_, e) => segmentOf(random, network, 3 + e))
          const learning = {
            layout: new ParameterLayout(categoricalMlp(network)),
            parameters: Float64Array.from(initial),
            optimizer,
            state: initialOptimizerState(optimizer, initial.length)
          }
          const parameters = new Float32Array(initial.length)
          const device = yield* opened(name)
          yield* device.use((d) =>
            Effect.gen(function*() {
              const model = yield* d.model(specOf(network, optimizer), initial)
              for (let update = 0; update < 3; update++) {
                const expected = updateOnRows(learning, joined(batch, inputs), coefficients, {
                  learningRate: 1e-3,
                  maxGradNorm: 0.5
                })
                const gradients = yield* Effect.flatMap(
                  model.batch(batch),
                  (b) => model.gradients(b, pass)
                )
                const { entropy, policyLoss, valueLoss } = gradients.loss
                const norm = yield* model.apply(gradients, size)
                approximately(
                  [norm, policyLoss, valueLoss, entropy],
                  [expected.gradientNorm, expected.terms.policyLoss, expected.terms.valueLoss, expected.terms.entropy],
                  1e-4,
                  "norm, losses"
                )
              }
              yield* model.read(parameters)
            })
          )
          approximately(parameters, learning.parameters, 1e-3, "parameters")
        })),
      { arbitrary: { runs: 12 } }
    )
  }

  each("steps by the mean of gradients that others computed", (device) =>
    Effect.scoped(Effect.gen(function*() {
      const initial = initialOf(plain)
      const model = yield* device.model(specOf(plain, adam), initial)
      const random = Pcg64.fromSeed(7)
      const parameters = Float64Array.from(initial)
      const state = initialOptimizerState(adam, initial.length)
      for (let update = 0; update < 10; update++) {
        const contributions = Array.from({ length: 3 }, (_, k) => {
          const statistics = new Float64Array(Statistic.count)
          statistics[Statistic.rows] = k + 1
          statistics[Statistic.valueLoss] = 6 * (k + 1)
          return { gradient: initial.map(() => random.standardNormal()), statistics }
        })
        const mean = parameters.map((_, k) => contributions.reduce((sum, c) => sum + c.gradient[k]!, 0) / 6)
        const gradients = yield* model.gather(contributions, "a2c")
        assert.strictEqual(gradients.loss.valueLoss, 6)
        const norm = yield* model.apply(gradients, size)
        approximately([norm], [clipGradientNorm(mean, size.maxGradNorm)], 1e-5, "norm")
        applyOptimizer(adam, state, parameters, mean, size.learningRate)
      }
      const read = new Float32Array(initial.length)
      yield* model.read(read)
      approximately(read, parameters, 1e-5, "parameters")
    })))

  each("goes on from what another device saved", (device) =>
    Effect.scoped(Effect.gen(function*() {
      const initial = initialOf(plain)
      const cpu = yield* opened("cpu")
      const batch = [segmentOf(Pcg64.fromSeed(1), plain, 9)]
      const update = <D extends DeviceName>(d: DeviceOf<D>) =>
        Effect.map(d.model(specOf(plain, adam), initial), (model) => ({
          model,
          step: Effect.flatMap(model.batch(batch), (b) => model.gradients(b, pass)).pipe(
            Effect.flatMap((gradients) => model.apply(gradients, size))
          )
        }))
      const saved = yield* cpu.use((d) =>
        Effect.flatMap(update(d), ({ model, step }) => Effect.as(Effect.all([step, step, step]), model)).pipe(
          Effect.flatMap((model) => model.save)
        )
      )
      const here = yield* update(device)
      yield* here.model.load(saved)
      assert.deepStrictEqual(yield* here.model.save, saved, "to the last bit")
      yield* here.step
      const there = yield* cpu.use((d) =>
        Effect.flatMap(update(d), ({ model, step }) => Effect.andThen(model.load(saved), Effect.as(step, model))).pipe(
          Effect.flatMap((model) => model.save)
        )
      )
      const after = yield* here.model.save
      approximately(after.parameters, there.parameters, 1e-5, "parameters")
      approximately(after.optimizer.arrays["square"]!, there.optimizer.arrays["square"]!, 1e-5, "square")
      const other = yield* Effect.flip(here.model.load({ ...saved, parameters: new Float32Array(3) }))
      assert.match(other.message, /another policy or optimizer/)
    })))

  each(
    "refuses what is not its latest, what is too long, and what is not finite",
    (device) =>
      Effect.scoped(Effect.gen(function*() {
        const model = yield* device.model(specOf(plain), initialOf(plain))
        const one = [segmentOf(Pcg64.fromSeed(1), plain, 4)]
        const old = yield* model.batch(one)
        const fresh = yield* model.batch(one)
        assert.match(
          (yield* Effect.flip(model.gradients(old, pass))).message,
          /not this model's latest/
        )
        const gradients = yield* model.gradients(fresh, pass)
        yield* model.apply(gradients, size)
        assert.match((yield* Effect.flip(model.apply(gradients, size))).message, /applied before/)
        const long = yield* Effect.flip(model.batch([segmentOf(Pcg64.fromSeed(1), plain, 65)]))
        assert.match(long.message, /has 65 rows; this model takes 64/)
        one[0]!.returns[0] = Infinity
        const infinite = yield* Effect.flatMap(model.batch(one), (b) => model.gradients(b, pass))
        assert.match((yield* Effect.flip(model.apply(infinite, size))).message, /not finite/)
      }))
  )

  each("says of each row what the policy says of it now", (device) =>
    Effect.scoped(Effect.gen(function*() {
      const initial = initialOf(plain)
      const model = yield* device.model(specOf(plain), initial)
      const segments = [segmentOf(Pcg64.fromSeed(1), plain, 5), segmentOf(Pcg64.fromSeed(2), plain, 40)]
      const found = yield* Effect.flatMap(model.batch(segments), model.evaluate)
      const { actions, observations } = joined(segments, plain.inputs)
      const pass = forward(new ParameterLayout(categoricalMlp(plain)), initial, observations)
      const expected = evaluateRows(categoricalMlp(plain).distribution, { ...pass, actions })
      approximately(found.logProbabilities, expected.logProbabilities, 1e-5, "log-probabilities")
      approximately(found.entropies, expected.entropies, 1e-5, "entropies")
      approximately(found.values, pass.values, 1e-5, "values")
    })))

  each(
    "takes of a minibatch the rows that are picked, in their order, and advantages as the pass wants them",
    (device) =>
      Effect.scoped(Effect.gen(function*() {
        const initial = initialOf(plain)
        const maxRows = 64
        const model = yield* device.model({ ...specOf(plain), unit: 2 }, initial)
        const random = Pcg64.fromSeed(3)
        const segments = Array.from({ length: 5 }, (_, e) => segmentOf(random, plain, 30 + e))
        const advantage = { mean: 0.25, scale: 1.5 }
        // Units of two segments; the last has one. More rows of the first than the kernels take at a time.
        const picked = [
          Array.from({ length: 45 }, (_, k) => (k % 2) * maxRows + (7 * k) % 30),
          [maxRows + 3, 0, 29, maxRows + 32],
          []
        ]
        const select = picked.map((rows) => Int32Array.from(rows))
        const batch = yield* model.batch(segments)
        const gradients = yield* model.gradients(batch, { ...pass, advantage, select })
        const norm = yield* model.apply(gradients, { learningRate: 1e-2, maxGradNorm: 0 })
        const parameters = new Float32Array(initial.length)
        yield* model.read(parameters)

        const rows = picked.flatMap((own, u) =>
          own.map((index) => [segments[2 * u + Math.floor(index / maxRows)]!, index % maxRows] as const)
        )
        const learning = {
          layout: new ParameterLayout(categoricalMlp(plain)),
          parameters: Float64Array.from(initial),
          optimizer: rmsProp,
          state: initialOptimizerState(rmsProp, initial.length)
        }
        const expected = updateOnRows(
          learning,
          {
            observations: Float64Array.from(
              rows.flatMap(([s, row]) => [...s.observations.subarray(row * plain.inputs, (row + 1) * plain.inputs)])
            ),
            actions: Int32Array.from(rows, ([s, row]) => s.actions[row]!),
            advantages: Float64Array.from(rows, ([s, row]) => (s.advantages[row]! - advantage.mean) * advantage.scale),
            returns: Float64Array.from(rows, ([s, row]) => s.returns[row]!)
          },
          coefficients,
          { learningRate: 1e-2 }
        )
        const { entropy, policyLoss, valueLoss } = gradients.loss
        approximately(
          [norm, policyLoss, valueLoss, entropy],
          [expected.gradientNorm, expected.terms.policyLoss, expected.terms.valueLoss, expected.terms.entropy],
          1e-4,
          "norm, losses"
        )
        approximately(parameters, learning.parameters, 1e-3, "parameters")
      }))
  )

  each(
    "takes actions that were not legal for what they were: never likely, and pulled at by nothing",
    (device) =>
      Effect.scoped(Effect.gen(function*() {
        const network: CategoricalMlp = { ...plain, actions: 4 }
        const policy = categoricalMlp(network)
        const initial = initialOf(network)
        const random = Pcg64.fromSeed(5)
        const segments = Array.from({ length: 2 }, (_, e): Segment => {
          const drawn = segmentOf(random, network, 40)
          if (e === 1) return drawn
          const masks = Uint8Array.from({ length: 40 * 4 }, () => random.integers(0, 2))
          for (let row = 0; row < 40; row++) masks[row * 4 + drawn.actions[row]!] = 1
          return { ...drawn, masks }
        })
        // Adam without memory remembers the last gradient as it was.
        const spec = { policy, optimizer: { ...adam, beta1: 0 }, maxRows: 64, unit: 2 }
        const model = yield* device.model(spec, initial)
        const mask = new Uint8Array(80 * 4).fill(1)
        mask.set(segments[0]!.masks!)

        const { actions, advantages, observations, returns } = joined(segments, network.inputs)
        const layout = new ParameterLayout(policy)
        const through = forward(layout, initial, observations)
        applyMask(through.outputs, mask)
        const output = outputGradients(policy.distribution, 80)
        lossOfRows(policy.distribution, coefficients, { ...through, actions, advantages, returns }, output)
        const expected = backward(layout, initial, through, output)
        const known = evaluateRows(policy.distribution, { ...through, actions })

        const found = yield* Effect.flatMap(model.batch(segments), model.evaluate)
        approximately(found.logProbabilities, known.logProbabilities, 1e-5, "log-probabilities")
        approximately(found.entropies, known.entropies, 1e-5, "entropies")
        const picked = Int32Array.from({ length: 80 }, (_, row) => row < 40 ? row : 64 + row - 40)
        for (const select of [null, [picked]]) {
          const gradients = yield* Effect.flatMap(model.batch(segments), (b) => model.gradients(b, { ...pass, select }))
          yield* model.apply(gradients, { learningRate: 1e-9, maxGradNorm: 0 })
          approximately((yield* model.save).optimizer.arrays["mean"]!, expected, 1e-5, "gradients")
        }

        const continuous = yield* device.model(
          { ...spec, policy: { ...policy, distribution: { kind: "diagonal-gaussian", dims: 4 } } },
          new Float32Array(initial.length + 4)
        )
        assert.match(
          (yield* Effect.flip(continuous.batch(segments))).message,
          /actions of a diagonal-gaussian policy have none/
        )
        const short = [{ ...segments[0]!, masks: new Uint8Array(3) }]
        assert.match((yield* Effect.flip(model.batch(short))).message, /has 3 numbers of masks for 40 rows of 4/)
      }))
  )

  each("refuses to pick rows that are not there", (device) =>
    Effect.scoped(Effect.gen(function*() {
      const model = yield* device.model(specOf(plain), initialOf(plain))
      const batch = yield* model.batch([segmentOf(Pcg64.fromSeed(1), plain, 4)])
      const refused = (select: ReadonlyArray<Int32Array>) =>
        Effect.map(Effect.flip(model.gradients(batch, { ...pass, select })), ({ message }) => message)
      assert.match(yield* refused([]), /picks rows of 0 units; the batch has 1/)
      for (const index of [4, 64, -1]) {
        assert.match(yield* refused([Int32Array.of(0, index)]), /which the batch does not have/)
      }
    })))

  each("takes back the parameters it gave", (device) =>
    Effect.scoped(Effect.gen(function*() {
      const initial = initialOf(plain)
      const model = yield* device.model(specOf(plain), initial)
      const other = initial.map((value) => value * 2)
      yield* model.write(other)
      const read = new Float32Array(initial.length)
      yield* model.read(read)
      assert.deepStrictEqual(read, other)
    })))

  each("takes batches of 65536 rows", (device) =>
    Effect.scoped(Effect.gen(function*() {
      const network: CategoricalMlp = { towers: "shared", inputs: 2, actions: 2, hidden: [4], activation: "relu" }
      const model = yield* device.model(
        { policy: categoricalMlp(network), optimizer: adam, maxRows: 65_536 },
        initialOf(network)
      )
      const rows = 65_536
      const segment: Segment = {
        rows,
        observations: new Float32Array(rows * 2).fill(0.5),
        actions: new Int32Array(rows),
        advantages: new Float32Array(rows).fill(1),
        returns: new Float32Array(rows).fill(2),
        logProbabilities: new Float32Array(rows),
        values: new Float32Array(rows)
      }
      const whole = yield* Effect.flatMap(model.batch([segment]), (b) => model.gradients(b, pass))
      const one = yield* Effect.flatMap(model.batch([{ ...segment, rows: 1 }]), (b) => model.gradients(b, pass))
      // All rows are the same.
      approximately(Object.values(whole.loss), Object.values(one.loss), 1e-4, "losses")
    })))

  it.live("computes a wide layer in pieces, to the same end", () =>
    Effect.scoped(Effect.gen(function*() {
      // 2^24 activations at a time are 5461 rows of this width.
      const network: CategoricalMlp = { towers: "shared", inputs: 1, actions: 2, hidden: [3072], activation: "relu" }
      const segments = [segmentOf(Pcg64.fromSeed(1), network, 6000)]
      const initial = initialOf(network)
      const [cpu, wasm] = yield* Effect.forEach(
        ["cpu", "tfjs-wasm"] as const,
        (name) =>
          Effect.flatMap(opened(name, 2 ** 26), (device) =>
            device.use((d) =>
              Effect.gen(function*() {
                const model = yield* d.model({
                  policy: categoricalMlp(network),
                  optimizer: { ...adam, beta1: 0 },
                  maxRows: 6000
                }, initial)
                const gradients = yield* Effect.flatMap(
                  model.batch(segments),
                  (b) => model.gradients(b, pass)
                )
                yield* model.apply(gradients, { learningRate: 1e-9, maxGradNorm: 0 })
                return (yield* model.save).optimizer.arrays["mean"]!
              })
            ))
      )
      approximately(wasm!, cpu!, 1e-4, "gradients")
    })))
})

describe("tensors", () => {
  const updates = <D extends DeviceName>(device: DeviceOf<D>, rounds: number) =>
    Effect.scoped(Effect.gen(function*() {
      const model = yield* device.model(specOf(plain, adam), initialOf(plain))
      const batch = [segmentOf(Pcg64.fromSeed(1), plain, 5), segmentOf(Pcg64.fromSeed(2), plain, 6)]
      const into = new Float32Array(new ParameterLayout(categoricalMlp(plain)).size)
      const update = Effect.gen(function*() {
        yield* model.apply(
          yield* Effect.flatMap(model.batch(batch), (b) => model.gradients(b, pass)),
          size
        )
        // Gradients that are never applied, and a second reading of the same batch.
        yield* Effect.flatMap(model.batch(batch), (b) =>
          Effect.andThen(model.gradients(b, pass), model.gradients(b, pass)))
        yield* model.gather([{ gradient: into, statistics: new Float64Array(Statistic.count).fill(1) }], "a2c")
        yield* model.load(yield* model.save)
        yield* model.read(into)
      })
      yield* update
      const before = held()
      for (let round = 0; round < rounds; round++) {
        yield* update
      }
      assert.deepStrictEqual(held(), before, `after ${rounds} rounds`)
    }))

  for (const name of ["tfjs-cpu", "tfjs-wasm"] as const) {
    it.live(`${name} keeps as many as before, and none in the end`, () =>
      Effect.gen(function*() {
        yield* Effect.scoped(Effect.flatMap(opened(name), (device) => device.use((d) => updates(d, 100))))
        assert.deepStrictEqual(held(), nothing)
        // The backend was given back with the scope, and comes again with the next.
        assert.isFalse(Object.hasOwn(tf.engine().registry, name.replace("tfjs-", "")))
        yield* Effect.scoped(Effect.flatMap(opened(name), (device) => device.use((d) => updates(d, 1))))
      }))

    it.live(`${name} gives all back when it is interrupted`, () =>
      Effect.gen(function*() {
        const under = yield* Deferred.make<void>()
        const fiber = yield* Effect.forkChild(Effect.scoped(Effect.gen(function*() {
          const device = yield* opened(name)
          yield* device.use((d) =>
            Effect.gen(function*() {
              const model = yield* d.model(specOf(plain, adam), initialOf(plain))
              const batch = [segmentOf(Pcg64.fromSeed(1), plain, 5)]
              for (let update = 0;; update++) {
                const gradients = yield* Effect.flatMap(
                  model.batch(batch),
                  (b) => model.gradients(b, pass)
                )
                if (update === 3) yield* Deferred.succeed(under, undefined)
                yield* model.apply(gradients, size)
              }
            })
          )
        })))
        yield* Deferred.await(under)
        yield* Fiber.interrupt(fiber)
        assert.deepStrictEqual(held(), nothing)
      }))
  }

  it.live("of two backends do not meet, though both are at work", () =>
    Effect.scoped(Effect.gen(function*() {
      const initial = initialOf(plain)
      const batch = [segmentOf(Pcg64.fromSeed(1), plain, 5)]
      const [one, other] = [yield* opened("tfjs-cpu"), yield* opened("tfjs-wasm")]
      const ends = yield* one.use((a) =>
        other.use((b) =>
          Effect.gen(function*() {
            const models = [yield* a.model(specOf(plain), initial), yield* b.model(specOf(plain), initial)] as const
            for (let round = 0; round < 3; round++) {
              const [first, second] = models
              const ofFirst = yield* first.batch(batch)
              const ofSecond = yield* second.batch(batch)
              const gradients = yield* first.gradients(ofFirst, pass)
              yield* second.apply(yield* second.gradients(ofSecond, pass), size)
              yield* first.apply(gradients, size)
            }
            return [yield* models[0].save, yield* models[1].save]
          })
        )
      )
      approximately(ends[0]!.parameters, ends[1]!.parameters, 1e-5)
    })))
})

describe("measureUpdate", () => {
  it.live("measures small updates, and large ones by smaller ones", () =>
    Effect.scoped(Effect.gen(function*() {
      const device = yield* opened("cpu", 2 ** 26)
      const time = (rows: number, hidden: ReadonlyArray<number>) =>
        device.use((d) => measureUpdate(d, { model: { ...specOf({ ...plain, hidden }, adam), maxRows: 20 }, rows }, 20))
      const small = yield* time(200, [16])
      const large = yield* time(65_536, [512, 512])
      assert.isAbove(small, 0)
      // 65536 rows of half a million parameters are 200 thousand million operations: minutes, did it make them all.
      assert.isAbove(large, 100 * small)
    })))
})

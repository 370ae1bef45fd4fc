/** The cpu device against the float64 reference, and the promises of its interface. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Exit, Schema } from "effect"
import { CpuDevice } from "../../src/model/CpuDevice.ts"
import type { Batch, Contribution, ModelSpec, Pass, Segment } from "../../src/model/Device.ts"
import { Device } from "../../src/model/Device.ts"
import { initialParameters } from "../../src/model/initialize.ts"
import { Arena } from "../../src/model/kernels/Arena.ts"
import { Kernels } from "../../src/model/kernels/Kernels.ts"
import { Statistic } from "../../src/model/losses/Loss.ts"
import {
  adam,
  applyOptimizer,
  clipGradientNorm,
  initialOptimizerState,
  type OptimizerSpec,
  rmsProp
} from "../../src/model/optimizers.ts"
import { ParameterLayout } from "../../src/model/policy/ParameterLayout.ts"
import { type CategoricalMlp, categoricalMlp } from "../../src/model/policy/PolicySpec.ts"
import { updateOnRows } from "../../src/model/reference/updates.ts"
import { Pcg64 } from "../../src/random/Pcg64.ts"
import { approximately } from "./approximately.ts"

const coefficients = { name: "a2c", valueCoefficient: 0.5, entropyCoefficient: 0.01 } as const
const pass: Pass = { loss: coefficients, advantage: null, select: null }

const setUp = Effect.fnUntraced(function*(network: CategoricalMlp, optimizer: OptimizerSpec = rmsProp) {
  const arena = yield* Arena.make({ bytes: 2 ** 22 })
  const kernels = yield* Kernels.instantiate(arena.memory)
  const initial = initialParameters(categoricalMlp(network), "pytorch", Pcg64.fromSeed(3))
  const spec: ModelSpec = { policy: categoricalMlp(network), optimizer, maxRows: 64 }
  const device = CpuDevice.make(arena, kernels)
  return { arena, device, initial, spec, model: yield* device.model(spec, initial) }
})

const segmentOf = (random: Pcg64, network: CategoricalMlp, rows: number): Segment => {
  const normals = (length: number) => Float32Array.from({ length }, () => random.standardNormal())
  return {
    rows,
    observations: normals(rows * network.inputs),
    actions: Int32Array.from({ length: rows }, () => random.integers(0, network.actions)),
    advantages: normals(rows),
    returns: normals(rows),
    logProbabilities: normals(rows),
    values: normals(rows)
  }
}

const joined = (segments: ReadonlyArray<Segment>) => ({
  observations: Float64Array.from(segments.flatMap((segment) => [...segment.observations])),
  actions: Int32Array.from(segments.flatMap((segment) => [...segment.actions])),
  advantages: Float64Array.from(segments.flatMap((segment) => [...segment.advantages])),
  returns: Float64Array.from(segments.flatMap((segment) => [...segment.returns]))
})

const read = (
  model: { readonly read: (into: Float32Array) => Effect.Effect<void, unknown> },
  network: CategoricalMlp
) =>
  Effect.suspend(() => {
    const parameters = new Float32Array(new ParameterLayout(categoricalMlp(network)).size)
    return Effect.as(model.read(parameters), parameters)
  })

const Count = Schema.Int.check(Schema.isBetween({ minimum: 1, maximum: 6 }))
const Kind = Schema.Literals(["separate", "shared"])
const Activation = Schema.Literals(["tanh", "relu"])

describe("CpuDevice", () => {
  it.effect.prop(
    "learns as the float64 reference does, whatever the network and the segments",
    [Kind, Activation, Count, Count, Count, Schema.Boolean],
    ([towers, activation, inputs, width, segments, adaptive]) =>
      Effect.gen(function*() {
        const network: CategoricalMlp = { towers, activation, inputs, actions: 3, hidden: [4 * width + 1, 8] }
        const optimizer = adaptive ? adam : rmsProp
        const { initial, model } = yield* setUp(network, optimizer)
        const random = Pcg64.fromSeed(inputs * 100 + width)
        const batch = Array.from({ length: segments }, (_, e) => segmentOf(random, network, 3 + e))
        const learning = {
          layout: new ParameterLayout(categoricalMlp(network)),
          parameters: Float64Array.from(initial),
          optimizer,
          state: initialOptimizerState(optimizer, initial.length)
        }
        for (let update = 0; update < 3; update++) {
          const expected = updateOnRows(learning, joined(batch), coefficients, {
            learningRate: 1e-3,
            maxGradNorm: 0.5
          })
          const gradients = yield* Effect.flatMap(model.batch(batch), (b) => model.gradients(b, pass))
          const norm = yield* model.apply(gradients, { learningRate: 1e-3, maxGradNorm: 0.5 })
          approximately([norm], [expected.gradientNorm], 1e-4, "norm")
          approximately([gradients.loss.policyLoss], [expected.terms.policyLoss], 1e-4, "policy loss")
          approximately([gradients.loss.valueLoss], [expected.terms.valueLoss], 1e-4, "value loss")
          approximately([gradients.loss.entropy], [expected.terms.entropy], 1e-4, "entropy")
        }
        approximately(yield* read(model, network), learning.parameters, 1e-3, "parameters")
      }),
    { arbitrary: { runs: 25 } }
  )

  const network: CategoricalMlp = { towers: "separate", inputs: 4, actions: 2, hidden: [16], activation: "tanh" }

  it.effect("gives the same bits for experience in its own memory and elsewhere", () =>
    Effect.gen(function*() {
      const elsewhere = yield* setUp(network)
      const inside = yield* setUp(network)
      const segments = Array.from({ length: 3 }, (_, e) => segmentOf(Pcg64.fromSeed(e), network, 7))
      const { arena } = inside
      const moved = yield* Effect.forEach(
        segments,
        Effect.fnUntraced(function*(segment) {
          const floats = Effect.fnUntraced(function*(values: Float32Array) {
            const view = arena.float32(yield* arena.allocate(values.byteLength), values.length)
            view.set(values)
            return view
          })
          const actions = arena.int32(yield* arena.allocate(segment.actions.byteLength), segment.actions.length)
          actions.set(segment.actions)
          return {
            rows: segment.rows,
            observations: yield* floats(segment.observations),
            actions,
            advantages: yield* floats(segment.advantages),
            returns: yield* floats(segment.returns),
            logProbabilities: yield* floats(segment.logProbabilities),
            values: yield* floats(segment.values)
          }
        })
      )
      for (const [{ model }, batch] of [[elsewhere, segments], [inside, moved]] as const) {
        const gradients = yield* Effect.flatMap(model.batch(batch), (b) => model.gradients(b, pass))
        yield* model.apply(gradients, { learningRate: 0.01, maxGradNorm: 0 })
      }
      assert.deepStrictEqual(yield* read(elsewhere.model, network), yield* read(inside.model, network))
    }))

  it.effect("refuses what is not its latest, what is too long, and what is not finite", () =>
    Effect.gen(function*() {
      const { model } = yield* setUp(network)
      const one = [segmentOf(Pcg64.fromSeed(1), network, 4)]
      const old = yield* model.batch(one)
      const fresh = yield* model.batch(one)
      assert.match(
        (yield* Effect.flip(model.gradients(old, pass))).message,
        /not this model's latest/
      )
      const gradients = yield* model.gradients(fresh, pass)
      yield* model.apply(gradients, { learningRate: 0.01, maxGradNorm: 0 })
      assert.match(
        (yield* Effect.flip(model.apply(gradients, { learningRate: 0.01, maxGradNorm: 0 }))).message,
        /applied before/
      )
      assert.match(
        (yield* Effect.flip(model.batch([segmentOf(Pcg64.fromSeed(1), network, 65)]))).message,
        /65 rows; this model takes 64/
      )
      const broken = segmentOf(Pcg64.fromSeed(1), network, 4)
      broken.returns[2] = NaN
      const bad = yield* Effect.flatMap(model.batch([broken]), (b) => model.gradients(b, pass))
      const exit = yield* Effect.exit(model.apply(bad, { learningRate: 0.01, maxGradNorm: 0 }))
      assert.isTrue(Exit.isFailure(exit))
    }))

  const contributionOf = (random: Pcg64, rows: number): Contribution => {
    const statistics = new Float64Array(Statistic.count)
    statistics[Statistic.policyLoss] = 1
    statistics[Statistic.valueLoss] = rows * 3
    statistics[Statistic.entropy] = rows * rows
    statistics[Statistic.rows] = rows
    return {
      gradient: Float32Array.from(
        { length: new ParameterLayout(categoricalMlp(network)).size },
        () => random.standardNormal()
      ),
      statistics
    }
  }

  const optimizers: Readonly<Record<string, OptimizerSpec>> = {
    adam: { ...adam, epsilon: 1e-5 },
    "rmsprop, epsilon outside": { ...rmsProp, epsilon: 1e-3 },
    "rmsprop, epsilon inside": { ...rmsProp, alpha: 0.9, epsilon: 1e-3, epsilonPlacement: "inside" }
  }

  it.effect.each(Object.entries(optimizers))(
    "steps along gradients of many workers with one set of statistics: %s",
    ([, optimizer]) =>
      Effect.gen(function*() {
        for (const maxGradNorm of [0, 5]) {
          const { initial, model } = yield* setUp(network, optimizer)
          const random = Pcg64.fromSeed(8)
          const parameters = Float64Array.from(initial)
          const state = initialOptimizerState(optimizer, initial.length)
          for (let update = 0; update < 40; update++) {
            // Mostly one at a time, as they arrive; sometimes several.
            const contributions = Array.from({ length: update % 4 === 3 ? 3 : 1 }, (_, k) =>
              contributionOf(random, k + 1))
            const learningRate = 0.01 / (1 + update)
            const gradients = yield* model.gather(contributions, "a2c")
            const norm = yield* model.apply(gradients, { learningRate, maxGradNorm })
            const rows = contributions.reduce((total, { statistics }) =>
              total + statistics[Statistic.rows]!, 0)
            const mean = parameters.map((_, k) =>
              contributions.reduce((total, { gradient }) => total + gradient[k]!, 0) / rows
            )
            approximately([norm], [clipGradientNorm(mean, maxGradNorm)], 1e-5, "norm")
            applyOptimizer(optimizer, state, parameters, mean, learningRate)
            approximately(yield* read(model, network), parameters, 1e-5, `parameters after ${update}`)
          }
        }
      })
  )

  it.effect("sums up what the workers found, and means it over their rows", () =>
    Effect.gen(function*() {
      const { model } = yield* setUp(network)
      const random = Pcg64.fromSeed(2)
      for (const rows of [[5], [5, 1], [20, 3, 1]]) {
        const { loss } = yield* model.gather(rows.map((n) => contributionOf(random, n)), "a2c")
        const all = rows.reduce((sum, n) => sum + n, 0)
        const squares = rows.reduce((sum, n) => sum + n * n, 0)
        assert.deepStrictEqual(loss, { policyLoss: rows.length / all, valueLoss: 3, entropy: squares / all })
      }
    }))

  it.effect("gathers the same bits from its own memory and elsewhere, and leaves them as they were", () =>
    Effect.gen(function*() {
      const elsewhere = yield* setUp(network)
      const inside = yield* setUp(network)
      const random = Pcg64.fromSeed(5)
      const contributions = Array.from({ length: 3 }, () => contributionOf(random, 4))
      const { arena } = inside
      const moved = yield* Effect.forEach(
        contributions,
        ({ gradient, statistics }) =>
          Effect.map(arena.allocate(gradient.byteLength), (at) => {
            const view = arena.float32(at, gradient.length)
            view.set(gradient)
            return { gradient: view, statistics }
          })
      )
      for (const [{ model }, given] of [[elsewhere, contributions], [inside, moved]] as const) {
        yield* model.apply(yield* model.gather(given, "a2c"), { learningRate: 0.01, maxGradNorm: 0 })
        // The learner's sum is its own: a worker's gradient is not touched, and may change afterwards.
        given.forEach(({ gradient }, k) => assert.deepStrictEqual(gradient.slice(), contributions[k]!.gradient))
      }
      assert.deepStrictEqual(yield* read(inside.model, network), yield* read(elsewhere.model, network))
    }))

  it.effect("takes the gradients of one gathering once, and not after another", () =>
    Effect.gen(function*() {
      const { model } = yield* setUp(network)
      const random = Pcg64.fromSeed(6)
      const size = { learningRate: 0.01, maxGradNorm: 0 }
      const old = yield* model.gather([contributionOf(random, 1)], "a2c")
      const fresh = yield* model.gather([contributionOf(random, 1)], "a2c")
      assert.match((yield* Effect.flip(model.apply(old, size))).message, /not this model's latest/)
      yield* model.apply(fresh, size)
      assert.match((yield* Effect.flip(model.apply(fresh, size))).message, /applied before/)
    }))

  it.effect("a clipped surrogate of which nothing is clipped is advantage actor-critic, to the bit", () =>
    Effect.gen(function*() {
      const a2c = yield* setUp(network, adam)
      const ppo = yield* setUp(network, adam)
      const random = Pcg64.fromSeed(11)
      for (let update = 0; update < 3; update++) {
        const drawn = [segmentOf(random, network, 40), segmentOf(random, network, 3)]
        const { logProbabilities } = yield* Effect.flatMap(ppo.model.batch(drawn), ppo.model.evaluate)
        const segments = [
          { ...drawn[0]!, logProbabilities: logProbabilities.slice(0, 40) },
          { ...drawn[1]!, logProbabilities: logProbabilities.slice(40) }
        ]
        const step = { learningRate: 0.01, maxGradNorm: 0.5 }
        const loss = { ...coefficients, name: "ppo", clipRange: 0.5, valueClipRange: null } as const
        yield* a2c.model.apply(
          yield* Effect.flatMap(a2c.model.batch(segments), (b) => a2c.model.gradients(b, pass)),
          step
        )
        const gradients = yield* Effect.flatMap(
          ppo.model.batch(segments),
          (b) => ppo.model.gradients(b, { ...pass, loss })
        )
        assert.deepStrictEqual([gradients.loss.approxKl, gradients.loss.clipFraction], [0, 0])
        yield* ppo.model.apply(gradients, step)
        assert.deepStrictEqual(yield* read(ppo.model, network), yield* read(a2c.model, network))
      }
    }))

  it.effect("takes back the parameters it gave", () =>
    Effect.gen(function*() {
      const { initial, model } = yield* setUp(network)
      const other = initial.map((value) => value * 2)
      yield* model.write(other)
      assert.deepStrictEqual(yield* read(model, network), other)
    }))

  it.effect("goes on from what another saved as that one does, to the bit", () =>
    Effect.gen(function*() {
      for (const optimizer of [adam, rmsProp]) {
        const one = yield* setUp(network, optimizer)
        const other = yield* setUp(network, optimizer)
        const random = Pcg64.fromSeed(4)
        const update = Effect.fnUntraced(function*(models: ReadonlyArray<typeof one.model>) {
          const segments = [segmentOf(random, network, 9)]
          for (const model of models) {
            const gradients = yield* Effect.flatMap(model.batch(segments), (b) => model.gradients(b, pass))
            yield* model.apply(gradients, { learningRate: 0.01, maxGradNorm: 0.5 })
          }
        })
        yield* update([one.model])
        yield* update([one.model])
        const saved = yield* one.model.save
        yield* other.model.load(saved)
        yield* update([one.model, other.model])
        // What was saved is a copy: the updates after it have not changed it.
        assert.notDeepEqual(saved.parameters, (yield* one.model.save).parameters)
        assert.deepStrictEqual(yield* other.model.save, yield* one.model.save)
      }
    }))

  it.effect("refuses the state of another policy or optimizer", () =>
    Effect.gen(function*() {
      const { model } = yield* setUp(network, rmsProp)
      for (const other of [yield* setUp({ ...network, hidden: [8] }, rmsProp), yield* setUp(network, adam)]) {
        assert.match((yield* Effect.flip(model.load(yield* other.model.save))).message, /of another policy/)
      }
    }))

  it.effect("keeps devices apart by type", () =>
    Effect.gen(function*() {
      const { device, initial, model, spec } = yield* setUp(network)
      const name = yield* Device.from(device).use((d) => Effect.map(d.model(spec, initial), (m) => m.device))
      assert.strictEqual(name, "cpu")

      const mixed = (ofGpu: Batch<"cuda">) =>
        // @ts-expect-error a batch of the GPU cannot meet a model of the CPU
        model.gradients(ofGpu, pass)
      const confused = Device.from(device).use((a) =>
        Device.from(device).use((b) =>
          Effect.gen(function*() {
            const one = yield* a.model(spec, initial)
            const other = yield* b.model(spec, initial)
            const batch = yield* one.batch([])
            // @ts-expect-error nor can the batches of two devices whose names are hidden
            return other.gradients(batch, pass)
          })
        )
      )
      assert.isFunction(mixed)
      assert.isTrue(Effect.isEffect(confused))
      assert.isFunction(mixed)
    }))
})

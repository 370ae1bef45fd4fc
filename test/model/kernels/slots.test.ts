/**
 * Rows that lie apart, each in a slot of its own: acting and values over slots are the same bits as row by row, and what
 * acting leaves behind is what the gradient would compute again.
 */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { Kernels } from "../../../src/model/kernels/Kernels.ts"
import { type CategoricalMlp, categoricalMlp } from "../../../src/model/policy/PolicySpec.ts"
import { Pcg64 } from "../../../src/random/Pcg64.ts"
import { bits, blank, makeBed, randomNetwork, Rows, Seed, Spec } from "./bed.ts"

const guard = 1234.5

/** Slots for fragments of `steps` rows, with random observations; everything else in them is the guard's number. */
const setUp = (spec: CategoricalMlp, count: number, steps: number, seed: number) => {
  const bed = makeBed(48_000_000)
  const { layout, observations, parameters, random } = randomNetwork(spec, count * steps, seed)
  let size = 0
  const take = (bytes: number) => {
    const at = size
    size += Math.ceil(bytes / 16) * 16 + 16
    return at
  }
  const places = {
    stream: take(Pcg64.words * 4),
    observations: take(steps * spec.inputs * 4),
    activations: take(steps * Kernels.activationStride(categoricalMlp(spec))),
    logits: take(steps * spec.actions * 4),
    values: take(steps * 4),
    actions: take(steps * 4),
    logProbabilities: take(steps * 4),
    returns: take(steps * 4)
  }
  const base = bed.allocate(size * count)
  bed.arena.float32(base, size * count / 4).fill(guard)
  const floats = (slot: number, place: number, length: number) => bed.arena.float32(base + slot * size + place, length)
  for (let slot = 0; slot < count; slot++) {
    const rows = steps * spec.inputs
    floats(slot, places.observations, rows).set(observations.subarray(slot * rows, (slot + 1) * rows))
    floats(slot, places.returns, steps).forEach((_, t, view) => view[t] = random.uniform(-1, 1))
    Pcg64.fromSeed(seed + slot, bed.arena.uint32(base + slot * size + places.stream, Pcg64.words))
  }
  return {
    ...bed,
    layout,
    places,
    base,
    size,
    floats,
    net: bed.network(spec),
    params: bed.floats(parameters),
    work: bed.workspace(spec, Math.min(count, Kernels.chunkRows))
  }
}

type Setting = ReturnType<typeof setUp>

/** One step of all slots; the activations are kept or not. */
const act = (s: Setting, spec: CategoricalMlp, count: number, t: number, keep: boolean) =>
  s.kernels.act({
    ...blank,
    policy: s.net,
    parameters: s.params.at,
    workspace: s.work,
    rows: count,
    stride: s.size,
    observations: s.base + s.places.observations + t * spec.inputs * 4,
    streams: s.base + s.places.stream,
    outputs: s.base + s.places.logits + t * spec.actions * 4,
    values: s.base + s.places.values + t * 4,
    actions: s.base + s.places.actions + t * 4,
    logProbabilities: s.base + s.places.logProbabilities + t * 4,
    kept: keep ? s.base + s.places.activations + t * Kernels.activationStride(categoricalMlp(spec)) : 0
  })

const Steps = Schema.Literals([1, 2, 5, 33])

describe("slots", () => {
  it.prop("acting over slots is the bits of acting in each", [Spec, Rows, Seed, Schema.Boolean], (given) => {
    const [spec, count, seed, keep] = given
    const together = setUp(spec, count, 2, seed)
    const alone = setUp(spec, count, 2, seed)
    for (let t = 0; t < 2; t++) {
      act(together, spec, count, t, keep)
      for (let slot = 0; slot < count; slot++) {
        const { base, kernels, net, params, places, size, work } = alone
        const at = base + slot * size
        kernels.act({
          ...blank,
          policy: net,
          parameters: params.at,
          workspace: work,
          rows: 1,
          observations: at + places.observations + t * spec.inputs * 4,
          streams: at + places.stream,
          outputs: at + places.logits + t * spec.actions * 4,
          values: at + places.values + t * 4,
          actions: at + places.actions + t * 4,
          logProbabilities: at + places.logProbabilities + t * 4
        })
      }
    }
    const whole = (s: Setting, slot: number, from: number, to: number) =>
      Array.from(s.arena.uint32(s.base + slot * s.size + from, (to - from) / 4))
    for (let slot = 0; slot < count; slot++) {
      const { activations, logits } = together.places
      assert.deepStrictEqual(whole(together, slot, 0, activations), whole(alone, slot, 0, activations))
      assert.deepStrictEqual(whole(together, slot, logits, together.size), whole(alone, slot, logits, alone.size))
      // Activations are kept only where that is asked for, and no slot reaches beyond its own.
      const kept = together.floats(slot, activations, (logits - activations) / 4)
      const bytes = Kernels.activationBytes(categoricalMlp(spec))
      for (let t = 0; t < 2; t++) {
        const row = t * Kernels.activationStride(categoricalMlp(spec)) / 4
        const end = t === 0 ? row + Kernels.activationStride(categoricalMlp(spec)) / 4 : kept.length
        assert.isTrue(kept.subarray(row + bytes / 4, end).every((x) => x === guard))
        if (bytes > 0) assert.strictEqual(kept[row] !== guard, keep)
      }
    }
  })

  it.prop("values over slots are the forward pass's", [Spec, Rows, Seed], ([spec, count, seed]) => {
    const s = setUp(spec, count, 1, seed)
    const { base, kernels, net, params, places, size, work } = s
    kernels.valuesMany(net, params.at, count, size, base + places.observations, work, base + places.values, 0)
    const logits = s.floats(0, places.logits, spec.actions)
    assert.isTrue(logits.every((x) => x === guard))
    const one = { logits: s.allocate(spec.actions * 4), value: s.allocate(4) }
    for (let slot = 0; slot < count; slot++) {
      kernels.forward(net, params.at, base + slot * size + places.observations, 1, work, one.logits, one.value, 0)
      assert.deepStrictEqual(bits(s.floats(slot, places.values, 1)), bits(s.arena.float32(one.value, 1)))
    }
  })

  it.prop(
    "the gradient of what acting left behind is the gradient computed anew",
    [Spec, Schema.Literals([1, 3, 5]), Steps, Seed],
    ([spec, count, steps, seed]) => {
      const s = setUp(spec, count, steps, seed)
      for (let t = 0; t < steps; t++) act(s, spec, count, t, true)
      const work = s.workspace(spec, Kernels.chunkRows)
      const gradients = { reused: s.allocate(s.layout.size * 4), anew: s.allocate(s.layout.size * 4) }
      const statistics = { reused: s.statistics(), anew: s.statistics() }
      for (let slot = 0; slot < count; slot++) {
        const at = s.base + slot * s.size
        const { actions, activations, logits, observations, returns, values } = s.places
        const job = {
          ...blank,
          policy: s.net,
          parameters: s.params.at,
          workspace: work,
          rows: steps,
          observations: at + observations,
          actions: at + actions,
          advantages: at + returns,
          returns: at + returns,
          loss: { name: "a2c", valueCoefficient: 0.5, entropyCoefficient: 0.01 },
          scale: 1 / steps,
          accumulate: slot === 0 ? 0 : 1
        } as const
        const before = bits(s.floats(slot, 0, s.size / 4))
        s.kernels.gradients({
          ...job,
          kept: at + activations,
          outputs: at + logits,
          values: at + values,
          gradients: gradients.reused,
          statistics: statistics.reused.at
        })
        assert.deepStrictEqual(bits(s.floats(slot, 0, s.size / 4)), before)
        s.kernels.gradients({ ...job, gradients: gradients.anew, statistics: statistics.anew.at })
      }
      const view = (at: number) => bits(s.arena.float32(at, s.layout.size))
      assert.deepStrictEqual(view(gradients.reused), view(gradients.anew))
      assert.deepStrictEqual(Array.from(statistics.reused.view), Array.from(statistics.anew.view))
    }
  )
})

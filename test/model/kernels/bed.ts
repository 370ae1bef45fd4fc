/** A test bed: the kernels over an arena of their own, arrays in it by one call, and random networks to run on them. */
import * as Arbitrary from "effect/Arbitrary"
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { Arena } from "../../../src/model/kernels/Arena.ts"
import { Kernels } from "../../../src/model/kernels/Kernels.ts"
import { Statistic } from "../../../src/model/losses/Loss.ts"
import { ParameterLayout } from "../../../src/model/policy/ParameterLayout.ts"
import { type CategoricalMlp, categoricalMlp } from "../../../src/model/policy/PolicySpec.ts"
import { Pcg64 } from "../../../src/random/Pcg64.ts"

/** A float32 array in the kernels' memory. */
export interface Floats {
  readonly at: number
  readonly view: Float32Array
}

/** What jobs say, 0 where a test does not. */
export const blank = {
  rows: 0,
  stride: 0,
  observations: 0,
  streams: 0,
  masks: 0,
  outputs: 0,
  values: 0,
  actions: 0,
  logProbabilities: 0,
  kept: 0,
  entropies: 0,
  returns: 0,
  advantages: 0,
  advantage: null,
  behaviorValues: 0,
  gradients: 0,
  accumulate: 0,
  statistics: 0,
  scale: 1,
  dOutputs: 0,
  dValues: 0,
  terminated: false,
  states: 0,
  starts: 0
} as const

/** A new memory with kernels on it. Nothing is freed: make one for each example. */
export const makeBed = (bytes = 8_000_000) => {
  const arena = Effect.runSync(Arena.make({ bytes }))
  const kernels = Effect.runSync(Kernels.instantiate(arena.memory))
  const allocate = (size: number) => Effect.runSync(arena.allocate(size))
  const floats = (from: ArrayLike<number> | number): Floats => {
    const length = typeof from === "number" ? from : from.length
    const at = allocate(length * 4)
    const view = arena.float32(at, length)
    if (typeof from !== "number") view.set(from)
    return { at, view }
  }
  const ints = (from: ArrayLike<number> | number) => {
    const length = typeof from === "number" ? from : from.length
    const at = allocate(length * 4)
    const view = arena.int32(at, length)
    if (typeof from !== "number") view.set(from)
    return { at, view }
  }
  const statistics = () => {
    const at = allocate(Statistic.count * 8)
    return { at, view: arena.float64(at, Statistic.count) }
  }
  const streams = (seeds: ReadonlyArray<number>) => {
    const at = allocate(seeds.length * Pcg64.words * 4)
    const view = arena.uint32(at, seeds.length * Pcg64.words)
    seeds.forEach((seed, k) => Pcg64.fromSeed(seed, view.subarray(k * Pcg64.words, (k + 1) * Pcg64.words)))
    return { at, view, stride: Pcg64.words * 4 }
  }
  const network = (spec: CategoricalMlp) => Effect.runSync(kernels.describe(arena, categoricalMlp(spec)))
  const workspace = (spec: CategoricalMlp, rows: number) => allocate(Kernels.workspaceBytes(categoricalMlp(spec), rows))
  return { arena, kernels, allocate, floats, ints, statistics, streams, network, workspace }
}

/** The bits of an array, so that −0 differs from 0 and NaN equals itself. */
export const bits = (view: Float32Array): ReadonlyArray<number> =>
  Array.from(new Uint32Array(view.buffer, view.byteOffset, view.length))

/** Widths around and between the kernels' blocks of 4, 8 and 32 columns. */
const Width = Schema.Literals([1, 2, 3, 4, 5, 7, 8, 9, 10, 12, 20, 31, 32, 33, 40, 64, 65, 67])

/** Networks of any depth up to 3, both kinds, both activations. */
export const Spec: Arbitrary.Arbitrary<CategoricalMlp> = Arbitrary.schema(Schema.Struct({
  towers: Schema.Literals(["separate", "shared"]),
  inputs: Schema.Literals([1, 2, 3, 4, 5, 8, 9]),
  actions: Schema.Literals([1, 2, 3, 4, 5, 7]),
  hidden: Schema.Array(Width).check(Schema.isMaxLength(3)),
  activation: Schema.Literals(["tanh", "relu"])
}))

/** Numbers of rows around the kernels' groups of four and chunks of 32. */
export const Rows = Schema.Literals([1, 2, 3, 4, 5, 7, 8, 31, 32, 33, 34, 35, 36, 63, 64, 65, 70])

export const Seed = Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 2 ** 31 }))

/**
 * Random parameters and observations.
 *
 * With relu, the hidden layers' numbers are small multiples of powers of two, so that float32 and float64 compute them
 * without any rounding: otherwise a sum near 0 could be cut off in one and let through in the other.
 */
export const randomNetwork = (spec: CategoricalMlp, rows: number, seed: number) => {
  const random = Pcg64.fromSeed(seed)
  const layout = new ParameterLayout(categoricalMlp(spec))
  const parameters = new Float64Array(layout.size)
  const exact = spec.activation === "relu"
  for (const layer of layout.layers) {
    const bound = layer.role === "hidden" ? 1 / Math.sqrt(layer.inputs) : exact ? 0.02 : 1 / Math.sqrt(layer.inputs)
    for (let k = layer.weight; k < layer.bias + layer.outputs; k++) {
      parameters[k] = exact && layer.role === "hidden"
        ? random.integers(-4, 5) / 8
        : Math.fround(random.uniform(-bound, bound))
    }
  }
  const observations = Float64Array.from(
    { length: rows * spec.inputs },
    () => exact ? random.integers(-8, 9) / 4 : Math.fround(random.uniform(-2, 2))
  )
  return { random, layout, parameters, observations }
}

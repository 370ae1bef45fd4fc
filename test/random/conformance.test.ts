/** Every recorded draw of NumPy's SeedSequence, PCG64 and Generator, bit for bit. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { Pcg64, SeedSequence } from "../../src/random/index.ts"

const file = join(process.env["REFERENCE_DIR"] ?? "test/reference", "numpy-pcg64.json")

const Numbers = Schema.Array(Schema.Finite)
const Hexes = Schema.Array(Schema.String)

/** Bounded integers, uniforms and permutations carry their bounds in the key. */
const Case = Schema.StructWithRest(
  Schema.Struct({
    seed: Schema.String,
    seed_sequence_uint64: Hexes,
    spawned_uint64: Schema.Array(Hexes),
    pcg64: Schema.Struct({ state: Schema.String, inc: Schema.String })
  }),
  [Schema.Record(Schema.String, Schema.Unknown)]
)
type Case = typeof Case.Type
const numbers = Schema.decodeUnknownSync(Numbers)

const hex = (words: BigUint64Array): ReadonlyArray<string> => Array.from(words, (word) => `0x${word.toString(16)}`)

/** The 128-bit integer in four words of the state. */
const wide = (state: Uint32Array, at: number): string => {
  let value = 0n
  for (let i = 3; i >= 0; i--) value = (value << 32n) | BigInt(state[at + i]!)
  return `0x${value.toString(16)}`
}

const draws: ReadonlyArray<readonly [RegExp, (generator: Pcg64, bounds: ReadonlyArray<number>) => number]> = [
  [/^random$/, (generator) => generator.random()],
  [/^random_float32$/, (generator) => generator.randomFloat32()],
  [/^uniform_(-?[\d.]+)_(-?[\d.]+)$/, (generator, [low, high]) => generator.uniform(low!, high!)],
  [/^integers_(-?\d+)_(-?\d+)$/, (generator, [low, high]) => generator.integers(low!, high!)],
  [/^standard_normal$/, (generator) => generator.standardNormal()]
]

const checkCase = (recorded: Case): void => {
  const seed = BigInt(recorded.seed)
  const sequence = new SeedSequence(seed)
  assert.deepStrictEqual(hex(sequence.generateState64(recorded.seed_sequence_uint64.length)), [
    ...recorded.seed_sequence_uint64
  ])
  const children = sequence.spawn(recorded.spawned_uint64.length)
  assert.deepStrictEqual(
    children.map((child, i) => hex(child.generateState64(recorded.spawned_uint64[i]!.length))),
    recorded.spawned_uint64.map((words) => [...words])
  )
  const { state } = Pcg64.fromSeed(seed)
  assert.strictEqual(wide(state, 0), recorded.pcg64.state)
  assert.strictEqual(wide(state, 4), recorded.pcg64.inc)

  const known = new Set(["seed", "seed_sequence_uint64", "spawned_uint64", "pcg64", "then_random"])
  for (const [key, values] of Object.entries(recorded)) {
    if (known.has(key)) continue
    const generator = Pcg64.fromSeed(seed)
    if (key === "random_raw") {
      const expected = Schema.decodeUnknownSync(Hexes)(values)
      assert.deepStrictEqual(expected.map(() => `0x${generator.randomRaw().toString(16)}`), [...expected], key)
      continue
    }
    const expected = numbers(values)
    const permutation = /^permutation_(\d+)$/.exec(key)
    if (permutation !== null) {
      assert.deepStrictEqual(Array.from(generator.permutation(Number(permutation[1]))), [...expected], key)
      continue
    }
    const kind = key.replace(/_one_by_one$/, "")
    const draw = draws.find(([pattern]) => pattern.test(kind))
    if (draw === undefined) throw new Error(`no draw for the recorded "${key}"`)
    const bounds = draw[0].exec(kind)!.slice(1).map(Number)
    assert.deepStrictEqual(expected.map(() => draw[1](generator, bounds)), [...expected], key)
    // A waiting 32-bit half must leave the doubles alone.
    if (key.endsWith("_one_by_one") && recorded["then_random"] !== undefined) {
      const after = numbers(recorded["then_random"])
      assert.deepStrictEqual(after.map(() => generator.random()), [...after], "then_random")
    }
  }
}

describe("NumPy's generator", () => {
  if (!existsSync(file)) {
    it.skip(`${file} is not there`, () => {})
    return
  }
  const { cases } = Schema.decodeUnknownSync(Schema.Struct({ cases: Schema.Array(Case) }))(
    JSON.parse(readFileSync(file, "utf8"))
  )
  for (const recorded of cases) {
    it(`seed ${recorded.seed} gives the recorded words and draws`, () => checkCase(recorded))
  }
})

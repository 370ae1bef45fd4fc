/** Every recorded Gymnasium space: the same samples from the same seed, masks too, and the same flattened numbers. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { existsSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { type AnySpace, spaceFromJson } from "../../src/envs/index.ts"
import { gymnasiumSpace, maskOf, plain, Recorded } from "./gymnasiumSpace.ts"

const file = join(process.env["REFERENCE_DIR"] ?? "test/reference", "spaces.json")

const Recording = Schema.Struct({
  seed: Schema.Int,
  spaces: Schema.Record(
    Schema.String,
    Schema.Struct({
      repr: Schema.String,
      mask: Schema.Unknown,
      samples: Schema.Array(Schema.Unknown),
      flatdim: Schema.NullOr(Schema.Int),
      flattened: Schema.Array(Recorded)
    })
  )
})

describe("Gymnasium's spaces", () => {
  if (!existsSync(file)) return it.skip(`${file} is not there`, () => {})
  const { seed, spaces } = Schema.decodeUnknownSync(Recording)(JSON.parse(readFileSync(file, "utf8")))
  for (const [name, recorded] of Object.entries(spaces)) {
    const concrete = gymnasiumSpace(recorded.repr)
    const space: AnySpace = concrete
    it(`${name}: ${recorded.repr}`, () => {
      const sampler = space.sampler(seed)
      const mask = maskOf(concrete, recorded.mask)
      const samples = recorded.samples.map(() => sampler.sample(mask))
      assert.deepStrictEqual(samples.map(plain), recorded.samples.map(plain))
      assert.strictEqual(space.size, recorded.flatdim ?? space.size)
      for (const [i, { data }] of recorded.flattened.entries()) {
        const flat = new Float64Array(space.size)
        space.encode(samples[i], flat)
        assert.deepStrictEqual([...flat], data.map(Number))
        assert.isUndefined(space.decodeProblem(flat))
        assert.deepStrictEqual(plain(space.decode(flat)), plain(samples[i]))
      }
      // Read back from JSON it is the same space.
      const again: AnySpace = spaceFromJson(JSON.parse(JSON.stringify(space)))
      const other = again.sampler(seed)
      assert.deepStrictEqual(samples.map(() => other.sample(mask)), samples)
      for (const sample of samples) assert.isTrue(again.contains(sample))
    })
  }
})

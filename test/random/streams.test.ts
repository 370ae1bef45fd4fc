/** The streams of a run: each named by role and index, none the same as another. */
import { assert, describe, it } from "@effect/vitest"
import {
  environmentStream,
  evaluationStream,
  initialWeightsStream,
  Pcg64,
  policyStream,
  SeedSequence
} from "../../src/random/index.ts"

const spawned = (...spawnKey: Array<number>) => Pcg64.fromSeed(new SeedSequence(5, { spawnKey })).random()

describe("streams", () => {
  it("are NumPy's, by spawn key", () => {
    assert.strictEqual(policyStream(5, 3).random(), spawned(1, 3))
    assert.strictEqual(initialWeightsStream(5).random(), spawned(2))
    assert.strictEqual(evaluationStream(5, 3).random(), spawned(3, 3))
    // numpy.random.default_rng(SeedSequence(5, spawn_key=(1, 3))).random()
    assert.strictEqual(policyStream(5, 3).random(), 0.7661492919876346)
  })

  it("environment i has the seed that Gymnasium's vector environments give it", () => {
    assert.strictEqual(environmentStream(5, 3).random(), Pcg64.fromSeed(8).random())
    assert.strictEqual(environmentStream(2n ** 64n, 3).random(), Pcg64.fromSeed(2n ** 64n + 3n).random())
  })

  it("do not meet, and live where they are put", () => {
    const roles = [policyStream, evaluationStream, environmentStream]
    const firsts = roles.flatMap((role) => Array.from({ length: 50 }, (_, i) => role(0, i).random()))
    assert.strictEqual(new Set([...firsts, initialWeightsStream(0).random()]).size, 151)
    const memory = new Uint32Array(Pcg64.words)
    assert.strictEqual(policyStream(0, 1, memory).state, memory)
  })
})

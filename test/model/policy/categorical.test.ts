/** The distribution over actions: probabilities, entropy and the sampling rule. */
import { assert, describe, it } from "@effect/vitest"
import * as Arbitrary from "effect/Arbitrary"
import * as Schema from "effect/Schema"
import {
  entropy,
  greedyAction,
  logProbability,
  logSoftmax,
  sampleAction,
  softmax
} from "../../../src/model/policy/categorical.ts"
import { approximately } from "../approximately.ts"
import { spread } from "../spread.ts"

const Logits = Arbitrary.map(
  Arbitrary.array(spread(-30, 30), { minLength: 1, maxLength: 8 }),
  (logits) => Float64Array.from(logits)
)

const sum = (x: Float64Array) => x.reduce((total, value) => total + value, 0)

describe("categorical", () => {
  it.prop(
    "probabilities are positive, sum to 1, and are the logits' up to a shift",
    [Logits, spread(-700, 700)],
    ([z, shift]) => {
      const p = new Float64Array(z.length)
      softmax(p, z)
      approximately([sum(p)], [1], 1e-12, "sum")
      assert.isTrue(p.every((value) => value > 0))
      const shifted = z.map((value) => value + shift)
      softmax(shifted, shifted)
      approximately(shifted, p, 1e-9, "shifted, in place")
    }
  )

  it.prop("the logarithms agree with the probabilities", [Logits], ([z]) => {
    const p = new Float64Array(z.length)
    const logP = new Float64Array(z.length)
    softmax(p, z)
    logSoftmax(logP, z)
    approximately(logP.map(Math.exp), p, 1e-12, "log-softmax")
    approximately(logP, z.map((_, action) => logProbability(z, action)), 1e-12, "log-probability")
    approximately([entropy(logP)], [-sum(p.map((value) => value === 0 ? 0 : value * Math.log(value)))], 1e-9, "entropy")
  })

  it.prop("entropy lies between 0 and log n, which equal logits reach", [Logits], ([z]) => {
    const logP = new Float64Array(z.length)
    logSoftmax(logP, z)
    const h = entropy(logP)
    assert.isAtLeast(h, 0)
    assert.isAtMost(h, Math.log(z.length) + 1e-12)
    logSoftmax(logP, new Float64Array(z.length).fill(z[0]!))
    approximately([entropy(logP)], [Math.log(z.length)], 1e-12, "uniform")
  })

  it.prop("large logits neither overflow nor vanish", [Schema.Literals([1e3, -1e3, 1e6, 1e300])], ([large]) => {
    const logP = new Float64Array(2)
    logSoftmax(logP, Float64Array.of(large, large))
    approximately(logP, [Math.log(0.5), Math.log(0.5)], 1e-12)
  })

  it("an action with logit −∞ is never taken and costs no entropy", () => {
    const z = Float64Array.of(0, -Infinity, 0)
    const p = new Float64Array(3)
    softmax(p, z)
    assert.deepStrictEqual([...p], [0.5, 0, 0.5])
    assert.strictEqual(sampleAction(p, 0.5), 2)
    logSoftmax(p, z)
    approximately([entropy(p)], [Math.log(2)], 1e-12)
  })

  it.prop(
    "the sampled action is the smallest whose cumulative probability exceeds u",
    [Logits, spread(0, 1)],
    ([z, draw]) => {
      const u = Math.min(draw, 1 - 2 ** -53)
      const p = new Float64Array(z.length)
      softmax(p, z)
      const action = sampleAction(p, u)
      let below = 0
      for (let a = 0; a < action; a++) below += p[a]!
      assert.isAtLeast(u, below)
      if (action < z.length - 1) assert.isBelow(u, below + p[action]!)
    }
  )

  it("boundaries belong to the next action, and rounding to the last", () => {
    const p = Float64Array.of(0.25, 0.5, 0.25)
    assert.deepStrictEqual([0, 0.2499, 0.25, 0.7499, 0.75, 0.9999].map((u) => sampleAction(p, u)), [0, 0, 1, 1, 2, 2])
    assert.strictEqual(sampleAction(Float64Array.of(0.3, 0.3, 0.3), 0.95), 2)
    assert.strictEqual(sampleAction(Float64Array.of(1), 0.99), 0)
  })

  it("of equals the greedy action is the first", () => {
    assert.strictEqual(greedyAction(Float64Array.of(1, 3, 3, 2)), 1)
    assert.strictEqual(greedyAction(Float32Array.of(-5)), 0)
  })

  it.prop(
    "a row inside a batch is treated as if alone, and its neighbors left as they were",
    [Logits, spread(0, 1)],
    ([z, u]) => {
      const batch = Float64Array.of(9, 9, ...z, 9)
      const out = new Float64Array(batch.length).fill(7)
      const alone = new Float64Array(z.length)
      for (const f of [softmax, logSoftmax]) {
        f(out, batch, 2, z.length)
        f(alone, z)
        assert.deepStrictEqual([...out], [7, 7, ...alone, 7])
      }
      assert.strictEqual(entropy(out, 2, z.length), entropy(alone))
      assert.strictEqual(logProbability(batch, 0, 2, z.length), logProbability(z, 0))
      assert.strictEqual(greedyAction(batch, 2, z.length), greedyAction(z))
      softmax(out, batch, 2, z.length)
      assert.strictEqual(sampleAction(out, u, 2, z.length), sampleAction(out.slice(2, 2 + z.length), u))
    }
  )
})

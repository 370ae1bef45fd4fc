/** The notebook's quirks and their corrections, each told apart from the others on small fragments. */
import { assert, describe, it } from "@effect/vitest"
import { dataPlaneBytes, type EnvSlot, envSlot, layOut } from "../../../src/runtime/workers/dataPlaneLayout.ts"
import * as targets from "../../../src/runtime/workers/targets.ts"
import { smallestPlane } from "./smallestPlane.ts"

const plain: targets.TargetSettings = {
  nSteps: 4,
  returns: "n-step",
  gamma: 0.5,
  gaeLambda: 0.95,
  normalizeReturns: false,
  bootstrapTruncated: true,
  dropLastStep: false
}

const slotsOf = (count: number, steps: number): ReadonlyArray<EnvSlot> => {
  const spec = { ...smallestPlane, slots: count, steps }
  const layout = layOut(spec, 64)
  const buffer = new SharedArrayBuffer(64 + dataPlaneBytes(spec))
  return Array.from({ length: count }, (_, index) => envSlot(buffer, layout, index))
}

/** Rewards 1, values 2, next values 2 (8 after the last step). */
const fragment = (
  ends: { readonly terminated?: ReadonlyArray<number>; readonly truncated?: ReadonlyArray<number> } = {}
) => {
  const [slot] = slotsOf(1, 4)
  slot!.rewards.fill(1)
  slot!.values.fill(2)
  slot!.nextValues.set([2, 2, 2, 8])
  for (const t of ends.terminated ?? []) slot!.terminated[t] = 1
  for (const t of ends.truncated ?? []) slot!.truncated[t] = 1
  return [slot!]
}

const whole = (slots: ReadonlyArray<EnvSlot>) => slots.map((slot) => ({ rows: plain.nSteps, slot }))

const run = (settings: Partial<targets.TargetSettings>, slots: ReadonlyArray<EnvSlot>) => {
  const [fragment] = whole(slots)
  const rows = targets.make({ ...plain, ...settings })(fragment!)
  const { advantages, returns } = targets.segmentOf(fragment!, rows)
  return { rows, returns: [...returns.subarray(0, rows)], advantages: [...advantages.subarray(0, rows)] }
}

describe("targets", () => {
  it("bootstraps from what followed the last step", () => {
    assert.deepStrictEqual(run({}, fragment()).returns, [2.375, 2.75, 3.5, 5])
  })

  it("takes off the value", () => {
    assert.deepStrictEqual(run({}, fragment()).advantages, [0.375, 0.75, 1.5, 3])
  })

  it("is GAE(1) = n-step minus value", () => {
    const gae = run({ returns: "gae", gaeLambda: 1 }, fragment())
    assert.deepStrictEqual(gae, run({}, fragment()))
  })

  it("bootstraps a truncated step from its final observation, or, as the notebook, not at all", () => {
    assert.deepStrictEqual(run({}, fragment({ truncated: [3] })).returns, [2.375, 2.75, 3.5, 5])
    assert.deepStrictEqual(run({ bootstrapTruncated: false }, fragment({ truncated: [3] })).returns, [
      1.875,
      1.75,
      1.5,
      1
    ])
    assert.deepStrictEqual(run({}, fragment({ terminated: [3] })).returns, [1.875, 1.75, 1.5, 1])
  })

  it("drops the last step of an unfinished fragment only, and bootstraps from its value", () => {
    assert.deepStrictEqual(run({ dropLastStep: true }, fragment()), {
      rows: 3,
      returns: [2, 2, 2],
      advantages: [0, 0, 0]
    })
    assert.strictEqual(run({ dropLastStep: true }, fragment({ terminated: [3] })).rows, 4)
    assert.strictEqual(run({ dropLastStep: true }, fragment({ truncated: [3] })).rows, 4)
  })

  it("takes fragments of different lengths, one after the other", () => {
    const [first, second] = slotsOf(2, 4)
    for (const slot of [first!, second!]) {
      slot.rewards.fill(1)
      slot.values.fill(2)
      slot.nextValues.fill(2)
      slot.nextValues[1] = 8
    }
    const toTargets = targets.make(plain)
    const segments = [first!, second!].map((slot) =>
      targets.segmentOf({ slot }, toTargets({ rows: slot === first ? 2 : 1, slot }))
    )
    assert.deepStrictEqual(segments.map(({ rows }) => rows), [2, 1])
    for (const { advantages, returns, rows } of segments) {
      assert.deepStrictEqual([...returns.subarray(0, rows)], rows === 2 ? [3.5, 5] : [2])
      assert.deepStrictEqual([...advantages.subarray(0, rows)], rows === 2 ? [1.5, 3] : [0])
      // Beyond its rows nothing is written.
      assert.deepStrictEqual([...returns.subarray(2), ...advantages.subarray(2)], [0, 0, 0, 0])
    }
  })

  it("normalizes the returns within the fragment, before the value is taken off", () => {
    const { advantages, returns } = run({ normalizeReturns: true }, fragment())
    assert.approximately(returns.reduce((sum, x) => sum + x, 0), 0, 1e-6)
    assert.approximately(returns.reduce((sum, x) => sum + x * x, 0) / 4, 1, 1e-6)
    returns.forEach((target, t) => assert.approximately(advantages[t]!, target - 2, 1e-6))
  })
})

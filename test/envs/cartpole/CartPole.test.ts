/** CartPole beyond its recordings: rewards after the end, reset options, pictures. */
import { assert, describe, it } from "@effect/vitest"
import { CartPoleV0, CartPoleV1, renderAnsi, renderSvg, TimeLimit } from "../../../src/envs/index.ts"
import { Pcg64 } from "../../../src/random/index.ts"

const world = () => {
  const state = new Float64Array(CartPoleV1.stateSize)
  return { state, dynamics: CartPoleV1.create(state), random: Pcg64.fromSeed(0) }
}

describe("CartPole", () => {
  it("has Gymnasium's limits and spaces", () => {
    assert.deepStrictEqual([CartPoleV0.maxEpisodeSteps, CartPoleV0.rewardThreshold], [200, 195])
    assert.deepStrictEqual([CartPoleV1.maxEpisodeSteps, CartPoleV1.rewardThreshold], [500, 475])
    const expected =
      "Box([-4.8000002, -Infinity, -0.41887903, -Infinity], [4.8000002, Infinity, 0.41887903, Infinity], [4], float32)"
    assert.strictEqual(`${CartPoleV1.observationSpace}`, expected)
  })

  it("rewards the terminating step, and no step after it until a reset", () => {
    const { dynamics, random } = world()
    dynamics.reset(random)
    let transition = dynamics.step(1, random)
    while (!transition.terminated) transition = dynamics.step(1, random)
    assert.strictEqual(transition.reward, 1)
    assert.strictEqual(dynamics.step(1, random).reward, 0)
    dynamics.reset(random)
    assert.strictEqual(dynamics.step(1, random).reward, 1)
  })

  it("ends beyond 12 degrees and beyond 2.4 meters, and not at them", () => {
    const { dynamics, random, state } = world()
    const ends = (position: number, angle: number) => {
      state.set([position, 0, angle, 0, 0])
      return dynamics.step(0, random).terminated
    }
    const angle = 12 * 2 * Math.PI / 360
    assert.deepStrictEqual([ends(2.4, 0), ends(-2.4, 0), ends(0, angle), ends(0, -angle)], [false, false, false, false])
    assert.deepStrictEqual([ends(2.41, 0), ends(-2.41, 0), ends(0, 0.21), ends(0, -0.21)], [true, true, true, true])
  })

  it("draws the start within the bounds a reset asks for", () => {
    const { dynamics, random, state } = world()
    for (let i = 0; i < 20; i++) {
      dynamics.reset(random, { low: 0.1, high: 0.2 })
      for (const value of state.subarray(0, 4)) assert.isTrue(value >= 0.1 && value < 0.2)
    }
    assert.throws(() => dynamics.reset(random, { low: "left" }), /"low" is no number/)
  })

  it("is truncated and terminated at once when both hold", () => {
    const limited = TimeLimit.wrap({ ...CartPoleV1, maxEpisodeSteps: 1 })
    const state = new Float64Array(limited.stateSize)
    const dynamics = limited.create(state)
    const random = Pcg64.fromSeed(0)
    dynamics.reset(random)
    state[0] = 3
    const { terminated, truncated } = dynamics.step(0, random)
    assert.deepStrictEqual([terminated, truncated], [true, true])
  })

  it("shows itself as text and as SVG", () => {
    const upright = renderAnsi([0, 0, 0, 0], { columns: 41 }).split("\n")
    assert.strictEqual(upright.at(-1), "+-------------------+-------------------+")
    assert.strictEqual(upright.at(-2), "                  [=o=]")
    assert.strictEqual(upright[0], "                    |")
    const right = renderAnsi([1, 0, 0.2, 0], { columns: 41 }).split("\n")
    assert.match(right[0]!, / {29,}\/$/)
    assert.notInclude(renderAnsi([0, 0, 0, 0]), "/")
    const svg = renderSvg([0, 0, 0, 0], { title: "a < b" })
    assert.include(svg, "<title>a &lt; b</title>")
    assert.include(svg, "x1=\"300\" y1=\"285\" x2=\"300\" y2=\"160\"")
  })
})

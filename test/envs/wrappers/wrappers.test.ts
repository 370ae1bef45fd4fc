/** Wrappers turn a definition into a definition, and keep all state in the memory that is given. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Struct } from "effect"
import { Box, CartPoleV1, check, TimeLimit, TransformObservation, TransformReward } from "../../../src/envs/index.ts"
import { Pcg64 } from "../../../src/random/index.ts"
import corridor from "../fixtures/corridor.ts"

describe("TimeLimit", () => {
  it("counts in one more number of the state, and is the same wrapped twice", () => {
    const limited = TimeLimit.wrap(corridor)
    assert.strictEqual(limited.stateSize, corridor.stateSize + 1)
    assert.strictEqual(TimeLimit.wrap(limited), limited)
    const endless = Struct.omit(corridor, ["maxEpisodeSteps"])
    assert.strictEqual(TimeLimit.wrap(endless), endless)
  })

  it("goes on counting in restored memory", () => {
    const limited = TimeLimit.wrap({ ...corridor, maxEpisodeSteps: 4 })
    const state = new Float64Array(limited.stateSize)
    const random = Pcg64.fromSeed(0)
    const dynamics = limited.create(state)
    dynamics.reset(random)
    dynamics.step(0, random)
    dynamics.step(0, random)
    const copy = state.slice()
    const restored = limited.create(copy)
    assert.isFalse(restored.step(0, random).truncated)
    assert.isTrue(restored.step(0, random).truncated)
    assert.deepStrictEqual(restored.info?.(), { cell: copy[0]! })
  })
})

describe("transforms", () => {
  it("TransformReward sees how the step ended", () => {
    const shaped = TransformReward.wrap(CartPoleV1, (reward, { terminated }) => terminated ? -reward : reward / 100)
    const random = Pcg64.fromSeed(0)
    const dynamics = shaped.create(new Float64Array(shaped.stateSize))
    dynamics.reset(random)
    let transition = dynamics.step(1, random)
    assert.strictEqual(transition.reward, 0.01)
    while (!transition.terminated) transition = dynamics.step(1, random)
    assert.strictEqual(transition.reward, -1)
  })

  it("TransformObservation changes the space with the numbers", () => {
    const doubled = TransformObservation.wrap(corridor, new Box({ low: [0], high: [10] }), (inner, outer) => {
      outer[0] = inner[0]! * 2
    })
    const state = new Float64Array(doubled.stateSize)
    const dynamics = doubled.create(state)
    dynamics.reset(Pcg64.fromSeed(0))
    const observation = new Float32Array(1)
    dynamics.observe(observation)
    assert.strictEqual(observation[0], state[0]! * 2)
  })

  it.effect("all together still pass the checker", () =>
    Effect.gen(function*() {
      const wrapped = TransformReward.wrap(
        TransformObservation.wrap(TimeLimit.wrap(corridor), new Box({ low: [-5], high: [0] }), (inner, outer) => {
          outer[0] = -inner[0]!
        }),
        (reward) => reward * 10
      )
      assert.deepStrictEqual(yield* check(wrapped), [])
    }))
})

/** The checker finds nothing in sound environments, and the right thing in each broken one. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Struct } from "effect"
import { Box, CartPoleV0, CartPoleV1, check, Dict, type EnvironmentDefinition, Tuple } from "../../src/envs/index.ts"
import corridor from "./fixtures/corridor.ts"

type Corridor = ReturnType<typeof corridor.create>

const changed = (change: (state: Float64Array, sound: Corridor) => Partial<Corridor>): EnvironmentDefinition => ({
  ...corridor,
  create: (state) => {
    const sound = corridor.create(state)
    return { ...sound, ...change(state, sound) }
  }
})

let calls = 0
const endless = Struct.omit(corridor, ["maxEpisodeSteps"])

const broken: ReadonlyArray<readonly [string, EnvironmentDefinition, string]> = [
  ["a field that cannot be", { ...corridor, stateSize: 0.5 }, "error definition"],
  [
    "a throw",
    changed(() => ({
      reset: () => {
        throw new Error("no such wall")
      }
    })),
    "error throws"
  ],
  ["an infinite reward", changed(() => ({ step: () => ({ reward: Infinity, terminated: false }) })), "error finite"],
  ["an unwritten observation", changed(() => ({ observe: () => {} })), "error finite"],
  [
    "an observation outside its space",
    { ...corridor, observationSpace: new Box({ low: [0], high: [1] }) },
    "error observation-space"
  ],
  [
    "randomness of its own",
    changed((state) => ({
      reset: () => {
        state[0] = calls++ % 3
      }
    })),
    "error determinism"
  ],
  [
    "state kept in a closure",
    changed((_, sound) => {
      let steps = 0
      return {
        step: (action, random) => ({ ...sound.step(action, random), reward: steps++ })
      }
    }),
    "error snapshot"
  ],
  [
    "a reset that forgets something",
    changed((state, sound) => {
      let offset = 0
      return {
        reset: (random, options) => {
          sound.reset(random, options)
          state[0] = Math.min(3, state[0]! + offset)
          offset = 1
        }
      }
    }),
    "error reset"
  ],
  [
    "always the same start",
    changed((state) => ({
      reset: () => {
        state[0] = 0
      }
    })),
    "warning reset"
  ],
  [
    "the engine's own draws, though nothing comes of them",
    changed((_, sound) => ({ step: (action, random) => (Math.random(), sound.step(action, random)) })),
    "error determinism"
  ],
  ["integers that float32 has not all of, in a part", {
    ...corridor,
    observationSpace: new Tuple([new Box({ low: [0], high: [2 ** 25], dtype: "int32" })])
  }, "warning float32"],
  ["bounds beyond float32", {
    ...corridor,
    observationSpace: new Dict({ a: new Box({ low: [0], high: [1e300], dtype: "float64" }) })
  }, "warning float32"],
  ["no version", { ...corridor, id: "Corridor" }, "warning version"],
  ["no end", {
    ...endless,
    create: (state) => ({ ...corridor.create(state), step: () => ({ reward: 0, terminated: false }) })
  }, "warning episode-end"]
]

describe("check", () => {
  it.effect("finds nothing in sound environments", () =>
    Effect.gen(function*() {
      for (const definition of [CartPoleV0, CartPoleV1, corridor]) assert.deepStrictEqual(yield* check(definition), [])
    }))

  for (const [what, definition, expected] of broken) {
    it.effect(`finds ${what}`, () =>
      Effect.gen(function*() {
        const findings = yield* check(definition)
        assert.include(findings.map(({ rule, severity }) => `${severity} ${rule}`), expected)
        for (const { message } of findings) assert.match(message, /\.$/)
      }))
  }
})

describe("check's own options", () => {
  for (
    const options of [{ steps: 0 }, { steps: NaN }, { steps: -1 }, { steps: 1.5 }, { steps: Infinity }, { seed: -1 }, {
      seed: NaN
    }]
  ) {
    it.effect(`says that nothing was checked with ${Object.entries(options).join()}`, () =>
      Effect.gen(function*() {
        const [finding, ...more] = yield* check(corridor, options)
        assert.deepStrictEqual(more, [])
        assert.strictEqual(finding?.rule, "options")
        assert.match(
          finding?.message ?? "",
          /^Nothing was checked: (steps|seed) is .*: give a whole number from [01]\.$/
        )
      }))
  }
})

describe("a float64 Box", () => {
  const bounded = (low: number, high: number): EnvironmentDefinition =>
    changedBox(new Box({ low: [low], high: [high], dtype: "float64" }), low, high)
  const changedBox = (observationSpace: Box, low: number, high: number): EnvironmentDefinition => ({
    ...corridor,
    observationSpace,
    create: (state) => ({
      ...corridor.create(state),
      observe: (observation) => {
        observation[0] = state[0] === 0 ? low : high
      }
    })
  })

  it.effect("is no fault where its bounds are no float32", () =>
    Effect.gen(function*() {
      for (const [low, high] of [[-0.1, 0.1], [0.3, 0.7], [-1 / 3, 1e-50]] as const) {
        assert.deepStrictEqual(yield* check(bounded(low, high)), [])
      }
    }))

  it("contains its bounds as float32 writes them, and nothing beyond", () => {
    const box = new Box({ low: [-0.1], high: [0.1], dtype: "float64" })
    assert.isTrue(box.contains(Float32Array.of(0.1)))
    assert.isTrue(box.contains(Float32Array.of(-0.1)))
    assert.isFalse(box.contains([Math.fround(0.1)]), "in float64 it is beyond")
    assert.isFalse(box.contains(Float32Array.of(0.10000001)))
  })
})

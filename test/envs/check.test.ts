/** The checker finds nothing in sound environments, and the right thing in each broken one. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Struct } from "effect"
import { Box, CartPoleV0, CartPoleV1, check, type EnvironmentDefinition } from "../../src/envs/index.ts"
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

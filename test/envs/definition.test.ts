/** A definition with wrong fields is refused, with a sentence that names the field and the mend. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { Box, Discrete, Environment, InvalidDefinition, isDefinition } from "../../src/envs/index.ts"
import corridor from "./fixtures/corridor.ts"

const wrong: ReadonlyArray<readonly [string, object, RegExp]> = [
  ["an empty id", { id: "" }, /its id is empty: give a name with a version/],
  ["an id with spaces", { id: "my maze" }, /its id holds other than letters/],
  ["a fractional stateSize", { stateSize: 0.5 }, /its stateSize is 0\.5: give how many numbers the state has/],
  ["a negative stateSize", { stateSize: -1 }, /its stateSize is -1/],
  ["no steps", { maxEpisodeSteps: 0 }, /its maxEpisodeSteps is 0: give a positive integer/],
  ["an endless threshold", { rewardThreshold: NaN }, /its rewardThreshold is NaN: give a finite number/],
  [
    "a NaN bound",
    { observationSpace: new Box({ low: [NaN], high: [1] }) },
    /observationSpace has a bound at 0 that is NaN/
  ],
  ["swapped bounds", { observationSpace: new Box({ low: [2], high: [1] }) }, /low 2 above high 1 at 0: swap them/],
  [
    "missing bounds",
    { observationSpace: new Box({ low: [0], high: [1, 2] }) },
    /1 lower and 2 upper bounds for 1 numbers/
  ],
  ["an empty shape", { observationSpace: new Box({ low: 0, high: 1, shape: [0] }) }, /the shape \[0\]: give positive/],
  ["half an action", { actionSpace: new Discrete(0.5) }, /its actionSpace has n = 0\.5: give a positive integer/],
  ["no action space", { actionSpace: undefined }, /its actionSpace is missing: give a Box or a Discrete/],
  ["no create", { create: undefined }, /it has no create/],
  ["an empty module", { module: "" }, /its module is no URL/]
]

describe("Environment.define", () => {
  it("gives back what is right", () => {
    assert.strictEqual(Environment.define(corridor), corridor)
    assert.isTrue(isDefinition(corridor))
    assert.isFalse(isDefinition(undefined))
  })

  for (const [what, fields, message] of wrong) {
    it.effect(`refuses ${what}`, () =>
      Effect.gen(function*() {
        const definition = { ...corridor, ...fields }
        const thrown = yield* Effect.flip(
          Effect.try({ try: () => Environment.define(definition), catch: (cause) => cause })
        )
        assert.instanceOf(thrown, InvalidDefinition)
        assert.match(thrown.message, message)
        const failed = yield* Effect.flip(Environment.make(definition))
        assert.strictEqual(failed.message, thrown.message)
      }))
  }
})

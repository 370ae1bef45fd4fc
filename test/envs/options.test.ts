/** Keyword options of environments: how they are given, kept in references, and refused. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import {
  CartPoleV1,
  type Discrete,
  Environment,
  environmentReference,
  FrozenLakeV1,
  InvalidOption,
  loadEnvironment,
  Registry,
  TransformReward
} from "../../src/envs/index.ts"
import { isModule, moduleFile } from "../../src/envs/loadEnvironment.ts"
import { joinReference, optionValue, splitReference } from "../../src/envs/options.ts"

describe("options", () => {
  it("make another environment of the same id", () => {
    const lake = Environment.configure(FrozenLakeV1, { desc: ["SF", "HG"], is_slippery: false })
    assert.strictEqual(lake.id, "FrozenLake-v1")
    assert.strictEqual((lake.observationSpace as Discrete).n, 4)
    assert.strictEqual((FrozenLakeV1.observationSpace as Discrete).n, 16)
    assert.deepStrictEqual(lake.configured, { desc: ["SF", "HG"], is_slippery: false })
  })

  it.effect("stand in a reference, and are read from it", () =>
    Effect.gen(function*() {
      const given = { desc: ["SF", "HG"], is_slippery: false, success_rate: 0.5 }
      const reference = environmentReference(Environment.configure(FrozenLakeV1, given))
      const loaded = yield* loadEnvironment(reference)
      assert.deepStrictEqual(loaded.configured, given)
      assert.strictEqual(environmentReference(loaded), reference)
      assert.isTrue(Registry.isBuiltIn(reference))
      const large = yield* loadEnvironment("FrozenLake-v1?map_name=8x8&is_slippery=False")
      assert.strictEqual(large.observationSpace.size, 64)
      assert.strictEqual(yield* loadEnvironment("FrozenLake-v1?"), FrozenLakeV1)
    }))

  it("of a module are no part of its path", () => {
    assert.isTrue(isModule("./maze.ts?size=5"))
    assert.isTrue(isModule("./maze.ts:Maze-v0?size=5&name=a%3Fb"))
    assert.match(moduleFile("./maze.ts:Maze-v0?size=5") ?? "", /maze\.ts$/)
    assert.match(moduleFile("./what?/maze.ts") ?? "", /what\?\/maze\.ts$/)
    assert.isFalse(isModule("FrozenLake-v1?map_name=8x8"))
    for (const base of ["FrozenLake-v1", "./maze.ts", "./maze.ts:Maze-v0", "file:///a/what?/maze.ts:Maze-v0"]) {
      const reference = joinReference(base, { size: 5, path: "a/b.ts", what: "?" })
      assert.deepStrictEqual(splitReference(reference), { base, given: { size: 5, path: "a/b.ts", what: "?" } })
      assert.deepStrictEqual(splitReference(base), { base, given: {} })
    }
  })

  it("are lost by a changed copy, which is another environment", () => {
    for (const changed of [{ ...CartPoleV1, id: "Mine-v0" }, TransformReward.wrap(CartPoleV1, (reward) => reward)]) {
      assert.throws(() => Environment.configure(changed, { sutton_barto_reward: true }), /takes no options: leave/)
    }
  })

  it("of a person are JSON, Python's words, or text", () => {
    assert.deepStrictEqual(["true", "False", "None", "0.5", "8x8", "[1, 0, 0]", "S F"].map(optionValue), [
      true,
      false,
      null,
      0.5,
      "8x8",
      [1, 0, 0],
      "S F"
    ])
  })

  const Name = Schema.String.check(Schema.isPattern(/^[a-z_]+$/))
  // What is no Unicode cannot be written.
  const Words = Schema.String.check(Schema.makeFilter((text: string) => text.isWellFormed()))
  const Json = Schema.Record(Name, Schema.Union([Words, Schema.Finite, Schema.Boolean]))
  it.prop("come back from a reference", [Json], ([given]) => {
    const reference = joinReference("A-v0", given)
    // JSON has no -0.
    assert.deepStrictEqual({ ...splitReference(reference).given }, JSON.parse(JSON.stringify(given)))
    assert.strictEqual(splitReference(reference).base, "A-v0")
  })

  it.effect("of a module of one's own are found again, as a thread finds them", () =>
    Effect.gen(function*() {
      const file = "test/envs/fixtures/line.ts"
      const loaded = yield* loadEnvironment(`${file}?size=7`)
      assert.deepStrictEqual(loaded.configured, { size: 7 })
      const again = yield* loadEnvironment(environmentReference(loaded))
      assert.deepStrictEqual(again.configured, { size: 7 })
      const error = yield* Effect.flip(loadEnvironment(`${file}:Line-v0?size=1`))
      assert.match(error.message, /"Line-v0" cannot have the option size=1/)
    }))

  const wrong: ReadonlyArray<readonly [string, RegExp]> = [
    ["FrozenLake-v1?is_slipery=false", /"FrozenLake-v1" has no option "is_slipery": did you mean "is_slippery"\./],
    ["FrozenLake-v1?size=8", /has no option "size": known are desc, map_name, /],
    ["FrozenLake-v1?is_slippery=maybe", /cannot have the option is_slippery="maybe": Expected boolean/],
    ["FrozenLake-v1?map_name=16x16", /cannot have the option map_name="16x16": /],
    ["FrozenLake-v1?map_name=None", /needs a map: give map_name=4x4, map_name=8x8, or desc/],
    ["FrozenLake-v1?success_rate=2", /cannot have the option success_rate=2: /],
    ["FrozenLake-v1?reward_schedule=[1,0]", /cannot have the option reward_schedule=\[1,0\]: /],
    ["FrozenLake-v1?desc=[\"SF\",\"H\"]", /has a map that has 1 tiles in row 1 and 2 in the first: give as many/],
    ["FrozenLake-v1?desc=[\"SX\"]", /has a map that has a tile "X": give S, F, H or G/],
    ["FrozenLake-v1?desc=[\"FG\"]", /has a map that has no start: give a tile S/],
    ["FrozenLake-v1?desc=[]", /has a map that is empty: give its rows/],
    ["Acrobot-v1?g=3", /"Acrobot-v1" takes no options: leave g out/],
    ["Pendulum-v1?g=heavy", /cannot have the option g="heavy": Expected number/]
  ]
  for (const [reference, message] of wrong) {
    it.effect(`${reference} is refused`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(loadEnvironment(reference))
        assert.instanceOf(error, InvalidOption)
        assert.match(error.message, message)
      }))
  }
})

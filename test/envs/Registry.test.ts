/** Finding environments: by id, by file, by file and id; and what is said when there is none. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { CartPoleV1, environmentReference, loadEnvironment, Registry } from "../../src/envs/index.ts"
import corridor from "./fixtures/corridor.ts"

const fixture = (name: string) => `test/envs/fixtures/${name}`
const url = (name: string) => new URL(`./fixtures/${name}`, import.meta.url).href

const message = (id: string) => Effect.map(Effect.flip(Registry.lookup(id)), (error) => error.message)

describe("Registry", () => {
  it.effect("knows the built-in environments", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* Registry.ids, [
        "CartPole-v0",
        "CartPole-v1",
        "Acrobot-v1",
        "MountainCar-v0",
        "MountainCarContinuous-v0",
        "Pendulum-v1",
        "FrozenLake-v1",
        "FrozenLake8x8-v1",
        "CliffWalking-v1",
        "CliffWalkingSlippery-v1",
        "Taxi-v4",
        "Blackjack-v1"
      ])
      assert.strictEqual(yield* Registry.lookup("CartPole-v1"), CartPoleV1)
    }))

  it.effect("names the nearest id", () =>
    Effect.gen(function*() {
      assert.strictEqual(
        yield* message("CartPole-v9"),
        "There is no environment \"CartPole-v9\". Did you mean \"CartPole-v1\"?"
      )
      assert.include(yield* message("cartpole"), "Did you mean \"CartPole-v1\"?")
      assert.include(yield* message("Humanoid-v5"), "Known are CartPole-v0, CartPole-v1, Acrobot-v1, ")
    }))

  it.effect("takes more from a Layer", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* Registry.lookup("Corridor-v0"), corridor)
      assert.strictEqual(yield* loadEnvironment("Corridor-v0"), corridor)
      assert.include(yield* Registry.ids, "CartPole-v1")
    }).pipe(Effect.provide(Registry.layer(corridor))))
})

describe("loadEnvironment", () => {
  it.effect("takes an id, a path, a URL, and a path with an id", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* loadEnvironment("CartPole-v1"), CartPoleV1)
      for (const reference of [fixture("corridor.ts"), `./${fixture("corridor.ts")}`, url("corridor.ts")]) {
        assert.strictEqual((yield* loadEnvironment(reference)).id, "Corridor-v0")
      }
      assert.strictEqual((yield* loadEnvironment(`${fixture("two.ts")}:Second-v0`)).id, "Second-v0")
      assert.strictEqual((yield* loadEnvironment(`${url("two.ts")}:First-v0`)).id, "First-v0")
    }))

  it.effect("finds again what a definition's reference names", () =>
    Effect.gen(function*() {
      for (const definition of [CartPoleV1, corridor]) {
        assert.strictEqual((yield* loadEnvironment(environmentReference(definition))).id, definition.id)
      }
    }))

  const failures: ReadonlyArray<readonly [string, string, RegExp]> = [
    [
      fixture("missing.ts"),
      "EnvironmentNotLoaded",
      /"test\/envs\/fixtures\/missing\.ts" could not be loaded: .*missing\.ts/
    ],
    [fixture("nothing.ts"), "EnvironmentNotLoaded", /has no default export that Environment\.define returned/],
    [fixture("two.ts"), "EnvironmentNotLoaded", /exports First-v0, Second-v0: put the id after a colon/],
    [`${fixture("two.ts")}:Third-v0`, "EnvironmentNotLoaded", /its module exports First-v0, Second-v0/],
    [
      `${fixture("two.ts")}:Neither-v0`,
      "InvalidDefinition",
      /"Neither-v0" cannot be used: its observationSpace is missing/
    ],
    [fixture("refused.ts"), "InvalidDefinition", /its stateSize is 0\.5/],
    ["CartPole", "UnknownEnvironment", /Did you mean "CartPole-v1"/]
  ]
  for (const [reference, tag, message] of failures) {
    it.effect(`${reference} fails with ${tag}`, () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(loadEnvironment(reference))
        assert.strictEqual(error._tag, tag)
        assert.match(error.message, message)
      }))
  }
})

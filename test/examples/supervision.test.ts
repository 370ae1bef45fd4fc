/** The examples of supervision say what happens, and it does. */
import { assert, describe, it } from "@effect/vitest"
import { Console, Effect } from "effect"
import { program as backOff } from "../../examples/supervision/back-off.ts"
import { program as byTag } from "../../examples/supervision/by-tag.ts"
import { program as oneForAll } from "../../examples/supervision/one-for-all.ts"
import { program as oneForOne } from "../../examples/supervision/one-for-one.ts"
import { program as poison } from "../../examples/supervision/poison.ts"
import { program as restForOne } from "../../examples/supervision/rest-for-one.ts"

/** What a program prints. */
const printed = <E>(program: Effect.Effect<void, E>) =>
  Effect.gen(function*() {
    const lines: Array<string> = []
    const console = { ...globalThis.console, log: (line: unknown) => void lines.push(String(line)) }
    yield* Effect.provideService(program, Console.Console, console as Console.Console)
    return lines
  })

describe("examples/supervision", () => {
  it.live("one-for-one", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* printed(oneForOne), [
        "press starts (1), 0 made",
        "lathe starts (1), 0 made",
        "press breaks: Jam",
        "press starts (2), 10 made",
        "press breaks: Jam",
        "press starts (3), 10 made",
        "press 15, then 16; lathe 2"
      ])
    }))

  it.live("one-for-all", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* printed(oneForAll), [
        "press starts (1), 0 made",
        "lathe starts (1), 0 made",
        "apart starts (1), 0 made",
        "lathe breaks: Jam",
        "press starts (2), 10 made",
        "lathe starts (2), 20 made",
        "made: 10, 21, 30"
      ])
    }))

  it.live("rest-for-one", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* printed(restForOne), [
        "furnace starts (1), 0 made",
        "press starts (1), 0 made",
        "lathe starts (1), 0 made",
        "press breaks: Jam",
        "press starts (2), 2 made",
        "lathe starts (2), 3 made",
        "made: 1, 3, 3"
      ])
    }))

  it.live("by-tag", () =>
    Effect.gen(function*() {
      const lines = yield* printed(byTag)
      assert.includeMembers(lines, ["press made 1", "drill made 1", "0 machines are left"])
      assert.deepStrictEqual(lines.filter((line) => line.startsWith("RestartLimitReached")), [
        "RestartLimitReached: lathe failed for good after 1 restart(s) (at Make): Worn",
        "RestartLimitReached: drill failed for good after 1 restart(s) (at Make): Fire",
        "RestartLimitReached: press failed for good after 1 restart(s) (at Make): Fire"
      ])
    }))

  it.live("back-off", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* printed(backOff)).slice(-2), [
        "AskTimeout: press did not answer Make within 30 ms",
        "made 1, after 20 + 40 + 80 ms and no less: true"
      ])
    }))

  it.live("poison", () =>
    Effect.gen(function*() {
      const why = "RestartLimitReached: press failed for good after 2 restart(s): " +
        "its message 2 (Make) killed it 3 times, the last time with: Jam"
      assert.deepStrictEqual((yield* printed(poison)).slice(-5), [
        "order 1: made 1",
        `order 2: ${why}`,
        `order 3: ${why}`,
        "press starts (1), 0 made",
        "a new press made 3"
      ])
    }))
})

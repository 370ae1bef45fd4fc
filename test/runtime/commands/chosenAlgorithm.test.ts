/** Which algorithm the help is about. */
import { assert, describe, it } from "@effect/vitest"
import { chosenAlgorithm } from "../../../src/runtime/commands/chosenAlgorithm.ts"

describe("chosenAlgorithm", () => {
  it("is that of the flags, in either form, or the usual one", () => {
    const cases: ReadonlyArray<readonly [string, string, string]> = [
      ["", "a2c", "a2c"],
      ["--help", "a2c", "a2c"],
      ["--algo ppo --help", "ppo", "ppo"],
      ["--algo=a3c", "a3c", "a3c"],
      ["--preset notebook-ray", "a2c", "notebook-ray"],
      ["--preset=notebook-a3c --help", "a3c", "notebook-a3c"],
      ["--preset notebook-ray --algo ppo", "ppo", "notebook-ray"],
      ["--algo", "a2c", "a2c"],
      ["--algo none", "a2c", "a2c"],
      ["--algo ppo --algo a3c", "a3c", "a3c"]
    ]
    for (const [words, algo, preset] of cases) {
      assert.deepStrictEqual(chosenAlgorithm(words.split(" ")), { algo, preset }, words)
    }
  })
})

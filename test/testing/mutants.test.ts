/** The list of mistakes to plant is of the present sources; `npm run box -- --mutants` plants them. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { mutants } from "../box/mutants.ts"

describe("mutants", () => {
  it("each stands for one place in the sources", () => {
    for (const { file, from, name, to } of mutants) {
      const text = readFileSync(new URL(`../../src/actors/${file}`, import.meta.url), "utf8")
      assert.strictEqual(text.split(from).length, 2, name)
      assert.notStrictEqual(from, to, name)
    }
  })

  it("are named once, and have a reason where they need not be found", () => {
    assert.strictEqual(new Set(mutants.map(({ name }) => name)).size, mutants.length)
    for (const { name, seeds, why } of mutants) assert.strictEqual(seeds === null, why !== undefined, name)
    assert.isAtLeast(mutants.filter(({ seeds }) => seeds !== null).length, 25)
  })
})

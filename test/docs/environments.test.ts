/** The pages of the environments say what their files and definitions say. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { readdirSync, readFileSync } from "node:fs"
import { join } from "node:path"
import { folder, pages } from "../../scripts/document-environments.ts"
import { Registry } from "../../src/envs/index.ts"

const wanted = await pages()

describe("docs/environments", () => {
  it("has the pages as they are (else run node scripts/document-environments.ts)", () => {
    assert.deepStrictEqual(readdirSync(folder).toSorted(), [...wanted.keys()].toSorted())
    for (const [name, text] of wanted) assert.strictEqual(readFileSync(join(folder, name), "utf8"), text, name)
  })

  it.effect("says of every registered environment what Gymnasium says of it", () =>
    Effect.gen(function*() {
      const headings = ["Description", "Action space", "Observation space", "Rewards", "Starting state", "Episode end"]
      for (const id of yield* Registry.ids) {
        const text = [...wanted.values()].find((text) => text.includes(`\n| \`${id}\` |`))
        assert(text !== undefined, `no page has ${id}`)
        for (const heading of headings) assert.include(text, `\n## ${heading}\n`)
        const { configurable } = yield* Registry.lookup(id)
        for (const name of Object.keys(configurable?.options ?? {})) assert.include(text, `\n- \`${name}\` (`, id)
      }
    }))
})

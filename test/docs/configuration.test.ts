/** The page of settings says what the table of settings says. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import { documented, page } from "../../scripts/document-options.ts"
import { optionNames } from "../../src/runtime/config/RunConfig.ts"

const text = readFileSync(page, "utf8")

describe("docs/configuration.md", () => {
  it("holds the settings as they are (else run node scripts/document-options.ts)", () => {
    assert.strictEqual(text, documented(text))
  })

  it("has a row for every setting", () => {
    for (const name of optionNames) assert.include(text, `\n| \`${name}\` |`)
  })

  it("is found stale when a default is changed by hand", () => {
    const changed = text.replace("| `0.008` |", "| `0.007` |")
    assert.notStrictEqual(changed, text)
    assert.strictEqual(documented(changed), text)
  })

  it("is refused without its markers", () => {
    assert.throws(() => documented("# Configuration\n"), /markers/)
  })
})

/** JSON from outside is refused where it is nested deeper than schemas can go. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { globSync, readFileSync } from "node:fs"
import * as path from "node:path"
import { fileURLToPath } from "node:url"
import { deepest, fromJson } from "../../src/text/json.ts"

const decode = Schema.decodeUnknownEffect(fromJson(Schema.Record(Schema.String, Schema.Json)))
const nested = (depth: number, open = "[", close = "]") => `{"a":${open.repeat(depth)}${close.repeat(depth)}}`

describe("JSON from outside", () => {
  it.effect("is read as deep as it may be, and no deeper", () =>
    Effect.gen(function*() {
      yield* decode(nested(deepest - 1))
      for (const text of [nested(deepest), nested(50_000), nested(1_000_000), `${"{\"a\":".repeat(50_000)}1`]) {
        const { message } = yield* Effect.flip(decode(text))
        assert.match(message, /nested at most 64 deep/)
      }
    }))

  it.effect("may hold any brackets in its texts", () =>
    Effect.gen(function*() {
      const value = { a: `${"[".repeat(1000)}\\"{` }
      assert.deepStrictEqual(yield* decode(JSON.stringify(value)), value)
    }))

  it("is read in this way everywhere", () => {
    const root = fileURLToPath(new URL("../../src", import.meta.url))
    for (const file of globSync("**/*.ts", { cwd: root })) {
      // The second looks for Effect before there is one, in Effect's own manifest. The third is a page in a browser, which hears
      // the server that it came from alone.
      const others = ["text/json.ts", "effectVersion.ts", "runtime/dashboard/page/main.ts"]
      if (others.some((other) => file === path.join(...other.split("/")))) continue
      assert.notMatch(readFileSync(path.join(root, file), "utf8"), /fromJsonString|JSON\.parse/, file)
    }
  })
})

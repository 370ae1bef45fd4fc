import { assert, describe, it } from "@effect/vitest"
import { Option, Schema } from "effect"
import type { HelpDoc } from "effect/cli"
import * as Context from "effect/Context"
import { helpPage, wrap } from "../../../src/runtime/commands/helpPage.ts"

const Words = Schema.Array(Schema.String.check(Schema.isPattern(/^[a-z]{1,12}$/)))
const Width = Schema.Int.check(Schema.isBetween({ minimum: 12, maximum: 60 }))

describe("helpPage", () => {
  it.prop("wraps without losing a word", [Words, Width], ([words, width]) => {
    const lines = wrap(words.join(" "), width)
    assert.deepStrictEqual(lines.flatMap((line) => line.split(" ")), words)
    for (const line of lines) assert.isAtMost(line.length, width)
  })

  it("keeps to its width, long lists of values and all", () => {
    const flag = (name: string, type: string, description: string): HelpDoc.FlagDoc => ({
      name,
      aliases: [],
      type,
      description: Option.some(description),
      required: false
    })
    const doc: HelpDoc.HelpDoc = {
      description: "Does something ".repeat(20).trim(),
      usage: "troupe",
      annotations: Context.empty(),
      flags: [
        flag("short", "number", "what it is (default 10)"),
        flag("device", Array.from({ length: 20 }, (_, i) => `device-${i}`).join("|"), "where ".repeat(40).trim())
      ]
    }
    for (const width of [60, 80, 100]) {
      const page = helpPage(
        doc,
        [{ name: "train", description: "trains" }],
        width,
        (title) => title.toUpperCase(),
        "a2c"
      )
      for (const line of page.split("\n")) assert.isAtMost(line.length, width, line)
      assert.match(page, /^ {2}--short number +what it is \(default 10\)$/m)
      assert.match(page, /^VERBS\n {2}train +trains$/m)
      assert.include(page.replaceAll(/\s/g, ""), "device-18|device-19")
    }
  })

  it("groups the flags of whoever has settings of algorithms, and nobody else's", () => {
    const flags = Array.from({ length: 30 }, (_, i): HelpDoc.FlagDoc => ({
      name: `flag-${i}`,
      aliases: [],
      type: "number",
      description: Option.none(),
      required: false
    }))
    const page = (flags: ReadonlyArray<HelpDoc.FlagDoc>) =>
      helpPage(
        { description: "", usage: "troupe", annotations: Context.empty(), flags },
        [],
        80,
        (title) => title,
        "a2c"
      )
    assert.notMatch(page(flags), /^Output$|settings of a2c/m)
    assert.match(page([...flags, { ...flags[0]!, name: "algo" }]), /^The run\n {2}--algo number$/m)
  })
})

/** Text from outside becomes one bounded line that no terminal obeys. */
import { assert, describe, it } from "@effect/vitest"
import { Schema } from "effect"
import { plainJson, plainLine, thrownText } from "../../src/text/plainLine.ts"

/** What a terminal may obey, or what begins a line of its own. */
const obeyed = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]|\p{Cs}/u

describe("plainLine", () => {
  it("leaves plain text as it is, whatever its language", () => {
    for (const text of ["", "CartPole-v1", "größer ± 2 × 3", "環境 не найдена", "🎲 4 of 6"]) {
      assert.strictEqual(plainLine(text), text)
    }
  })

  it("writes what a terminal obeys as escapes", () => {
    assert.strictEqual(plainLine("a\x1b[31mb\r\n\tc\x07\x7f\x9b"), "a\\x1b[31mb\\r\\n\\tc\\x07\\x7f\\x9b")
    assert.strictEqual(plainLine("\u202egnp.exe\u2066\u200f\ufeff"), "\\u202egnp.exe\\u2066\\u200f\\ufeff")
    assert.strictEqual(plainLine("\u2028\u2029\u{e0041}\ud800"), "\\u2028\\u2029\\u{e0041}\\ud800")
  })

  it("leaves the middle of a long text out", () => {
    const line = plainLine(`There is no verb "${"x".repeat(1_000_000)}"; there is train.`)
    assert.strictEqual(line.length, 1000)
    assert.match(line, /^There is no verb "x+ \.\.\. x+"; there is train\.$/)
  })

  it.prop("gives one bounded line for any text", [
    Schema.Array(Schema.Int.check(Schema.isBetween({ minimum: 0, maximum: 0xffff })))
  ], ([units]) => {
    for (const text of [String.fromCharCode(...units), String.fromCharCode(...units).repeat(40)]) {
      const line = plainLine(text, 60)
      assert.notMatch(line, obeyed)
      assert.isAtMost(line.length, 60)
      assert.strictEqual(plainLine(line, 60), line)
    }
  })
})

describe("plainJson", () => {
  it("means the same, and holds nothing that a terminal obeys", () => {
    const value = { a: "\u202e\x9b31m\x7f\u{e0041}\u2028\x1b" }
    const text = plainJson(JSON.stringify(value))
    assert.notMatch(text, obeyed)
    assert.deepStrictEqual(JSON.parse(text), value)
  })
})

describe("thrownText", () => {
  it("has words for whatever was thrown", () => {
    const hostile = {
      toString() {
        throw new Error("no")
      }
    }
    const getter = Object.defineProperty(new Error("x"), "message", { get: hostile.toString })
    assert.strictEqual(thrownText(new Error("a")), "a")
    assert.strictEqual(thrownText(Symbol("a")), "Symbol(a)")
    for (const thrown of [Object.create(null), hostile, getter]) {
      assert.strictEqual(thrownText(thrown), "something that has no text")
    }
  })
})

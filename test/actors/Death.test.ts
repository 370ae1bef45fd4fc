/** A death is told whatever was thrown, also when that answers no question. */
import { assert, describe, it } from "@effect/vitest"
import { Death, fromUnknown } from "../../src/actors/Death.ts"

const refuse = (): never => {
  throw new Error("no answer")
}

const hostile: unknown = new Proxy({}, { get: refuse, has: refuse, getPrototypeOf: refuse, ownKeys: refuse })

const unreadable = new Error("never read")
Object.defineProperty(unreadable, "message", { get: refuse })
Object.defineProperty(unreadable, "stack", { value: 7 })

const odd = new Error("odd")
Object.defineProperty(odd, "message", { value: 5 })
Object.defineProperty(odd, "name", { value: {} })

describe("fromUnknown", () => {
  for (
    const [what, thrown, said] of [
      ["an error", new TypeError("no"), "no"],
      ["an error without a message", new TypeError(""), "TypeError"],
      ["text", "no", "no"],
      ["null", null, "null"],
      ["undefined", undefined, "undefined"],
      ["a bigint", 1n, "1"],
      ["a symbol", Symbol("s"), "Symbol(s)"],
      ["an object", { code: 5 }, "{\"code\":5}"],
      ["an object without a prototype", Object.create(null), "{}"],
      ["an object whose toString and toJSON throw", { toString: refuse, toJSON: refuse }, "something that has no text"],
      ["a Proxy that answers nothing", hostile, "something that has no text"],
      ["an error whose message throws", unreadable, "{}"],
      ["an error whose message is no text", odd, "{}"]
    ] as const
  ) {
    it(`tells of ${what}`, () => {
      const death = fromUnknown("Defect", thrown, "Collect")
      assert.instanceOf(death, Death)
      assert.strictEqual(death.message, said)
      assert.strictEqual(death.method, "Collect")
    })
  }
})

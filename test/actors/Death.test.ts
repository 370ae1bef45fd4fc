/** A death is told whatever was thrown, also when that answers no question. */
import { assert, describe, it } from "@effect/vitest"
import { Data, Redacted, Schema } from "effect"
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

class Refused extends Schema.TaggedError<Refused>()("Refused", { code: Schema.Int, text: Schema.String }) {}
class Plain extends Schema.TaggedError<Plain>()("Plain", {}) {}
class Own extends Data.TaggedError("Own")<{ readonly big: bigint; readonly secret: Redacted.Redacted }> {}
const circular: Error & { self?: unknown } = new RangeError("")
circular.self = circular
const long = new Refused({ code: 1, text: "x".repeat(5000) })

describe("fromUnknown", () => {
  for (
    const [what, thrown, said] of [
      ["an error", new TypeError("no"), "no"],
      ["an error without a message", new TypeError(""), "TypeError"],
      ["a typed error's fields", new Refused({ code: 1, text: "oops" }), `Refused {"code":1,"text":"oops"}`],
      ["a typed error without fields", new Plain(), "Plain"],
      [
        "a big number and a secret",
        new Own({ big: 3n, secret: Redacted.make("s") }),
        `Own {"big":"3n","secret":"<redacted>"}`
      ],
      ["what the error holds of itself", circular, `RangeError {"self":{"name":"RangeError","message":""}}`],
      ["no more than can be read", long, `Refused {"code":1,"text":"${"x".repeat(1000 - 18)}...`],
      [
        "the cause of an error without a message",
        new Error("", { cause: new Error("disk full") }),
        `Error {"cause":{"name":"Error","message":"disk full"}}`
      ],
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

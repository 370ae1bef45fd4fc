import { assert, describe, it } from "@effect/vitest"
import { Effect, Schema } from "effect"
import { Mailbox } from "../../src/actors/Mailbox.ts"

const Moves = Schema.Array(Schema.Literals(["push", "push", "push", "shift", "drop", "remove"])).check(
  Schema.isMaxLength(200)
)

describe("Mailbox", () => {
  it.effect.prop("is a queue: it behaves as an array", [Moves], ([moves]) =>
    Effect.sync(() => {
      const mailbox = new Mailbox<{ readonly n: number }>()
      let model: Array<{ readonly n: number }> = []
      for (const [n, move] of moves.entries()) {
        if (move === "push") {
          mailbox.push({ n })
          model.push({ n })
        } else if (move === "shift") assert.deepStrictEqual(mailbox.shift(), model.shift())
        else if (move === "remove") {
          const at = mailbox.leading((value) => value.n < n / 2)
          assert.strictEqual(at, model.filter((value) => value.n < n / 2).length)
          if (at < model.length) {
            mailbox.remove(at)
            model.splice(at, 1)
          }
        } else {
          model = model.filter((value) => value.n % 3 !== 0)
          mailbox.reset(mailbox.toArray().filter((value) => value.n % 3 !== 0))
        }
        assert.strictEqual(mailbox.size, model.length)
        assert.deepStrictEqual(mailbox.toArray(), model)
        assert.deepStrictEqual(mailbox.at(1), model[1])
        assert.isUndefined(mailbox.at(model.length))
      }
    }))
})

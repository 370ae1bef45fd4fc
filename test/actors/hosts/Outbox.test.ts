/** What one side of a link has to say: in order, counted, and nothing held up by what cannot be sent. */
import { assert, describe, it } from "@effect/vitest"
import { Outbox } from "../../../src/actors/hosts/Outbox.ts"

describe("Outbox", () => {
  const open = () => {
    const posted: Array<ReadonlyArray<number>> = []
    const refused: Array<number> = []
    const outbox = new Outbox<number>((batch) => {
      if (batch.some((word) => word < 0)) throw new Error("no negative numbers")
      posted.push(batch)
    }, (word) => refused.push(word))
    return { outbox, posted, refused }
  }

  it("posts what waits as one batch, without what nobody wants any more, and counts it", () => {
    const { outbox, posted } = open()
    for (const word of [1, 2, 3]) outbox.push(word)
    outbox.flush((word) => word === 2)
    outbox.flush()
    assert.deepStrictEqual(posted, [[1, 3]])
    assert.strictEqual(outbox.posted, 2)
    assert.isTrue(outbox.empty)
  })

  it("tells of a word that cannot be sent, and sends the others in their order", () => {
    const { outbox, posted, refused } = open()
    for (const word of [1, -2, 3]) outbox.push(word)
    outbox.flush()
    assert.deepStrictEqual([posted, refused, outbox.posted], [[[1], [3]], [-2], 2])
  })

  it("says a word at once, and forgets what waits when it is told to", () => {
    const { outbox, posted } = open()
    outbox.push(5)
    outbox.clear()
    outbox.say(6)
    outbox.flush()
    assert.deepStrictEqual(posted, [[6]])
    assert.strictEqual(outbox.posted, 1)
  })
})

/** Whom an actor has sent something that may not have been handled yet. */
import { assert, describe, it } from "@effect/vitest"
import { UnderWay } from "../../../src/actors/hosts/UnderWay.ts"

describe("UnderWay", () => {
  it("has nothing at first, and what was told until a later ask of the same one is answered", () => {
    const underWay = new UnderWay(1)
    assert.isFalse(underWay.has(7))
    underWay.add(1, 1, 7, false)
    underWay.answered(1, 1, "taken")
    assert.isTrue(underWay.has(7))
    assert.isFalse(underWay.has(8))
    underWay.add(1, 2, 7, true)
    underWay.answered(1, 2, "success")
    assert.isFalse(underWay.has(7))
  })

  it("does not take an answer for the word of what was sent after it, nor the system's word for an answer", () => {
    const underWay = new UnderWay(1)
    underWay.add(1, 1, 7, true)
    underWay.add(1, 2, 7, false)
    underWay.answered(1, 1, "success")
    assert.isTrue(underWay.has(7))
    underWay.add(1, 3, 7, true)
    underWay.answered(1, 3, "system")
    assert.isTrue(underWay.has(7))
    underWay.add(2, 1, 7, true)
    underWay.answered(2, 1, "failure")
    assert.isFalse(underWay.has(7))
  })

  it("keeps what was given up under way, until a later ask is answered", () => {
    const underWay = new UnderWay(1)
    underWay.add(1, 1, 7, true)
    underWay.forget(1, 1)
    underWay.answered(1, 1, "success")
    assert.isTrue(underWay.has(7))
    underWay.add(1, 2, 7, true)
    underWay.answered(1, 2, "success")
    assert.isFalse(underWay.has(7))
  })

  it("does not know of a later incarnation's what an earlier one has sent", () => {
    const underWay = new UnderWay(2)
    assert.isTrue(underWay.has(7))
    underWay.add(3, 1, 7, true)
    underWay.answered(3, 1, "success")
    assert.isFalse(underWay.has(7))
    assert.isTrue(underWay.has(8))
  })

  it("keeps no more of those who tell something to ever new ones, and still lets nothing overtake it", () => {
    const underWay = new UnderWay(1)
    underWay.add(1, 1, 7, true)
    for (let call = 2; call < 100_000; call++) underWay.add(1, call, call + 10, false)
    assert.isBelow(Reflect.get(underWay, "last").size, 2000)
    for (const target of [7, 12, 50_000, 100_009]) assert.isTrue(underWay.has(target))
    underWay.add(1, 100_000, 8, false)
    for (let call = 100_001; call < 103_000; call++) underWay.add(1, call, call + 10, false)
    // What was sent to it before says nothing of what came after that was forgotten.
    underWay.answered(1, 1, "success")
    assert.isTrue(underWay.has(7))
    underWay.add(2, 1, 8, true)
    underWay.answered(2, 1, "success")
    assert.isFalse(underWay.has(8))
  })
})

/** A host that has nothing in hand, as whoever reads its link sees it. */
import { assert, describe, it } from "@effect/vitest"
import type { Command, Report } from "../../../src/actors/links/HostLink.ts"
import { Unsettled } from "../../../src/actors/links/Unsettled.ts"

const start = (actor: number): Command => [
  "start",
  {
    actor,
    incarnation: 1,
    definition: "A",
    name: "a",
    config: null,
    hasState: false,
    state: null,
    parent: undefined,
    system: "s",
    later: [],
    taken: 0
  }
]
const message = (actor: number, seq: number): Command => ["message", actor, 1, seq, "Add", {}]
const replied = (actor: number, seq: number): Report => ["replied", actor, 1, seq, "success", 1, undefined]

describe("Unsettled", () => {
  it("is not empty before the host is ready, for somebody waits for that", () => {
    const unsettled = new Unsettled()
    assert.isFalse(unsettled.empty)
    unsettled.heard([["ready", undefined]])
    assert.isTrue(unsettled.empty)
  })

  it("is empty when all that was told is answered, or its actor is gone", () => {
    const unsettled = new Unsettled()
    unsettled.heard([["ready", undefined]])
    unsettled.posted([start(1), start(2), message(1, 1), message(1, 2), message(2, 1)])
    unsettled.heard([["started", 1, 1], replied(1, 1), ["started", 2, 1]])
    assert.isFalse(unsettled.empty)
    unsettled.heard([replied(1, 2)])
    assert.isFalse(unsettled.empty)
    unsettled.heard([["died", 2, 1, {}, 1]])
    assert.isTrue(unsettled.empty)
    unsettled.posted([["ping", 1], ["withdraw", 1, 1, 3]])
    assert.isTrue(unsettled.empty)
  })

  it("is not empty while one has in hand what its host has given it", () => {
    const unsettled = new Unsettled()
    unsettled.heard([["ready", undefined]])
    unsettled.posted([message(1, 1)])
    const what = ["ask", 2, "b", "Add", {}, 1000, false, 0, 0, 0, undefined, [1, -1, 0]] as const
    unsettled.heard([["asking", 1, 1, 1, 1, ...what], replied(1, 1)])
    assert.isFalse(unsettled.empty)
    unsettled.heard([replied(2, -1)])
    assert.isTrue(unsettled.empty)
  })
})

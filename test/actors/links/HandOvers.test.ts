/** Counts of how long messages lie until they are heard. */
import { assert, describe, it } from "@effect/vitest"
import * as HandOvers from "../../../src/actors/links/HandOvers.ts"

const found = (counts: HandOvers.HandOvers) => HandOvers.read(counts).filter(({ count }) => count > 0)

describe("HandOvers", () => {
  it("has counted nothing at first, and nothing for what nobody sent", () => {
    const counts = HandOvers.make()
    HandOvers.heard(counts, "host", "spinning")
    assert.deepStrictEqual(found(counts), [])
  })

  it("counts by side and way, from the oldest that lay there", () => {
    const counts = HandOvers.make()
    const sent = process.hrtime.bigint()
    HandOvers.sent(counts, "host")
    for (const end = performance.now() + 3; performance.now() < end;);
    // The second of the same batch, or of the next one, makes the first no younger.
    HandOvers.sent(counts, "host")
    HandOvers.heard(counts, "host", "napping")
    const most = Number(process.hrtime.bigint() - sent) / 1000
    HandOvers.sent(counts, "owner")
    HandOvers.heard(counts, "owner", "sleeping")
    const [owner, host] = found(counts)
    assert.deepInclude(owner, { side: "owner", way: "sleeping", count: 1 })
    assert.deepInclude(host, { side: "host", way: "napping", count: 1 })
    assert.isAtLeast(host!.micros, 2_900)
    assert.isAtMost(host!.micros, most)
  })
})

/** Rows become rarer as a run grows, by count: bounded, and the same for a run that was resumed. */
import { assert, describe, it } from "@effect/vitest"
import { isRow } from "../../../src/runtime/reporting/thinning.ts"

const rows = (from: number, to: number, logInterval: number) => {
  let count = 0
  for (let update = from; update <= to; update += logInterval) if (isRow(update, logInterval)) count++
  return count
}

describe("rows of progress", () => {
  it("are all of the first 2048 reports, then 1024 of every doubling", () => {
    for (const logInterval of [1, 20, 77]) {
      assert.strictEqual(rows(logInterval, 2048 * logInterval, logInterval), 2048)
      for (let reports = 2048; reports < 2 ** 20; reports *= 2) {
        assert.strictEqual(rows((reports + 1) * logInterval, 2 * reports * logInterval, logInterval), 1024)
      }
    }
  })

  it("of a day at twenty thousand updates a second are some twenty thousand", () => {
    // A row a doubling of reports: counted there rather than one by one.
    const reports = 20_000 * 86_400 / 20
    assert.isAtMost(2048 + 1024 * Math.ceil(Math.log2(reports / 2048)), 20_000)
    let gap = 0
    for (let report = reports; !isRow(report * 20, 20); report++) gap++
    assert.isAtMost(gap, reports / 1024)
  })
})

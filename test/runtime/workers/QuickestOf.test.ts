/** What is the quickest of several ways, by a clock of the test's own. */
import { assert, describe, it } from "@effect/vitest"
import { type Choice, QuickestOf } from "../../../src/runtime/workers/QuickestOf.ts"

/** Does pieces of work for so many milliseconds; `times` is how long a piece takes by way. Answers what was found, and when. */
const work = (quickest: QuickestOf, clock: { now: number }, millis: number, times: ReadonlyArray<number>) => {
  const found: Array<Choice & { readonly at: number }> = []
  const spent = times.map(() => 0)
  for (const end = clock.now + millis; clock.now < end;) {
    const choice = quickest.next()
    if (choice !== undefined) found.push({ ...choice, at: clock.now })
    const time = times[quickest.way]!
    spent[quickest.way]! += time
    clock.now += time
  }
  return { found, spent }
}

const make = (ways: number) => {
  const clock = { now: 1_000 }
  return { clock, quickest: new QuickestOf(ways, () => clock.now) }
}

describe("QuickestOf", () => {
  it("has nothing to find where there is one way", () => {
    const { clock, quickest } = make(1)
    assert.deepStrictEqual(work(quickest, clock, 1_000, [1]).found, [])
  })

  for (const times of [[0.05, 0.04], [0.04, 0.05], [3, 5], [500, 40], [0.2, 0.1, 0.3]]) {
    it(`finds the quickest of ${times.join(" and ")} milliseconds, and keeps to it`, () => {
      const { clock, quickest } = make(times.length)
      const best = times.indexOf(Math.min(...times))
      const { found, spent } = work(quickest, clock, 60_000, times)
      assert.isNotEmpty(found)
      for (const { speedup, way } of found) {
        assert.strictEqual(way, best)
        const sorted = times.toSorted((a, b) => a - b)
        assert.closeTo(speedup, sorted[1]! / sorted[0]!, 1e-6)
      }
      // A few milliseconds each, or a few pieces of work, now and then.
      const lost = spent.reduce((sum, time, way) => way === best ? sum : sum + time, 0)
      assert.isBelow(lost, Math.max(600, 12 * Math.max(...times)))
    })
  }

  it("is not misled for long by code that is not warm yet: the first way makes all of it warm", () => {
    const { clock, quickest } = make(2)
    /** Milliseconds that the first way has worked. */
    let worked = 0
    const found: Array<Choice & { readonly at: number }> = []
    while (found.length < 3) {
      const choice = quickest.next()
      if (choice !== undefined) found.push({ ...choice, at: clock.now - 1_000 })
      const took = quickest.way === 0 ? (worked < 280 ? 1 : 0.05) : 0.1
      if (quickest.way === 0) worked += took
      clock.now += took
    }
    assert.deepStrictEqual(found.map(({ way }) => way), [1, 0, 0])
    assert.isBelow(found[1]!.at, 700)
  })

  it("finds a first choice within some tens of milliseconds", () => {
    const { clock, quickest } = make(2)
    const { found } = work(quickest, clock, 1_000, [0.05, 0.1])
    assert.isBelow(found[0]!.at - 1_000, 30)
  })

  it("changes its mind when another way has become the quickest", () => {
    const { clock, quickest } = make(2)
    work(quickest, clock, 5_000, [0.05, 0.1])
    const { found, spent } = work(quickest, clock, 20_000, [0.1, 0.05])
    assert.strictEqual(found[0]!.way, 1)
    assert.isAbove(spent[1]!, spent[0]!)
  })

  it("keeps to its choice where another way is as quick but for noise", () => {
    const { clock, quickest } = make(2)
    work(quickest, clock, 5_000, [0.05, 0.1])
    assert.deepStrictEqual(
      work(quickest, clock, 60_000, [0.1, 0.097]).found.filter(({ way }) => way !== 0),
      []
    )
  })

  it("is not misled by a piece of work that something else held up", () => {
    const { clock, quickest } = make(2)
    let pieces = 0
    const found: Array<Choice> = []
    while (found.length === 0) {
      const choice = quickest.next()
      if (choice !== undefined) found.push(choice)
      // An evaluation after the 30th piece.
      clock.now += (quickest.way === 0 ? 0.05 : 0.1) + (++pieces === 30 ? 400 : 0)
    }
    assert.strictEqual(found[0]!.way, 0)
  })
})

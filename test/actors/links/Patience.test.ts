/** Spinning is kept where it is quicker, given up where it is not, and tried again when the world changes. */
import { assert, describe, it } from "@effect/vitest"
import { Patience } from "../../../src/actors/links/Patience.ts"

/** Waits for `millis` of simulated time, each wait as long as its way takes; returns the share of waits that spun. */
const pass = (patience: Patience, clock: { now: number }, millis: number, spinning: number, sleeping: number) => {
  const until = clock.now + millis
  let spun = 0
  let waits = 0
  while (clock.now < until) {
    const wait = patience.spins ? spinning : sleeping
    if (patience.spins) spun++
    waits++
    clock.now += wait
    patience.waited(wait, clock.now)
  }
  return spun / waits
}

describe("Patience", () => {
  it("spins where that is quicker, and loses little by trying the other way", () => {
    const patience = new Patience()
    const clock = { now: 1 }
    pass(patience, clock, 100, 0.005, 0.05)
    assert.isAbove(pass(patience, clock, 5000, 0.005, 0.05), 0.999)
  })

  it("sleeps where that is clearly quicker", () => {
    for (const sleeping of [0.02, 0.15]) {
      const patience = new Patience()
      const clock = { now: 1 }
      pass(patience, clock, 100, 0.2, sleeping)
      assert.isBelow(pass(patience, clock, 5000, 0.2, sleeping), 0.05)
    }
  })

  it("changes its mind when the world changes", () => {
    const patience = new Patience()
    const clock = { now: 1 }
    pass(patience, clock, 5000, 0.2, 0.02)
    assert.isFalse(patience.spins)
    pass(patience, clock, 2500, 0.005, 0.05)
    assert.isAbove(pass(patience, clock, 1000, 0.005, 0.05), 0.99)
    pass(patience, clock, 2500, 0.2, 0.02)
    assert.isBelow(pass(patience, clock, 1000, 0.2, 0.02), 0.2)
  })

  it("is not led by long waits", () => {
    const patience = new Patience()
    const clock = { now: 1 }
    pass(patience, clock, 100, 0.005, 0.05)
    for (let i = 0; i < 1000; i++) patience.waited(500, clock.now += 500)
    assert.isAbove(pass(patience, clock, 1000, 0.005, 0.05), 0.99)
  })
})

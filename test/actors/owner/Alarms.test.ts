/** The alarms of a system, on a clock of the test's own. */
import { assert, describe, it } from "@effect/vitest"
import { Alarms } from "../../../src/actors/owner/Alarms.ts"
import type { Time } from "../../../src/time/runningTime.ts"

describe("Alarms", () => {
  it("ring what is due but for the rounding of a clock", () => {
    // As a clock of whole nanoseconds that began at a time of day: it may wake us a hair before the sum of the times.
    let now = 1_000.000_000_1
    const waits: Array<() => void> = []
    const time: Time = {
      now: () => now,
      after: (_, task) => {
        waits.push(() => task(false))
        return () => {}
      }
    }
    const rung: Array<string> = []
    const alarms = new Alarms(time)
    alarms.set(2_000, () => rung.push("due"))
    alarms.set(2_000.01, () => rung.push("later"))
    now = 2_000 - 1e-9
    waits.shift()!()
    assert.deepStrictEqual(rung, ["due"])
    now = 2_000.01
    waits.shift()!()
    assert.deepStrictEqual(rung, ["due", "later"])
    assert.deepStrictEqual(waits, [])
  })
})

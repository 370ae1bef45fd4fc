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

  it("leave nothing behind that was called off long before it was due", () => {
    let now = 0
    let wake = (): void => {}
    const time: Time = {
      now: () => now,
      after: (_, task) => {
        wake = () => task(false)
        return () => {}
      }
    }
    const alarms = new Alarms(time)
    const kept = (): number => Reflect.get(Reflect.get(alarms, "agenda") as object, "entries").length
    const rung: Array<number> = []
    for (let i = 0; i < 10_000; i++) {
      const callOff = alarms.set(1_000_000 + i % 7, () => rung.push(i))
      if (i % 1000 === 999) continue
      callOff()
      callOff()
    }
    assert.isBelow(kept(), 200)
    now = 1_000_010
    wake()
    // As they are due: those of one time in the order in which they were set.
    const due = Array.from({ length: 10 }, (_, i) => i * 1000 + 999)
    assert.deepStrictEqual(rung, due.toSorted((a, b) => a % 7 - b % 7 || a - b))
    assert.strictEqual(kept(), 0)
  })
})

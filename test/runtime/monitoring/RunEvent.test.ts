import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { RunEvent, RunEventFromJsonLine, toJsonLine } from "../../../src/runtime/monitoring/RunEvent.ts"
import { finished, progress, wholeRun } from "../reporting/syntheticRun.ts"

const decode = Schema.decodeUnknownSync(RunEventFromJsonLine)

describe("RunEvent", () => {
  it.prop("a line of JSON comes back as the event", [RunEvent], ([event]) => {
    const line = toJsonLine(event)
    assert.isFalse(line.includes("\n"))
    // JSON has no minus zero.
    const positive = Object.fromEntries(
      Object.entries(event).map(([key, value]) => [key, Object.is(value, -0) ? 0 : value])
    )
    assert.deepStrictEqual({ ...decode(line) }, positive)
  })
  it("every event of a whole run decodes", () => {
    for (const event of wholeRun) assert.deepStrictEqual(decode(toJsonLine(event)), event)
  })
  it("a number that is not finite is null", () => {
    for (const value of [NaN, Infinity, -Infinity]) {
      const line = toJsonLine({ ...progress, value_loss: value, grad_norm: value })
      assert.deepStrictEqual(decode(line), { ...progress, value_loss: null, grad_norm: null })
    }
  })
  it("finished has exactly its fields, in order, whatever it was built from", () => {
    const { event, ...rest } = finished
    const shuffled = { surplus: 1, ...Object.fromEntries(Object.entries(rest).toReversed()), event }
    assert.strictEqual(toJsonLine(Object.assign(shuffled, rest)), JSON.stringify(finished))
  })
})

/** How long stretches are: some milliseconds, and none for a while after one came to nothing. */
import { assert, describe, it } from "@effect/vitest"
import { StretchLength } from "../../../src/runtime/workers/StretchLength.ts"

describe("StretchLength", () => {
  it("is as long as some milliseconds allow, up to what is allowed", () => {
    const length = new StretchLength(32, false)
    assert.strictEqual(length.next(100), 1)
    length.took(1, 2)
    assert.strictEqual(length.next(100), 8)
    assert.strictEqual(length.next(3), 3)
    length.took(8, 0.8)
    assert.strictEqual(length.next(100), 32)
    length.took(32, 32 * 9)
    assert.isBelow(length.next(100), 2)
    const short = new StretchLength(32, true)
    short.took(1, 0.5)
    assert.strictEqual(short.next(100), 4)
    const none = new StretchLength(0, false)
    none.took(1, 0.001)
    assert.isBelow(none.next(100), 2)
  })

  it("is none for as long as the one that came to nothing, and longer each time", () => {
    const length = new StretchLength(32, false)
    length.took(1, 0.5)
    const singles = () => {
      let count = 0
      while (length.next(100) < 2) count++
      return count
    }
    assert.strictEqual(singles(), 0)
    const waits = [1, 2, 3].map(() => {
      length.brokenOff(8)
      return singles()
    })
    assert.deepStrictEqual(waits, [8, 16, 32])
    length.took(8, 4)
    length.brokenOff(8)
    assert.strictEqual(singles(), 8)
  })
})

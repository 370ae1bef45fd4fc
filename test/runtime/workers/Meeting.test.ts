/** Where workers wait for one another: together, or not at all. */
import { assert, describe, it } from "@effect/vitest"
import { clear, Meeting, meetingBytes } from "../../../src/runtime/workers/Meeting.ts"

const wordsFor = (workers: number) => new Int32Array(new SharedArrayBuffer(meetingBytes(workers)))

describe("Meeting", () => {
  it("waits for nobody where one is alone", () => {
    const meeting = new Meeting(wordsFor(1))
    assert.isTrue(meeting.begin(0, 1))
    for (let time = 0; time < 3; time++) assert.isTrue(meeting.all())
  })

  it("parts where somebody does not come, for the others too", () => {
    const words = wordsFor(2)
    const first = new Meeting(words)
    const second = new Meeting(words)
    assert.isTrue(first.begin(0, 2))
    assert.isTrue(second.begin(1, 2))
    assert.isFalse(first.all())
    // The one who was waited for is as far as the other now; yet nobody comes a second time.
    assert.isTrue(second.all())
    assert.isFalse(second.all())
  })

  it("parts where somebody comes in the place of another, who died", () => {
    const words = wordsFor(2)
    assert.isTrue(new Meeting(words).begin(0, 2))
    const survivor = new Meeting(words)
    assert.isTrue(survivor.begin(1, 2))
    assert.isFalse(new Meeting(words).begin(0, 2))
    assert.isFalse(survivor.all())
    clear(words)
    assert.isTrue(new Meeting(words).begin(0, 2))
  })
})

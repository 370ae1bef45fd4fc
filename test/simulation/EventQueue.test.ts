/** The order of events: total, and kept whatever is pushed and popped. */
import { assert, describe, it } from "@effect/vitest"
import { Pcg64 } from "../../src/random/index.ts"
import { EventQueue, none } from "../../src/simulation/EventQueue.ts"

type Event = readonly [time: number, priority: number, sender: number, count: number]

const compare = (a: Event, b: Event): number =>
  a.findIndex((value, i) => value !== b[i]) < 0
    ? 0
    : a[a.findIndex((value, i) => value !== b[i])]! - b[a.findIndex((value, i) => value !== b[i])]!

describe("EventQueue", () => {
  it("gives events in the order of time, priority, sender and count, for any pushes and pops", () => {
    for (let seed = 0; seed < 50; seed++) {
      const random = Pcg64.fromSeed(seed)
      const queue = new EventQueue()
      let waiting: Array<Event> = []
      let now = 0
      for (let step = 0; step < 300; step++) {
        if (random.random() < 0.55) {
          // Few values, so that ties of every depth happen.
          const event: Event = [now + random.integers(0, 3), random.integers(-1, 2), random.integers(0, 3), step]
          queue.push(...event, 0, 0, 0, step)
          waiting.push(event)
        } else {
          const expected = waiting.toSorted(compare)[0]
          const slot = queue.pop()
          if (expected === undefined) {
            assert.strictEqual(slot, none)
            continue
          }
          const popped: Event = [queue.time[slot]!, queue.priority[slot]!, queue.sender[slot]!, queue.count[slot]!]
          assert.deepStrictEqual(popped, expected)
          assert.strictEqual(queue.payload[slot], expected[3])
          queue.release(slot)
          now = popped[0]
          waiting = waiting.filter((event) => event !== expected)
        }
        assert.strictEqual(queue.size, waiting.length)
      }
      assert.deepStrictEqual(
        Array.from(queue.inOrder(), (slot) => queue.count[slot]!),
        waiting.toSorted(compare).map((event) => event[3])
      )
    }
  })
})

/** Deadlines leave out what the program did not run for, and go by a test's own clock where there is one. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { TestClock } from "effect/testing"
import { deadline, withDeadline } from "../../src/time/deadline.ts"
import { runningTime, type Time } from "../../src/time/runningTime.ts"

/** Blocks this thread without computing, as being stopped does. */
const stop = (millis: number) => Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, millis)

describe("deadlines", () => {
  it("a pause just before gives a fresh period, then none", () => {
    const rings: Array<(paused: boolean) => void> = []
    const time: Time = { now: () => 0, after: (_, task) => (rings.push(task), () => {}) }
    let late = 0
    deadline(time, 100, () => late++)
    rings[0]!(true)
    rings[1]!(true)
    assert.strictEqual(late, 0)
    rings[2]!(false)
    assert.strictEqual(late, 1)
    assert.strictEqual(rings.length, 3)
  })

  it.live("what was done in time but for a pause is not late", () =>
    Effect.gen(function*() {
      const work = Effect.andThen(Effect.sync(() => stop(800)), Effect.as(Effect.sleep(100), "done"))
      assert.strictEqual(yield* withDeadline(400, () => Effect.succeed("late"))(work), "done")
      assert.strictEqual(yield* withDeadline(50, () => Effect.succeed("late"))(Effect.never), "late")
    }))

  it.effect("go by the clock of a test", () =>
    Effect.gen(function*() {
      const waiting = yield* Effect.forkChild(withDeadline(60_000, () => Effect.succeed("late"))(Effect.never), {
        startImmediately: true
      })
      yield* TestClock.adjust("60 seconds")
      assert.strictEqual(yield* Fiber.join(waiting), "late")
    }))

  it("computing is no pause", async () => {
    const began = runningTime.now()
    const usage = () => process.threadCpuUsage?.() ?? process.cpuUsage()
    await new Promise((resolve) => {
      runningTime.after(100, resolve)
      const end = usage().user + 300_000
      while (usage().user < end);
    })
    assert.isAtLeast(runningTime.now() - began, 250)
  })
})

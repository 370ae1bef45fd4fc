/** Nothing is lost under faults drawn from seeds; `test/soak/faults.ts` runs more of them. */
import { assert, describe, it } from "@effect/vitest"
import { Effect, Fiber } from "effect"
import { ActorSystem } from "../../../src/actors/ActorSystem.ts"
import * as Supervision from "../../../src/actors/Supervision.ts"
import { Tally } from "../fixtures/tally.ts"
import * as BrokenLink from "./brokenLink.ts"
import { plan, run } from "./harness.ts"

describe("schedules of faults", () => {
  const slices = { fiber: [0, 100], thread: [0, 4], process: [0, 3], runner: [0, 2] } as const
  for (const placement of ["fiber", "thread", "process", "runner"] as const) {
    const [from, to] = slices[placement]
    it.live(`${placement}, seeds ${from} to ${to - 1}`, () =>
      Effect.gen(function*() {
        let restarts = 0
        for (let seed = from; seed < to; seed++) restarts += (yield* run(plan(seed, placement))).restarts
        assert.isAbove(restarts, 0)
      }), 180_000)
  }

  it("a seed is a schedule", () => {
    assert.deepStrictEqual(plan(3, "process"), plan(3, "process"))
    assert.notDeepEqual(plan(3, "process").steps, plan(4, "process").steps)
  })
})

describe("a broken link", () => {
  const entry = new URL("../fixtures/tally.host.ts", import.meta.url)
  for (const fault of BrokenLink.LinkFault.literals) {
    it.live(`${fault}: found, and nothing counts twice or never`, () => {
      const link = BrokenLink.make()
      return Effect.gen(function*() {
        const tally = yield* ActorSystem.spawn(Tally, { config: { start: 0 }, supervision: Supervision.oneForOne() })
        assert.strictEqual(yield* tally.Add({ n: 1 }), 1)
        link.next = fault
        // Nothing else is asked meanwhile: what was lost must be missed by itself.
        const lonely = yield* Effect.forkChild(tally.Add({ n: 2 }), { startImmediately: true })
        assert.strictEqual(yield* Fiber.join(lonely), 3)
        assert.strictEqual(link.struck, 1)
        assert.strictEqual(yield* tally.Add({ n: 3 }), 6)
        assert.deepInclude(yield* tally.Read(), { total: 6, seen: 3 })
      }).pipe(
        Effect.scoped,
        Effect.provide(ActorSystem.layerThread({ entry, heartbeat: "900 millis", wrapLink: link.wrap }))
      )
    })
  }
})

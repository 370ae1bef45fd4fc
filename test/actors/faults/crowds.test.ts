/** A slice of `test/soak/crowds.ts`: many actors that talk over fibers, threads and processes, while these are killed. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { bank, ring } from "./crowds.ts"

const crowd = { threads: 1, processes: 1 }

describe("crowds", () => {
  it.live("a ring over fibers, a thread and a process: each token counts once", () =>
    Effect.gen(function*() {
      const { kills, wrong } = yield* ring({ ...crowd, actors: 120, tokens: 6, kills: 4, seed: 1 })
      assert.deepStrictEqual(wrong, [])
      assert.strictEqual(kills, 4)
    }), 60_000)

  it.live("a bank over fibers, a thread and a process: money is conserved", () =>
    Effect.gen(function*() {
      const { kills, wrong } = yield* bank({ ...crowd, purses: 50, clerks: 6, transfers: 400, kills: 4, seed: 2 })
      assert.deepStrictEqual(wrong, [])
      assert.strictEqual(kills, 4)
    }), 60_000)
})

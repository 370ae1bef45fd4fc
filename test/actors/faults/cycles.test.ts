/** A slice of `test/soak/cycles.ts`: lives of actors leave no handle and no listener. */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { cycles, excess } from "./cycles.ts"

describe("spawning and stopping over and over leaves nothing behind", () => {
  const slices = { fiber: 300, thread: 40, process: 20 } as const
  for (const placement of ["fiber", "thread", "process"] as const) {
    it.live(`${placement}, ${slices[placement]} times`, () =>
      Effect.gen(function*() {
        const { after, before } = yield* cycles(placement, slices[placement])
        assert.deepStrictEqual(excess(before, after), [])
      }), 120_000)
  }
})

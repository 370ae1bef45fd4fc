/** A slice of the training runs under faults that `test/soak/faults.ts` runs by the hundred. */
import { describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { plan, run } from "./harness.ts"

describe("training under faults drawn from a seed: same weights, no step lost", () => {
  const slices = { fiber: 3, thread: 2, process: 1 } as const
  for (const placement of ["fiber", "thread", "process"] as const) {
    it.live(`${placement}, ${slices[placement]} seed(s)`, () =>
      Effect.forEach(
        Array.from({ length: slices[placement] }, (_, seed) => seed),
        (seed) => run(plan(seed, placement)),
        { discard: true }
      ), 180_000)
  }
})

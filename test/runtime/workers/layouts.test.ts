/** Who steps which environments: in step each thread has one worker, whatever is tried. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { fileURLToPath } from "node:url"
import * as configSources from "../../../src/runtime/config/configSources.ts"
import { everySeat, isHere, layoutsOf } from "../../../src/runtime/workers/layouts.ts"
import { smallestPlane } from "./smallestPlane.ts"

const ownEnvironment = fileURLToPath(new URL("../fixtures/shifted.ts", import.meta.url))

const cases: Readonly<Record<string, configSources.PartialConfig>> = {
  "an environment that comes with Troupe": {},
  "one that does not": { envId: ownEnvironment },
  "no worker in this thread": { localWorker: false }
}

describe("layouts", () => {
  for (const [name, given] of Object.entries(cases)) {
    it.effect(`in step, of ${name}: a worker a thread, with all that it is given in any of them`, () =>
      Effect.gen(function*() {
        const config = yield* configSources.resolve({
          given: { nEnvs: 5, workers: 2, placement: "auto", ...given }
        })
        const layouts = layoutsOf(config, { ...smallestPlane, slots: 5, workers: 2 })
        assert.isAbove(layouts.length, 1)
        for (const { seats } of layouts) {
          assert.strictEqual(seats.reduce((sum, { count }) => sum + count, 0), 5)
        }
        const seats = everySeat(layouts)
        const threads = seats.map((seat) => isHere(seat) ? "here" : seat.host)
        assert.strictEqual(new Set(threads).size, seats.length)
        for (const { seats: members } of layouts) {
          for (const { count, first, name } of members) {
            const seat = seats.find((seat) => seat.name === name)!
            assert.isAtMost(seat.first, first)
            assert.isAtLeast(seat.first + seat.count, first + count)
          }
        }
      }).pipe(Effect.provide(NodeServices.layer)))
  }
})

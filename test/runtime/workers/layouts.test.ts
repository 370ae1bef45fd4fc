/** Who steps which environments: in step each thread has one worker, whatever is tried; and what is tried changes no number. */
import { NodeServices } from "@effect/platform-node"
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { fileURLToPath } from "node:url"
import * as configSources from "../../../src/runtime/config/configSources.ts"
import { everySeat, isHere, layoutsOf } from "../../../src/runtime/workers/layouts.ts"
import { train } from "../running.ts"
import { smallestPlane } from "./smallestPlane.ts"

const fixture = (name: string) => fileURLToPath(new URL(`../fixtures/${name}`, import.meta.url))
const ownEnvironment = fixture("shifted.ts")

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

  const settings: Readonly<Record<string, configSources.PartialConfig>> = {
    "what is normalized": { normalizeObservations: true, normalizeRewards: true },
    "a policy that remembers": { network: "gru", hidden: [8] },
    "action masks, and an environment of one's own": { envId: fixture("masked.ts"), hidden: [8], actionMasks: true },
    "blocks that two workers share": { nEnvs: 150, hidden: [8], totalTimesteps: 300_000 }
  }
  for (const [name, given] of Object.entries(settings)) {
    it.live(`tried by turns, they give the same weights: ${name}`, () =>
      Effect.gen(function*() {
        const short: configSources.PartialConfig = { nEnvs: 5, nSteps: 5, seed: 2, totalTimesteps: 30_000, ...given }
        const { events, hash } = yield* train({ ...short, placement: "auto", workers: 2 })
        assert.isTrue(events.some(({ event }) => event === "placement"))
        assert.strictEqual(hash, (yield* train(short)).hash)
      }), 60_000)
  }
})

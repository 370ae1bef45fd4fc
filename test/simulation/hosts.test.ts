/** One result on any number of hosts, as fibers and in threads, with hosts killed amid their work. */
import { assert, describe, it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import Phold from "../../examples/simulations/phold.ts"
import Schelling from "../../examples/simulations/schelling-synchronous.ts"
import { Simulation } from "../../src/simulation/index.ts"
import Crowd from "./fixtures/crowd.ts"
import Epidemic from "./fixtures/epidemic.ts"
import Faulty from "./fixtures/faulty.ts"
import Network from "./fixtures/network.ts"
import Town from "./fixtures/town.ts"

/** Without what tells of the layout. */
const comparable = ({ hosts: _, restarts: __, unsplit: ___, ...result }: Simulation.HostsResult) => result

const town = { seed: 4, until: 20 }
const phold = { seed: 1, until: 12, config: { processes: 200 } }
const alone = { town: Simulation.runSync(Town, town), phold: Simulation.runSync(Phold, phold) }

/** Threads begin from the sources here, which takes seconds on a busy machine. */
const slowly = 120_000

describe("hosts", () => {
  for (const hosts of [1, 2, 3, 4]) {
    it.effect(`give as fibers the result of a world by itself: ${hosts}`, () =>
      Effect.gen(function*() {
        const placement = "fiber"
        assert.deepStrictEqual(comparable(yield* Simulation.run(Town, { ...town, hosts, placement })), alone.town)
        assert.deepStrictEqual(comparable(yield* Simulation.run(Phold, { ...phold, hosts, placement })), alone.phold)
      }))
  }

  it.effect("give the same for a network of queues, an epidemic, and a lattice with synchronous activation", () =>
    Effect.gen(function*() {
      const small = { width: 16, height: 15, people: 170 }
      const models = [
        [Network, "reneged", {}],
        [Epidemic, "infected", {}],
        [Schelling, "steps", small]
      ] as const
      for (const [model, counted, config] of models) {
        const alone = Simulation.runSync<unknown>(model, { seed: 6, config })
        assert.isAbove(alone.counts[counted]!, 5)
        for (const hosts of [2, 3, 4]) {
          const result = yield* Simulation.run<unknown>(model, { seed: 6, config, hosts, placement: "fiber" })
          assert.deepStrictEqual(comparable(result), alone)
        }
      }
    }))

  it.effect("watch numbers over time, each where its share is", () =>
    Effect.gen(function*() {
      const { monitors } = yield* Simulation.run(Epidemic, { seed: 1, hosts: 3, placement: "fiber", until: 20 })
      const names = Array.from({ length: 8 }, (_, share) => `sick ${share}`)
      assert.deepStrictEqual(Object.keys(monitors), names)
      for (const name of names) {
        assert.isAbove(monitors[name]!.max, 0)
        assert.strictEqual(monitors[name]!.time, 20)
      }
    }))

  it.live("give the same when they are killed amid their work", () =>
    Effect.gen(function*() {
      const result = yield* Simulation.run(Town, { ...town, until: 40, hosts: 3, placement: "fiber", chaos: 5 })
      assert.isAbove(result.restarts, 0)
      assert.deepStrictEqual(comparable(result), Simulation.runSync(Town, { ...town, until: 40 }))
    }), slowly)

  it.live("give the same in threads, two of a town, four of PHOLD with kills", () =>
    Effect.gen(function*() {
      const placement = "thread"
      assert.deepStrictEqual(comparable(yield* Simulation.run(Town, { ...town, hosts: 2, placement })), alone.town)
      const killed = yield* Simulation.run(Phold, { ...phold, hosts: 4, placement, chaos: 2 })
      assert.deepStrictEqual(comparable(killed), alone.phold)
    }), slowly)

  it.effect("keep checkpoints, from which any other layout goes on, and forks", () =>
    Effect.gen(function*() {
      const kept: Array<readonly [number, Uint8Array]> = []
      const result = yield* Simulation.run(Town, {
        ...town,
        hosts: 2,
        placement: "fiber",
        checkpointEvery: 6,
        onCheckpoint: (bytes, now) => Effect.sync(() => void kept.push([now, bytes]))
      })
      assert.deepStrictEqual(comparable(result), alone.town)
      assert.deepStrictEqual(kept.map(([now]) => now), [6, 12, 18, 20])
      for (const [hosts, [, checkpoint]] of [[1, kept[0]!], [3, kept[1]!], [4, kept[2]!], [2, kept[3]!]] as const) {
        const again = yield* Simulation.run(Town, { until: 20, hosts, placement: "fiber", checkpoint })
        assert.deepStrictEqual(comparable(again), alone.town)
      }
      const checkpoint = kept[1]![1]
      const fork = yield* Simulation.run(Town, { until: 20, hosts: 2, placement: "fiber", checkpoint, seed: 5 })
      const forked = Simulation.restore(Town, checkpoint, { seed: 5 })
      forked.run(20)
      assert.deepStrictEqual(comparable(fork), forked.result)
      assert.notStrictEqual(fork.stateSha256, alone.town.stateSha256)
    }))

  it.effect("end when nothing is left, at the time of the last event, whatever is kept meanwhile", () =>
    Effect.gen(function*() {
      const model = Simulation.make("Short", { lookahead: 1, shares: 2 }, (sim) => {
        const Agent = Simulation.agent("Agent", {
          state: Schema.Struct({}),
          on: { Go: (_, __, sim) => sim.count("gone") }
        })
        for (const time of [2.5, 3]) sim.send(sim.spawn(Agent, {}), "Go", undefined, { after: time })
      })
      const alone = Simulation.runSync(model)
      assert.strictEqual(alone.now, 3)
      const kept: Array<number> = []
      const onCheckpoint = (_: Uint8Array, now: number) => Effect.sync(() => void kept.push(now))
      const result = yield* Simulation.run(model, { hosts: 2, placement: "fiber", checkpointEvery: 2, onCheckpoint })
      assert.deepStrictEqual(comparable(result), alone)
      assert.deepStrictEqual(kept, [2, 3])
    }))

  it.effect("are one where a model cannot be split, and say why", () =>
    Effect.gen(function*() {
      const model = Simulation.make("Whole", {}, (sim) => void sim.after(1, () => sim.count("one")))
      const { hosts, stateSha256, unsplit } = yield* Simulation.run(model, { hosts: 4, placement: "fiber", until: 3 })
      assert.strictEqual(hosts, 1)
      assert.match(unsplit!, /no lookahead/)
      assert.strictEqual(stateSha256, Simulation.runSync(model, { until: 3 }).stateSha256)
    }))

  it.effect("tell faults of a model in one sentence", () =>
    Effect.gen(function*() {
      const faultOf = (options: Simulation.HostsOptions<{ readonly what: "loop" | "reject" | "throw" }>) =>
        Effect.flip(Simulation.run(Faulty, { placement: "fiber", until: 9, ...options }))
      const thrown = yield* faultOf({ config: { what: "throw" }, hosts: 2 })
      assert.strictEqual(thrown.message, "Agent 3/0, at time 2, failed in its handler of Go: no bread")
      const rejected = yield* faultOf({ config: { what: "reject" }, hosts: 2 })
      assert.strictEqual(rejected._tag, "RejectionUnhandled")
      assert.match(
        rejected.message,
        /^Faulty, shortly before time [29], left a rejected promise unhandled \(no butter\): /
      )
      for (const options of [{ hosts: 0 }, { hosts: 17 }, { until: 0 }, { chaos: -1 }, { checkpointEvery: 0 }]) {
        assert.strictEqual((yield* faultOf({ config: { what: "throw" }, ...options }))._tag, "InvalidModel")
      }
      const nowhere = Simulation.make("Nowhere", { lookahead: 1 }, () => {})
      const missing = yield* Effect.flip(Simulation.run(nowhere, { hosts: 2, until: 1 }))
      assert.match(missing.message, /give it `module: import\.meta\.url`/)
    }))

  it.live("are interrupted amid their work, as fibers too", () =>
    Effect.gen(function*() {
      const endless = Simulation.make("Endless", {}, (sim) => void sim.every(1, () => sim.count("ticks")))
      const run = Simulation.run(endless, { placement: "fiber" })
      assert.isTrue(Option.isNone(yield* Effect.timeoutOption(run, "100 millis")))
    }))

  it.live("find, in threads, who computes without end and who leaves a rejection", () =>
    Effect.gen(function*() {
      const faultOf = (what: "loop" | "reject") =>
        Effect.flip(Simulation.run(Faulty, { hosts: 2, until: 9, config: { what }, heartbeat: "2 seconds" }))
      const [stuck, rejected] = yield* Effect.all([faultOf("loop"), faultOf("reject")])
      assert.match(stuck.message, /^agent 3\/0, at time 2, has computed for 2 s without an end/)
      assert.match(rejected.message, /left a rejected promise unhandled \(no butter\)/)
    }), slowly)
})

describe("windows", () => {
  it.effect("take any number of messages, of any size", () =>
    Effect.gen(function*() {
      const result = yield* Simulation.run(Crowd, { hosts: 2, placement: "fiber", until: 3 })
      assert.strictEqual(result.events, 40_043)
      assert.deepStrictEqual(comparable(result), Simulation.runSync(Crowd, { until: 3 }))
    }))
})

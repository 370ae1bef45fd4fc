/** Rewound to any moment and run on, a world comes to the same end; damaged checkpoints are refused in one sentence. */
import { assert, describe, it } from "@effect/vitest"
import * as Schema from "effect/Schema"
import { Pcg64 } from "../../src/random/index.ts"
import { Simulation } from "../../src/simulation/index.ts"
import Town from "./fixtures/town.ts"

/** As many points as CI has time for; a soak takes more. */
const points = Number(process.env["REWIND_POINTS"] ?? 100)

describe("checkpoints", () => {
  it("are gone on from at any moment with the same end", () => {
    const random = Pcg64.fromSeed(5)
    for (let seed = 0; seed < points / 10; seed++) {
      const straight = Simulation.open(Town, { seed })
      const kept: Array<Uint8Array> = []
      for (const time of Array.from({ length: 10 }, () => random.uniform(0, 20)).toSorted((a, b) => a - b)) {
        // In the middle of what happens at one time, too.
        if (random.random() < 0.5) straight.run(Math.max(time, straight.now))
        else while (straight.now < time) straight.step(random.integers(1, 9))
        kept.push(straight.checkpoint())
      }
      straight.run(25)
      const { counts, events, tallies } = straight.result
      assert.isAbove(events, 200)
      assert.isAbove(counts["interrupted: now"]!, 0)
      assert.isAbove(counts["interrupted: the agent that it asked has died"]!, 0)
      assert.isAbove(tallies["rung"]!.n, 0)
      for (const bytes of kept) {
        const again = Simulation.restore(Town, bytes)
        again.run(25)
        assert.deepStrictEqual(again.result, straight.result)
      }
    }
  })

  it("are the same bytes when taken again", () => {
    const world = Simulation.open(Town, { seed: 2 })
    world.run(7)
    const bytes = world.checkpoint()
    assert.deepStrictEqual(Simulation.restore(Town, bytes).checkpoint(), bytes)
  })

  it("are forked: another seed or configuration from there on, which can be kept in turn", () => {
    const world = Simulation.open(Town, { seed: 2 })
    world.run(12)
    const bytes = world.checkpoint()
    const ends = new Set<string>()
    for (const fork of [{}, { seed: 3 }, { seed: 4 }, { config: { rate: 3 } }, { seed: 3, config: { rate: 3 } }]) {
      const forked = Simulation.restore(Town, bytes, fork)
      forked.run(15)
      const kept = forked.checkpoint()
      forked.run(30)
      const again = Simulation.restore(Town, kept)
      again.run(30)
      assert.deepStrictEqual(again.result, forked.result)
      // And forked once more.
      const twice = Simulation.restore(Town, kept, { seed: 9 })
      twice.run(20)
      const third = Simulation.restore(Town, twice.checkpoint())
      for (const world of [twice, third]) world.run(30)
      assert.deepStrictEqual(third.result, twice.result)
      ends.add(forked.stateSha256)
    }
    assert.strictEqual(ends.size, 5)
  })

  it("tell the first event that differs", () => {
    const at = (options: { readonly seed: number; readonly config?: { readonly rate: number } }, time: number) => {
      const world = Simulation.open(Town, options)
      world.run(time)
      return world
    }
    const world = at({ seed: 2 }, 8)
    const bytes = world.checkpoint()
    world.run(12)
    assert.isUndefined(Simulation.diff(Town, bytes, world.checkpoint()))
    // What draws nothing is the same for any seed.
    assert.isBelow(Simulation.diff(Town, bytes, at({ seed: 3 }, 9).checkpoint())!.common, 5)
    // A fork is like its origin up to where it parts, and its history knows that.
    const fork = Simulation.restore(Town, bytes, { seed: 7 })
    fork.run(14)
    const { common, first, second } = Simulation.diff(Town, world.checkpoint(), fork.checkpoint())!
    assert.isAbove(common, at({ seed: 2 }, 8).result.events - 1)
    assert.isAtLeast(Math.min(first!.time, second!.time), 8)
    const twice = Simulation.restore(Town, fork.checkpoint())
    twice.run(15)
    assert.isUndefined(Simulation.diff(Town, twice.checkpoint(), fork.checkpoint()))
  })

  it("are refused in one sentence where they are damaged, whatever was changed", () => {
    const world = Simulation.open(Town, { seed: 1 })
    world.run(3)
    const bytes = world.checkpoint()
    const random = Pcg64.fromSeed(1)
    for (let i = 0; i < 200; i++) {
      const damaged = bytes.slice(0, i % 3 === 0 ? random.integers(0, bytes.length) : bytes.length)
      if (damaged.length === bytes.length) damaged[random.integers(0, bytes.length)]! ^= 1 + random.integers(0, 255)
      assert.throws(() => Simulation.restore(Town, damaged), /^checkpoint: (?:is no checkpoint|is damaged)/)
    }
  })

  it("are refused by another model, and by one that has changed", () => {
    const model = (name: string, more: boolean) =>
      Simulation.make(name, {}, (sim) => {
        const Agent = Simulation.agent("Agent", { state: Schema.Struct({}), on: { Go: () => {} } })
        sim.send(sim.spawn(Agent, {}), "Go", undefined, { after: 1 })
        if (more) sim.every(1, () => {})
      })
    const bytes = Simulation.open(model("Small", false)).checkpoint()
    assert.throws(() => Simulation.restore(model("Other", false), bytes), /^Other: .*of another model, Small$/)
    assert.throws(() => Simulation.restore(model("Small", true), bytes), /^Small: the model has changed/)
  })

  it("are refused where a process reads a variable that changes", () => {
    let shared = 0
    const model = Simulation.make("Leaky", {}, (sim) => {
      const leaky = sim.process(function* leaky() {
        for (;;) {
          yield* sim.timeout(1)
          if (shared++ % 2 === 0) sim.random.random()
        }
      })
      leaky()
    })
    const world = Simulation.open(model)
    world.run(5.5)
    shared = 1
    assert.throws(() => Simulation.restore(model, world.checkpoint()), /leaky 1 cannot be restored.*random numbers/)
  })

  it("say that a state no longer fits its schema", () => {
    const model = Simulation.make("Spoilt", {}, (sim) => {
      const Agent = Simulation.agent("Agent", {
        state: Schema.Struct({ n: Schema.Int }),
        on: { Go: (self) => void (self.n = 0.5) }
      })
      sim.send(sim.spawn(Agent, { n: 1 }), "Go")
    })
    const world = Simulation.open(model)
    world.run(1)
    assert.throws(() => world.checkpoint(), /^Spoilt: the state of Agent 1 does not fit: /)
  })
})

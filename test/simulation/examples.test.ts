/** The examples do what is known of such models: by formulas, by differential equations, and by SimPy and Mesa. */
import { assert, describe, it } from "@effect/vitest"
import { readFileSync } from "node:fs"
import Bank from "../../examples/simulations/bank.ts"
import Flock from "../../examples/simulations/flock.ts"
import Mmc from "../../examples/simulations/mmc.ts"
import Schelling from "../../examples/simulations/schelling.ts"
import Sir, { equation } from "../../examples/simulations/sir.ts"
import WolfSheep from "../../examples/simulations/wolf-sheep.ts"
import { estimate } from "../../src/runtime/simulations/estimates.ts"
import { Simulation } from "../../src/simulation/index.ts"

/** The mean wait of M/M/c by Erlang's formula C, in the unit of the rates. */
const erlangWait = (arrivals: number, services: number, clerks: number): number => {
  const load = arrivals / services
  let term = 1
  let sum = 0
  for (let k = 0; k < clerks; k++) {
    sum += term
    term *= load / (k + 1)
  }
  const waiting = term / (1 - load / clerks)
  return waiting / (sum + waiting) / (clerks * services - arrivals)
}

const collected = (world: Simulation.World, name: string): number =>
  world.engine.look(() => world.engine.collectors.get(name)!())

const seeds = (count: number) => Array.from({ length: count }, (_, seed) => seed)

describe("examples of simulations", () => {
  it("bank: as many leave as in SimPy's", () => {
    const { counts } = Simulation.runSync(Bank, { seed: 1, config: { customers: 20_000 } })
    // 50 859 of 100 000 there (bench/peers/simpy_bank.py); 0.01 is four deviations.
    assert.strictEqual(counts["served"]! + counts["reneged"]!, 20_000)
    assert.approximately(counts["reneged"]! / 20_000, 0.5086, 0.016)
  })

  it("mmc: customers wait as Erlang says, and intervals of replications contain that", () => {
    const expected = erlangWait(2.4, 1, 3)
    const long = Simulation.runSync(Mmc, { seed: 1, until: 1_000_000 })
    assert.approximately(expected, 1.0787, 1e-4)
    assert.isAbove(long.tallies["wait"]!.n, 2_300_000)
    assert.approximately(long.tallies["wait"]!.mean / expected, 1, 0.01)
    let contained = 0
    for (let trial = 0; trial < 100; trial++) {
      const waits = seeds(8).map((i) =>
        Simulation.runSync(Mmc, { seed: 1000 + trial * 8 + i, until: 1500 }).tallies["wait"]!.mean
      )
      const { high, low } = estimate(waits)
      if (low <= expected && expected <= high) contained++
    }
    assert.isAtLeast(contained, 88)
    assert.isBelow(contained, 100)
  })

  it("sir: follows the differential equation", () => {
    const people = 20_000
    const world = Simulation.open(Sir, { seed: 3, config: { people, infected: 400 } })
    const points = equation(0.5, 0.1, 0.02, 80)
    let farthest = 0
    for (let time = 5; time <= 80; time += 5) {
      world.run(time)
      const { infected, susceptible } = points[Math.round(time * 100)]!
      farthest = Math.max(
        farthest,
        Math.abs(collected(world, "infected") / people - infected),
        Math.abs(collected(world, "susceptible") / people - susceptible)
      )
      assert.strictEqual(
        collected(world, "infected") + collected(world, "susceptible") + collected(world, "recovered"),
        people
      )
    }
    assert.isBelow(farthest, 0.02)
  })

  it("schelling: all are content after as many steps as in Mesa's, and live apart", () => {
    const steps = seeds(20).map((seed) => Simulation.runSync(Schelling, { seed }).counts["steps"]!)
    // 18 to 19 with Mesa 3.3 for the same people and city.
    const { high, low } = estimate(steps)
    assert.isTrue(low < 19 && high > 18, `${low} to ${high}`)
  })

  it("wolf-sheep: populations are as large as Mesa's", () => {
    const sheep: Array<number> = []
    const wolves: Array<number> = []
    for (const seed of seeds(24)) {
      const world = Simulation.open(WolfSheep, { seed })
      let [s, w] = [0, 0]
      for (let day = 0; day <= 200; day++) {
        world.run(day + 0.5)
        s += collected(world, "sheep") / 201
        w += collected(world, "wolves") / 201
      }
      sheep.push(s)
      wolves.push(w)
    }
    // Means of 100 runs of Mesa 3.3.1 (bench/peers/mesa_wolf_sheep_means.py), and the half width of their intervals.
    for (const [ours, mean, half] of [[sheep, 3.446, 0.83], [wolves, 15.594, 0.124]] as const) {
      const { high, low } = estimate(ours)
      assert.isTrue(low < mean + half && high > mean - half, `${low} to ${high}, ${mean} there`)
    }
  })

  it("flock: birds come to fly one way", () => {
    const world = Simulation.open(Flock, { seed: 2 })
    const first = collected(world, "order")
    world.run(150)
    assert.isBelow(first, 0.3)
    assert.isAbove(collected(world, "order"), 0.8)
  })

  it("bank and wolf-sheep are short", () => {
    const lines = (name: string) =>
      readFileSync(new URL(`../../examples/simulations/${name}`, import.meta.url), "utf8").trim().split("\n").length
    assert.isAtMost(lines("bank.ts"), 30)
    assert.isAtMost(lines("wolf-sheep.ts"), 75)
  })
})

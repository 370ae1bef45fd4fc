/** M/M/c against what is known of it: Erlang C. */
import { assert, describe, it } from "@effect/vitest"
import Mmc from "../../examples/simulations/mmc.ts"
import { Simulation } from "../../src/simulation/index.ts"

/** The mean time in line of M/M/c. */
const erlangC = (arrivals: number, services: number, clerks: number): number => {
  const load = arrivals / services
  let [sum, term] = [0, 1]
  for (let k = 0; k < clerks; k++) {
    sum += term
    term *= load / (k + 1)
  }
  const waits = term / (1 - load / clerks)
  return waits / (sum + waits) / (clerks * services - arrivals)
}

const known = erlangC(2.4, 1, 3)

/** Of Student's t with nine degrees of freedom, for 95 %. */
const student = 2.262

describe("M/M/c", () => {
  it("waits as Erlang C says, within 1 %", () => {
    const { mean, n } = Simulation.runSync(Mmc, { seed: 3, until: 400_000 }).tallies["wait"]!
    assert.isAbove(n, 900_000)
    assert.approximately(mean / known, 1, 0.01)
  })

  it("has intervals of ten replications that hold it as often as they say", () => {
    let holding = 0
    const intervals = 100
    for (let i = 0; i < intervals; i++) {
      const means = Array.from(
        { length: 10 },
        (_, k) => Simulation.runSync(Mmc, { seed: 1000 + 10 * i + k, until: 2000 }).tallies["wait"]!.mean
      )
      const mean = means.reduce((a, b) => a + b, 0) / means.length
      const variance = means.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (means.length - 1)
      if (Math.abs(mean - known) <= student * Math.sqrt(variance / means.length)) holding++
    }
    assert.isAtLeast(holding, 88)
    assert.isBelow(holding, 100)
  })
})

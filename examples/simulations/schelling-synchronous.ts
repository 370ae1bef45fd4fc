/**
 * Schelling's segregation with synchronous activation: each day all who are not content choose an empty cell by the city as it
 * was, and move at once. The city is a lattice over all shares, so it runs on any number of hosts.
 */
import * as Schema from "effect/Schema"
import { Simulation } from "troupe/simulation"

export default Simulation.make("SchellingSynchronous", {
  module: import.meta.url,
  config: Schema.Struct({ width: Schema.Int, height: Schema.Int, people: Schema.Int, wanted: Schema.Int }),
  defaults: { width: 40, height: 40, people: 1000, wanted: 3 },
  until: 200,
  lookahead: 1,
  shares: 8
}, (sim, { height, people, wanted, width }) => {
  const cells = width * height
  if (people >= cells) throw new RangeError(`${people} people have no empty cell in a city of ${cells}`)
  const City = Simulation.lattice("City", {
    width,
    height,
    layers: { group: "uint8" },
    while: ({ moved }) => moved > 0,
    step: (city, sim) => {
      const { group } = city
      for (let cell = city.first; cell < city.end; cell++) {
        if (group[cell] === 0) continue
        let alike = 0
        for (const other of city.neighborhood(cell)) if (group[other] === group[cell]) alike++
        if (alike >= wanted) continue
        let to = sim.random.integers(0, cells)
        while (group[to] !== 0) to = sim.random.integers(0, cells)
        city.move(cell, to)
      }
      if (city.first === 0) sim.count("steps")
    }
  })
  const city = sim.spread(City, ({ group }) => {
    for (let person = 0; person < people;) {
      const cell = sim.random.integers(0, cells)
      if (group[cell] === 0) group[cell] = person++ < people / 2 ? 1 : 2
    }
  })
  sim.collect("moved", () => sim.state(City, city[0]!).moved)
})

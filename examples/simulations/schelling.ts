/**
 * Schelling's segregation (1971): people of two groups on a grid who move to an empty cell until enough of their neighbors are
 * of their own group. Nobody wants to be apart, and all come to be.
 */
import * as Schema from "effect/Schema"
import { Simulation } from "troupe/simulation"

export default Simulation.make("Schelling", {
  module: import.meta.url,
  config: Schema.Struct({ width: Schema.Int, height: Schema.Int, people: Schema.Int, wanted: Schema.Int }),
  defaults: { width: 40, height: 40, people: 1000, wanted: 3 },
  until: 100
}, (sim, { height, people, wanted, width }) => {
  const Person = Simulation.agent("Person", {
    state: Schema.Struct({ group: Schema.Int, happy: Schema.Boolean }),
    on: {
      Step: (self, _, sim) => {
        if (self.happy) return
        let alike = 0
        for (const other of city.neighbors(city.cellOf(sim.self)!)) {
          if (sim.state(Person2, other).group === self.group) alike++
        }
        self.happy = alike >= wanted
        if (self.happy) return
        moves.add(1)
        city.place(sim.self, city.randomEmpty())
      }
    }
  })
  const Person2: Simulation.Agent<{ group: number; happy: boolean }, unknown> = Person
  const city = sim.grid("city", { width, height, capacity: 1, groupOf: (agent) => sim.state(Person, agent).group })
  /** Who has moved in this step. */
  const moves = sim.monitor("moves")
  for (let i = 0; i < people; i++) {
    city.place(sim.spawn(Person, { group: i < people / 2 ? 1 : 2, happy: false }), city.randomEmpty())
  }
  sim.schedule("Day", {
    activate: [Person],
    while: () => {
      sim.count("steps")
      sim.record("moved", moves.value)
      const goesOn = moves.value > 0
      moves.set(0)
      return goesOn
    }
  })
  sim.collect("happy", () => sim.agents(Person).filter((person) => sim.state(Person, person).happy).length)
})

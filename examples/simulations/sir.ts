/**
 * An epidemic of the susceptible, the infected and the recovered in a town where everybody meets everybody: with many people it
 * follows the differential equation of Kermack and McKendrick, S' = -b S I / n, I' = b S I / n - g I.
 */
import * as Schema from "effect/Schema"
import { Simulation } from "troupe/simulation"

/** The fractions of the equation at times 0, step, 2 step, ..., by Runge and Kutta's method. */
export const equation = (contacts: number, recovery: number, infected: number, until: number, step = 0.01) => {
  let [s, i] = [1 - infected, infected]
  const rates = (s: number, i: number) => [-contacts * s * i, contacts * s * i - recovery * i] as const
  const points = [{ time: 0, susceptible: s, infected: i }]
  for (let k = 1; k * step <= until; k++) {
    const [s1, i1] = rates(s, i)
    const [s2, i2] = rates(s + step / 2 * s1, i + step / 2 * i1)
    const [s3, i3] = rates(s + step / 2 * s2, i + step / 2 * i2)
    const [s4, i4] = rates(s + step * s3, i + step * i3)
    s += step / 6 * (s1 + 2 * s2 + 2 * s3 + s4)
    i += step / 6 * (i1 + 2 * i2 + 2 * i3 + i4)
    points.push({ time: k * step, susceptible: s, infected: i })
  }
  return points
}

export default Simulation.make("SIR", {
  module: import.meta.url,
  config: Schema.Struct({
    people: Schema.Int,
    infected: Schema.Int,
    /** Contacts that a person has in a unit of time, and how many of the infected recover in it. */
    contacts: Schema.Finite,
    recovery: Schema.Finite
  }),
  defaults: { people: 2000, infected: 20, contacts: 0.5, recovery: 0.1 },
  until: 80
}, (sim, { contacts, infected, people, recovery }) => {
  const health = { susceptible: sim.monitor("susceptible", people), infected: sim.monitor("infected") }
  const recovered = sim.monitor("recovered")
  const Person = Simulation.agent("Person", {
    state: Schema.Struct({ health: Schema.Literals(["susceptible", "infected", "recovered"]) }),
    on: {
      Infect: (self, _, sim) => {
        if (self.health !== "susceptible") return
        self.health = "infected"
        health.susceptible.add(-1)
        health.infected.add(1)
        sim.after(sim.random.exponential(1 / recovery), "Recover")
        sim.after(sim.random.exponential(1 / contacts), "Meet")
      },
      Meet: (self, _, sim) => {
        if (self.health !== "infected") return
        sim.send(everybody[sim.random.integers(0, people)]!, "Infect")
        sim.after(sim.random.exponential(1 / contacts), "Meet")
      },
      Recover: (self) => {
        self.health = "recovered"
        health.infected.add(-1)
        recovered.add(1)
      }
    }
  })
  const everybody: ReadonlyArray<Simulation.AgentRef> = Array.from(
    { length: people },
    () => sim.spawn(Person, { health: "susceptible" })
  )
  for (const person of everybody.slice(0, infected)) sim.send(person, "Infect")
  sim.collect("susceptible", () => health.susceptible.value)
  sim.collect("infected", () => health.infected.value)
  sim.collect("recovered", () => recovered.value)
})

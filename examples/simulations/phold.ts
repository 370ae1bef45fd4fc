/**
 * PHOLD, the usual load of parallel simulators (Fujimoto 1990): processes pass jobs on, after a time, to others drawn at
 * random. Every message takes at least the lookahead, so they may live on any number of hosts, with one result.
 */
import * as Schema from "effect/Schema"
import { Simulation } from "troupe/simulation"

const lookahead = 1

export default Simulation.make("PHOLD", {
  module: import.meta.url,
  config: Schema.Struct({ processes: Schema.Int, jobs: Schema.Int }),
  defaults: { processes: 1024, jobs: 16 },
  until: 200,
  lookahead
}, (sim, { jobs, processes }) => {
  const Station = Simulation.agent("Station", {
    state: Schema.Struct({ jobs: Schema.Int }),
    on: {
      Job: (self, hops: number, sim) => {
        self.jobs++
        const to = sim.random.bernoulli(0.9) ? stations[sim.random.integers(0, processes)]! : sim.self
        sim.send(to, "Job", hops + 1, { after: lookahead + sim.random.exponential(1) })
      }
    }
  })
  const stations: ReadonlyArray<Simulation.AgentRef> = Array.from(
    { length: processes },
    () => sim.spawn(Station, { jobs: 0 })
  )
  const done = () => sim.agents(Station).map((station) => sim.state(Station, station).jobs)
  sim.collect("busiest", () => Math.max(...done()))
  sim.collect("idlest", () => Math.min(...done()))
  for (const station of stations) {
    for (let i = 0; i < jobs; i++) sim.send(station, "Job", 0, { after: lookahead + sim.random.exponential(1) })
  }
})

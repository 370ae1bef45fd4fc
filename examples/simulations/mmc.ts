/**
 * M/M/c: customers come at random, wait in one line for the first of `clerks` that is free, and are served for a random time.
 * Event style: a desk is an agent, and its customers are times in its state. How long they wait is known: Erlang C
 * (1.0787 on average with the defaults).
 */
import * as Schema from "effect/Schema"
import { Simulation } from "troupe/simulation"

export default Simulation.make("MMc", {
  config: Schema.Struct({ clerks: Schema.Int, arrivals: Schema.Finite, services: Schema.Finite }),
  defaults: { clerks: 3, arrivals: 2.4, services: 1 },
  until: 100_000
}, (sim, { arrivals, clerks, services }) => {
  const Desk = Simulation.agent("Desk", {
    state: Schema.Struct({ busy: Schema.Int, line: Schema.Array(Schema.Finite) }),
    on: {
      Arrive: (self, _, sim) => {
        sim.after(sim.random.exponential(1 / arrivals), "Arrive")
        if (self.busy === clerks) return void self.line.push(sim.now)
        self.busy++
        sim.record("wait", 0)
        sim.after(sim.random.exponential(1 / services), "Done")
      },
      Done: (self, _, sim) => {
        const came = self.line.shift()
        if (came === undefined) return void self.busy--
        sim.record("wait", sim.now - came)
        sim.after(sim.random.exponential(1 / services), "Done")
      }
    }
  })
  sim.send(sim.spawn(Desk, { busy: 0, line: [] }), "Arrive")
})

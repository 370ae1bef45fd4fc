/** SimPy's bank: customers come, queue for a clerk, and leave when their patience is over before they are served. */
import * as Schema from "effect/Schema"
import { Simulation } from "troupe/simulation"

export default Simulation.make("Bank", {
  module: import.meta.url,
  config: Schema.Struct({ customers: Schema.Int, clerks: Schema.Int }),
  defaults: { customers: 5, clerks: 1 }
}, (sim, { clerks, customers }) => {
  const counter = sim.resource("counter", clerks)
  const customer = sim.process(function* customer() {
    const came = sim.now
    const served = yield* counter.request({ within: sim.random.uniform(1, 3) })
    sim.record("wait", sim.now - came)
    sim.count(served ? "served" : "reneged")
    if (!served) return
    yield* sim.timeout(sim.random.exponential(12))
    counter.release()
  })
  sim.every(() => sim.random.exponential(10), () => void customer(), { start: 0, times: customers })
})

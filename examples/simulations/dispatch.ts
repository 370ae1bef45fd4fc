/**
 * A dispatcher: jobs come at random, and each is sent at once to one of several servers of different speeds, each with its own
 * line. Who joins the shortest queue forgets how fast it moves. The dispatcher decides by what it sees, the jobs at each server:
 * by one of two rules, or as it has learned.
 *
 * ```sh
 * npm start -- simulate examples/simulations/dispatch.ts --seed 1 --set dispatcher=learned
 * npm start -- --env-id examples/simulations/dispatch.ts:Dispatch-v0 --algo ppo --seed 1        # learns
 * ```
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { Policy, simulationEnvironment } from "troupe"
import { Box, Discrete } from "troupe/envs"
import { Simulation } from "troupe/simulation"

/** Jobs that a server does in a unit of time, the quickest first. */
const speeds = [4, 1, 0.25]

/** The dispatcher sees jobs in units of so many, as numbers that are good to learn from, and no more than this. */
const unit = 5
const most = 20

/** What ppo has made of 200 000 decisions. */
const policyFile = new URL("dispatch.safetensors", import.meta.url)
const learned = Effect.runSync(Policy.fromBytes(readFileSync(policyFile), policyFile.pathname))

const least = (numbers: ReadonlyArray<number>): number => numbers.indexOf(Math.min(...numbers))

/** By what is seen: the units of jobs at each server. Ties go to the quicker server. */
const rules = {
  "shortest queue": least,
  "shortest delay": (view: Simulation.View) => least(view.map((jobs, i) => (jobs * unit + 1) / speeds[i]!)),
  learned: (view: Simulation.View) => Number(learned.decideSync(view).action)
}

const Dispatch = Simulation.make("Dispatch", {
  module: import.meta.url,
  config: Schema.Struct({
    /** Jobs that come in a unit of time. */
    arrivals: Schema.Finite,
    dispatcher: Schema.Literals(["shortest queue", "shortest delay", "learned"])
  }),
  defaults: { arrivals: 3, dispatcher: "shortest queue" },
  until: 2000
}, (sim, { arrivals, dispatcher }) => {
  const route = sim.decision("route", rules[dispatcher])
  const Server = Simulation.agent("Server", {
    state: Schema.Struct({ index: Schema.Int, line: Schema.Array(Schema.Finite) }),
    on: {
      Job: (self, came: number, sim) => {
        if (self.line.push(came) === 1) sim.after(sim.random.exponential(1 / speeds[self.index]!), "Done")
      },
      Done: (self, _, sim) => {
        sim.record("stay", sim.now - self.line.shift()!)
        sim.send(hall, "Left", self.index)
        if (self.line.length > 0) sim.after(sim.random.exponential(1 / speeds[self.index]!), "Done")
      }
    }
  })
  const Dispatcher = Simulation.agent("Dispatcher", {
    state: Schema.Struct({ jobs: Schema.Array(Schema.Int), since: Schema.Finite }),
    on: {
      Arrive: (self, _, sim) => {
        sim.after(sim.random.exponential(1 / arrivals), "Arrive")
        wait(self, sim.now)
        const view = self.jobs.map((jobs) => Math.min(jobs, most) / unit)
        route.take(view, (server) => {
          self.jobs[server]!++
          sim.send(servers[server]!, "Job", sim.now)
        })
      },
      Left: (self, server: number, sim) => {
        wait(self, sim.now)
        self.jobs[server]!--
      }
    }
  })
  /** Each job costs the time that it stays. */
  const wait = (self: { jobs: Array<number>; since: number }, now: number) => {
    route.reward(-0.1 * (now - self.since) * self.jobs.reduce((sum, jobs) => sum + jobs, 0))
    self.since = now
  }
  const servers: ReadonlyArray<Simulation.AgentRef> = speeds.map((_, index) => sim.spawn(Server, { index, line: [] }))
  const hall: Simulation.AgentRef = sim.spawn(Dispatcher, { jobs: speeds.map(() => 0), since: 0 })
  sim.send(hall, "Arrive")
  const waiting = () => sim.agents(Dispatcher).flatMap((dispatcher) => sim.state(Dispatcher, dispatcher).jobs)
  sim.collect("jobs", () => waiting().reduce((sum, jobs) => sum + jobs, 0))
})

export default Dispatch

/** The dispatcher's view and its choice, as an environment. */
export const DispatchV0 = simulationEnvironment(Dispatch, {
  id: "Dispatch-v0",
  module: import.meta.url,
  decision: "route",
  observationSpace: new Box({ low: 0, high: most / unit, shape: [speeds.length] }),
  actionSpace: new Discrete(speeds.length),
  maxEpisodeSteps: 200
})

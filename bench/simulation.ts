/**
 * Simulations: `node bench/simulation.ts`. PHOLD beside a bare loop over the same queue and streams, on one thread and on two;
 * M/M/3 with handlers and with processes; Schelling; a sweep of a million rows. What SimPy and Mesa do of the same is in
 * `bench/peers/`.
 */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import { isMainThread, parentPort, Worker, workerData } from "node:worker_threads"
import Mmc from "../examples/simulations/mmc.ts"
import Phold from "../examples/simulations/phold.ts"
import { ensureBuilt } from "../scripts/build.ts"
import { EventQueue } from "../src/simulation/EventQueue.ts"
import { Simulation } from "../src/simulation/index.ts"
import { RandomStreams } from "../src/simulation/RandomStreams.ts"
import { type Figure, figure, isQuick, print, say } from "./report.ts"

const table = "Simulations"
const times = isQuick ? 1 : 5
const figures: Array<Figure> = []

/** What PHOLD does, with nothing around it: the queue and the streams alone. Answers how many events. */
export const bare = (until: number): number => {
  const [processes, jobs, lookahead] = [1024, 16, 1]
  const numbers = Float64Array.from({ length: processes }, (_, i) => i)
  const random = new RandomStreams(1, numbers, (problem) => {
    throw new Error(problem)
  })
  const queue = new EventQueue()
  const counts = new Float64Array(processes)
  const done = new Int32Array(processes)
  for (let i = 0; i < processes; i++) {
    random.at = i
    for (let k = 0; k < jobs; k++) queue.push(lookahead + random.exponential(1), 0, i, counts[i]!++, i, i, 0, 0)
  }
  let handled = 0
  while (queue.next < until) {
    const slot = queue.pop()
    const at = queue.place[slot]!
    const time = queue.time[slot]!
    const hops = queue.payload[slot] as number
    queue.release(slot)
    handled++
    done[at]!++
    random.at = at
    const to = random.bernoulli(0.9) ? random.integers(0, processes) : at
    queue.push(time + lookahead + random.exponential(1), 0, at, counts[at]!++, to, to, 0, hops + 1)
  }
  return handled
}

/** Several ways of doing something by turns, after a turn that warms up: how often a second each. */
const byTurns = async (
  rows: Readonly<Record<string, () => number | Promise<number>>>
): Promise<Readonly<Record<string, ReadonlyArray<number>>>> => {
  const rates = Object.fromEntries(Object.keys(rows).map((row) => [row, [] as Array<number>]))
  for (let turn = 0; turn <= times; turn++) {
    for (const [row, work] of Object.entries(rows)) {
      const start = performance.now()
      const done = await work()
      if (turn > 0 || isQuick) rates[row]!.push(done / (performance.now() - start) * 1000)
    }
  }
  return rates
}

const until = isQuick ? 10 : 300

/** How often a second, the start of threads left out: by what a long run has more than a short one. */
const rateOf = async (run: (until: number) => Promise<number>): Promise<number> => {
  const timed = async (until: number) => {
    const start = performance.now()
    return { events: await run(until), millis: performance.now() - start }
  }
  const short = await timed(until / 10)
  const long = await timed(until)
  return (long.events - short.events) / (long.millis - short.millis) * 1000
}

/** Rates of several ways, by turns. */
const ratesByTurns = async (
  rows: Readonly<Record<string, (until: number) => Promise<number>>>
): Promise<Readonly<Record<string, ReadonlyArray<number>>>> => {
  const rates = Object.fromEntries(Object.keys(rows).map((row) => [row, [] as Array<number>]))
  for (let turn = 0; turn < times; turn++) {
    for (const [row, run] of Object.entries(rows)) rates[row]!.push(await rateOf(run))
  }
  return rates
}

/** The bare loop in a thread. */
const inThread = (until: number): Promise<number> =>
  new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: { until } })
    worker.on("message", resolve)
    worker.on("error", reject)
  })

const onHosts = (hosts: number) => (until: number) =>
  Effect.runPromise(
    Effect.map(Simulation.run(Phold, { seed: 1, until, hosts, placement: "thread" }), ({ events }) => events)
  )

/** M/M/3 with a process a customer. */
const Customers = Simulation.make("Customers", {}, (sim) => {
  const clerks = sim.resource("clerks", 3)
  const customer = sim.process(function* customer() {
    const came = sim.now
    yield* clerks.request()
    sim.record("wait", sim.now - came)
    yield* sim.timeout(sim.random.exponential(1))
    clerks.release()
  })
  sim.every(() => sim.random.exponential(1 / 2.4), () => void customer())
})

const Herd = Simulation.make("Sweep", { config: Schema.Struct({ rows: Schema.Int }) }, (sim, { rows }) => {
  const Walkers = Simulation.population("Walkers", {
    columns: { x: "int32", energy: "float64" },
    step: ({ count, energy, x }, sim) => {
      for (let i = 0; i < count; i++) {
        const drawn = sim.random.random()
        x[i]! += drawn < 0.5 ? -1 : 1
        energy[i] = energy[i]! * 0.99 + drawn
      }
    }
  })
  sim.populate(Walkers, rows)
})

/** Schelling's model as a population over flat arrays, as `peers/mesa_schelling.py`: until all are content. */
const Schelling = Simulation.make("Schelling", {}, (sim) => {
  const [side, residents, wanted] = [40, 1000, 3]
  const People = Simulation.population("People", {
    columns: { cell: "int32", group: "uint8", content: "uint8" },
    step: (rows, sim) => {
      const { cell, content, count, group } = rows
      const groups = new Uint8Array(side * side)
      const free: Array<number> = []
      for (let i = 0; i < count; i++) groups[cell[i]!] = group[i]!
      for (let c = 0; c < groups.length; c++) if (groups[c] === 0) free.push(c)
      let moved = 0
      for (let i = 0; i < count; i++) {
        if (content[i] === 1) continue
        const at = cell[i]!
        const x = at % side
        const y = (at - x) / side
        let same = -1
        for (let row = Math.max(0, y - 1); row <= Math.min(side - 1, y + 1); row++) {
          for (let column = Math.max(0, x - 1); column <= Math.min(side - 1, x + 1); column++) {
            if (groups[row * side + column] === group[i]) same++
          }
        }
        if (same >= wanted) {
          content[i] = 1
          continue
        }
        moved++
        const k = sim.random.integers(0, free.length)
        const to = free[k]!
        free[k] = at
        groups[at] = 0
        groups[to] = group[i]!
        cell[i] = to
      }
      if (moved === 0) sim.stop()
    }
  })
  const cells = sim.random.shuffle(Array.from({ length: side * side }, (_, i) => i))
  sim.populate(People, residents, (rows, i) => {
    rows.cell[i] = cells[i]!
    rows.group[i] = i < residents / 2 ? 1 : 2
  })
})

const measure = async (): Promise<void> => {
  const { problems } = await ensureBuilt()
  if (problems.length > 0) process.exit(1)
  say("simulation: PHOLD")
  const alone = await byTurns({
    "PHOLD, a bare loop over the same queue": () => bare(until),
    "PHOLD, one host": () => {
      const world = Simulation.open(Phold, { seed: 1 })
      world.run(until)
      return world.engine.handled
    }
  })
  for (const [row, rates] of Object.entries(alone)) figures.push(figure(table, row, "figure", "/s", rates))
  const threads = await ratesByTurns({
    "PHOLD, a thread": onHosts(1),
    "PHOLD, two threads": onHosts(2),
    "PHOLD, the bare loop in a thread": inThread,
    "PHOLD, the bare loop in two threads": async (until) =>
      (await Promise.all([inThread(until / 2), inThread(until / 2)])).reduce((a, b) => a + b)
  })
  for (const [row, rates] of Object.entries(threads)) figures.push(figure(table, row, "figure", "/s", rates))

  say("simulation: M/M/3, Schelling, a sweep")
  const customers = isQuick ? 2_000 : 200_000
  let seed = 0
  const models = await byTurns({
    "M/M/3 with handlers": () => Simulation.runSync(Mmc, { seed: 1, until: customers / 2.4 }).tallies["wait"]!.n,
    "M/M/3 with processes": () => Simulation.runSync(Customers, { seed: 1, until: customers / 2.4 }).tallies["wait"]!.n,
    "Schelling": () => {
      for (let i = 0; i < 20; i++) Simulation.runSync(Schelling, { seed: seed++ })
      return 20
    }
  })
  for (const [row, rates] of Object.entries(models)) figures.push(figure(table, row, "figure", "/s", rates))
  const rows = isQuick ? 10_000 : 1_000_000
  const world = Simulation.open(Herd, { config: { rows } })
  const sweeps = Array.from({ length: times + 1 }, () => {
    const start = performance.now()
    world.step(2)
    return rows * 2 / (performance.now() - start) * 1000
  })
  figures.push(figure(table, "rows of a population swept", "figure", "/s", sweeps.slice(1)))
  print(figures)
}

if (isMainThread) await measure()
else {
  const { until } = workerData
  // oxlint-disable-next-line unicorn/require-post-message-target-origin
  parentPort!.postMessage(bare(until))
}

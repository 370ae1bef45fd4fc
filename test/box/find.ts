/** Looks for the first failing seed of a workload and makes it small: `find.ts <workload> <seeds>`. Prints one line of JSON. */
import { allFaults, runSeed, simulate } from "../../src/testing/index.ts"
import type { Found } from "./hunt.ts"
import { type Workload, workloads } from "./workloads/index.ts"

const [workload, seeds] = process.argv.slice(2)
const program = workloads[workload as Workload]
const deadline = performance.now() + 60_000
const began = performance.now()

const first = (): Found => {
  let schedules = 0
  for (let seed = 1; seed <= Number(seeds) && performance.now() < deadline; seed++) {
    schedules++
    const outcome = runSeed(program, seed, { faults: allFaults, limits: { steps: 20_000 } })
    if (outcome.failure === undefined) continue
    const millis = performance.now() - began
    const { failure } = simulate(program, {
      seed,
      seeds: 1,
      faults: allFaults,
      limits: { steps: 20_000 },
      shrinking: 1500
    })
    return {
      seed,
      schedules,
      why: outcome.failure.split("\n")[0]!,
      before: outcome.decisions.length,
      after: failure?.outcome.decisions.length ?? outcome.decisions.length,
      millis,
      shrunkMillis: performance.now() - began - millis
    }
  }
  return { seed: null, schedules, why: "", before: 0, after: 0, millis: performance.now() - began, shrunkMillis: 0 }
}

process.stdout.write(JSON.stringify(first()))

/**
 * The actor system in a box: seeded schedules of all workloads, with every fault there is and all invariants.
 *
 *     npm run box -- --seeds 1000 [--seed 1] [--workload tallies] [--faults kill,delay]
 *     npm run box -- --minutes 10                    for as long as that
 *     npm run box -- --seed 17 --seeds 1 --explain   one seed: made small where it fails, with its log
 *     npm run box -- --seed 17 --decisions "kill h1#0=11; ..." --workload tallies
 *     npm run box -- --mutants [name ...]            planted mistakes, each of which must be found
 *
 * The last line is `N schedules, N failed`; failing seeds come before it. The exit code is 1 where one failed.
 */
import { parseArgs } from "node:util"
import * as Faults from "../../src/testing/Faults.ts"
import { explain, parseDecisions, runSeed } from "../../src/testing/simulate.ts"
import { type Workload, workloadOf, workloads } from "./workloads/index.ts"

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: {
    seeds: { type: "string" },
    seed: { type: "string", default: "1" },
    minutes: { type: "string" },
    workload: { type: "string" },
    faults: { type: "string" },
    decisions: { type: "string" },
    explain: { type: "boolean", default: false },
    mutants: { type: "boolean", default: false }
  }
})

const refuse = (message: string): never => {
  process.stderr.write(`${message}\n`)
  process.exit(2)
}

const whole = (flag: string, text: string, least: number): number => {
  const value = Number(text)
  return Number.isInteger(value) && value >= least
    ? value
    : refuse(`--${flag} must be a whole number of at least ${least}, not "${text}".`)
}

const isWorkload = (name: string): name is Workload => name in workloads

const chosen = values.workload
if (chosen !== undefined && !isWorkload(chosen)) {
  refuse(`There is no workload "${chosen}"; there are ${Object.keys(workloads).join(", ")}.`)
}

const faultsOf = (text: string | undefined): Faults.FaultOptions => {
  if (text === undefined) return Faults.all
  const kinds: ReadonlyArray<string> = Faults.FaultKind.literals
  const isKind = (name: string): name is Faults.FaultKind => kinds.includes(name)
  return text.split(",").filter((name) => name !== "").map((name) =>
    isKind(name) ? name : refuse(`There is no fault "${name}"; there are ${kinds.join(", ")}.`)
  )
}

if (values.mutants) {
  const { hunt } = await import("./hunt.ts")
  process.exit(await hunt(positionals))
}

const first = whole("seed", values.seed, 0)
const minutes = values.minutes === undefined ? undefined : Number(values.minutes)
if (minutes !== undefined && !(minutes > 0)) refuse(`--minutes must be a number above zero, not "${values.minutes}".`)
const seeds = minutes !== undefined && values.seeds === undefined
  ? Number.POSITIVE_INFINITY
  : whole("seeds", values.seeds ?? (values.decisions === undefined ? "1000" : "1"), 1)
const faults = faultsOf(values.faults)
const decisions = values.decisions === undefined ? undefined : parseDecisions(values.decisions)
const began = performance.now()

let schedules = 0
let failed = 0
let struck = 0
for (let seed = first; seed < first + seeds; seed++) {
  if (minutes !== undefined && performance.now() - began > minutes * 60_000) break
  const workload = chosen !== undefined && isWorkload(chosen) ? chosen : workloadOf(seed)
  const options = { faults, ...(decisions === undefined ? {} : { decisions }) }
  const outcome = runSeed(workloads[workload], seed, options)
  schedules++
  struck += outcome.faults
  if (outcome.failure === undefined) continue
  failed++
  if (values.explain) process.stdout.write(`${explain(workloads[workload], outcome, options).text}\n`)
  else process.stdout.write(`seed ${seed} (${workload}): ${outcome.failure.split("\n")[0]}\n`)
}
const seconds = (performance.now() - began) / 1000
process.stdout.write(
  `${struck} faults in ${seconds.toFixed(1)} s, ${Math.round(schedules / seconds * 60)} schedules a minute\n` +
    `${schedules} schedules, ${failed} failed\n`
)
process.exitCode = failed === 0 ? 0 : 1

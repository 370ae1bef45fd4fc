/**
 * Runs a program in the simulation: once, or for many seeds, and where it fails makes the failure small enough to read.
 *
 * ```ts
 * const report = simulate(program, { seeds: 1000, faults: ["kill", "delay"] })
 * if (report.failure !== undefined) console.log(report.failure.text)
 * ```
 *
 * It needs no test runner, and is over when it returns: nothing in it waits for the world outside.
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { type Decision, Decisions, format, parse } from "./Decisions.ts"
import type { FaultOptions } from "./Faults.ts"
import { shrink } from "./shrink.ts"
import * as Simulation from "./Simulation.ts"
import { type Limits, Simulator } from "./Simulator.ts"

/** A program that has its actor system from the simulation. */
export type SimulatedProgram = Effect.Effect<unknown, unknown, Simulation.Simulation>

export interface RunOptions {
  /** What may go wrong. Default: nothing; only the order of things is drawn. */
  readonly faults?: FaultOptions
  /** A run that takes more steps, or more virtual milliseconds, has failed. Default: 50 000 steps, an hour. */
  readonly limits?: Partial<Limits>
  /** Keep the log. Default: no. */
  readonly log?: boolean
  /** Decisions to take instead of drawing them. */
  readonly decisions?: ReadonlyArray<Decision>
}

/** What came of one run. */
export interface Outcome {
  readonly seed: number
  /** What was wrong; `undefined` when all was well. */
  readonly failure: string | undefined
  /** The surprising decisions, which say the whole run. */
  readonly decisions: ReadonlyArray<Decision>
  /** Of all that was said and heard: equal for equal runs. */
  readonly hash: number
  readonly steps: number
  /** Virtual time. */
  readonly millis: number
  /** How many faults struck. */
  readonly faults: number
  readonly log: ReadonlyArray<string>
}

const usual: Limits = { steps: 50_000, millis: 3_600_000 }

/** Runs the program once. Everything that it leaves to chance comes from the seed, or from `decisions`. */
export const runSeed = (program: SimulatedProgram, seed: number, options: RunOptions = {}): Outcome => {
  const limits = { ...usual, ...options.limits }
  const simulator = new Simulator(new Decisions(seed, options.decisions), seed, options.log === true)
  const world = new Simulation.World(simulator, options.faults ?? [])
  const context = Context.add(simulator.owner.context, Simulation.Simulation, Simulation.make(world, seed))
  let exit: Exit.Exit<unknown, unknown> | undefined
  let end: ReturnType<Simulator["run"]> | "thrown"
  let thrown: unknown
  try {
    Effect.runForkWith(context)(program).addObserver((its) => {
      exit = its
    })
    end = simulator.run(() => exit !== undefined || simulator.violations.length > 0, limits)
    // What is on its way still arrives; then all must be over.
    if (exit !== undefined) {
      simulator.run(() => false, { steps: simulator.steps + 10_000, millis: Number.POSITIVE_INFINITY })
    }
  } catch (error) {
    end = "thrown"
    thrown = error
  }
  if (exit !== undefined) { for (const invariants of world.systems) invariants.over(world.hosts) }
  simulator.note("program", `ends: ${end}`)
  return {
    seed,
    failure: whatFailed(world, end, exit, thrown),
    decisions: simulator.decisions.made,
    hash: simulator.hash >>> 0,
    steps: simulator.steps,
    millis: simulator.time,
    faults: world.faults.countOf(undefined),
    log: simulator.log ?? []
  }
}

const whatFailed = (
  { simulator: { steps, time, violations }, systems, waiting }: Simulation.World,
  end: ReturnType<Simulator["run"]> | "thrown",
  exit: Exit.Exit<unknown, unknown> | undefined,
  thrown: unknown
): string | undefined => {
  if (violations.length > 0) return violations[0]
  if (end === "thrown") {
    return `the owner's side threw ${thrown instanceof Error ? thrown.stack ?? thrown.message : String(thrown)}`
  }
  if (exit !== undefined && Exit.isFailure(exit)) {
    const error = Cause.squash(exit.cause)
    return error instanceof Error
      ? `${error.name}: ${error.message}`
      : typeof error === "string"
      ? error
      : Cause.pretty(exit.cause)
  }
  if (end === "done") return undefined
  const actors = [...systems.flatMap((invariants) => invariants.waiting), ...waiting.flatMap((ask) => ask())]
  const who = actors.length === 0 ? "the program itself waits" : actors.join("; ")
  const when = end === "stuck"
    ? "nothing more can happen, and the program has not come to its end"
    : `the program has not come to its end after ${steps} steps and ${Math.round(time)} ms of virtual time`
  return `${when}: ${who}. What waits for the world outside (a promise, a socket, a timer of Node's) waits for ever here: ` +
    "use Effect.sleep, the actors, and layers that need no outside"
}

export interface SimulateOptions extends RunOptions {
  /** How many seeds, from `seed` on. Default 100. */
  readonly seeds?: number
  /** The first seed. Default 1. */
  readonly seed?: number
  /** How many runs may be spent on making a failure small. Default 2000. */
  readonly shrinking?: number
}

/** The first failure of a search, made small. */
export interface Failure {
  readonly seed: number
  /** What was wrong in the run of the seed. */
  readonly why: string
  /** The small run. */
  readonly outcome: Outcome
  /** How many decisions it took before it was made small. */
  readonly before: number
  /** For a person: what failed, by which decisions, and the log. */
  readonly text: string
}

export interface Report {
  /** How many schedules were run, those for shrinking not counted. */
  readonly schedules: number
  readonly failure: Failure | undefined
}

/** Runs the program for seed after seed, up to the first that fails. */
export const simulate = (program: SimulatedProgram, options: SimulateOptions = {}): Report => {
  const { seed: first = 1, seeds = 100 } = options
  const given = options.decisions
  for (let seed = first; seed < first + (given === undefined ? seeds : 1); seed++) {
    const outcome = runSeed(program, seed, options)
    if (outcome.failure !== undefined) {
      return { schedules: seed - first + 1, failure: explain(program, outcome, options) }
    }
  }
  return { schedules: given === undefined ? seeds : 1, failure: undefined }
}

/** Makes a failed run small, and tells of it. */
export const explain = (program: SimulatedProgram, outcome: Outcome, options: SimulateOptions): Failure => {
  const small = shrink(
    outcome,
    (decisions) => runSeed(program, outcome.seed, { ...options, decisions }),
    options.shrinking ?? 2000
  )
  const last = runSeed(program, outcome.seed, { ...options, decisions: small.decisions, log: true })
  const why = outcome.failure ?? ""
  const lines = [
    `seed ${outcome.seed} fails: ${why}`,
    ...(last.failure === why ? [] : [`made small it fails so: ${last.failure}`]),
    `${last.decisions.length} decisions (of ${outcome.decisions.length}) are enough:`,
    `  ${format(last.decisions)}`,
    "the log (milliseconds, side, what it says or hears):",
    ...withoutHeartbeats(last.log)
  ]
  return { seed: outcome.seed, why, outcome: last, before: outcome.decisions.length, text: lines.join("\n") }
}

/** The lines of a log, with what is only a sign of life counted instead. */
const withoutHeartbeats = (log: ReadonlyArray<string>): ReadonlyArray<string> => {
  const lines: Array<string> = []
  let left = 0
  for (const line of [...log, ""]) {
    if (/^\S+ \S+ (?:hears|says) (?:h\d+: )?(?:ping|alive) [\d ]+$/.test(line)) {
      left++
      continue
    }
    if (left > 0) lines.push(`  (${left} lines of heartbeats)`)
    left = 0
    if (line !== "") lines.push(`  ${line}`)
  }
  return lines
}

export { format as formatDecisions, parse as parseDecisions }

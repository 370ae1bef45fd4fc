/**
 * The actor system in a box, for tests of programs with actors: `troupe/testing`. Real actors, guardians and hosts run in
 * one thread, on a virtual clock, and everything that is left to chance comes from a seed: which fiber is next, how long
 * messages travel, who dies in the middle of what.
 *
 * Read `Simulation.ts` (how a program has its system from it), `simulate.ts` (how it is run), `Faults.ts` (what may go wrong),
 * then `Invariants.ts`, which is what is promised. For vitest there is `troupe/testing/vitest`.
 */
export type { Decision } from "./Decisions.ts"
export { all as allFaults, FaultKind, type FaultOptions } from "./Faults.ts"
export type { Group } from "./Invariants.ts"
export {
  type Failure,
  formatDecisions,
  type Outcome,
  parseDecisions,
  type Report,
  type RunOptions,
  runSeed,
  simulate,
  type SimulatedProgram,
  type SimulateOptions
} from "./simulate.ts"
export { type SimulatedSystemOptions, Simulation } from "./Simulation.ts"
export type { Limits } from "./Simulator.ts"

/**
 * Worlds of agents in virtual time, with one result on any number of hosts: `troupe/simulation`. It knows nothing of
 * learning.
 *
 * Read `Model.ts` (what a model is), `Agent.ts` and `Process.ts` (what lives in it), `Sim.ts` (what they can do), then
 * `Engine.ts`, where it happens in one order.
 */
export * from "./errors.ts"
export type { Part, PartHost } from "./Part.ts"
export { Interrupted, pending, Wait, type Waiter } from "./Process.ts"
export * as Simulation from "./Simulation.ts"

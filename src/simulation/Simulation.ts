/** Models, agents and worlds, under the name by which programs use them: `Simulation.make`, `Simulation.agent`, `Simulation.run`. */
export {
  type Agent,
  agent,
  type AgentRef,
  type AnyAgent,
  type Mutable,
  type Protocol,
  Ref,
  type RefOf
} from "./Agent.ts"
export { type HostsOptions, type HostsResult, run } from "./hosts/run.ts"
export { type AnyModel, make, type Model, type ModelOptions, type Newborn } from "./Model.ts"
export { type Columns, type ColumnType, type Population, population, type Rows } from "./Population.ts"
export type { EventHandle, EveryOptions, Random, SendOptions, Sim } from "./Sim.ts"
export type { SimEvent } from "./SimEvent.ts"
export type { Summary } from "./Tally.ts"
export { open, type OpenOptions, restore, type Result, type RunOptions, runSync, World } from "./World.ts"

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
export { diff, type Difference, type ToldEvent } from "./Difference.ts"
export { type HostsOptions, type HostsResult, run } from "./hosts/run.ts"
export { type AnyModel, make, type Model, type ModelOptions, type Newborn } from "./Model.ts"
export type { Container, ContainerOptions } from "./parts/Container.ts"
export { completeEdges, type Edge, type Graph, type GraphOptions, randomEdges, smallWorldEdges } from "./parts/Graph.ts"
export type { Grid, GridOptions, NeighborhoodOptions, NeighborhoodShape } from "./parts/Grid.ts"
export type { Monitor } from "./parts/Monitor.ts"
export { type Preemption, preemptionOf, type RequestOptions, type Resource } from "./parts/Resource.ts"
export type { Point, Space, SpaceOptions } from "./parts/Space.ts"
export type { GetOptions, Store, StoreOptions, Where } from "./parts/Store.ts"
export type { TimeSummary } from "./parts/TimeAverage.ts"
export { type Columns, type ColumnType, type Population, population, type Rows } from "./Population.ts"
export type { ScheduleOptions } from "./Schedule.ts"
export type { EventHandle, EveryOptions, Random, SendOptions, Sim } from "./Sim.ts"
export type { SimEvent } from "./SimEvent.ts"
export type { Summary } from "./Tally.ts"
export { open, type OpenOptions, restore, type Result, type RunOptions, runSync, World } from "./World.ts"

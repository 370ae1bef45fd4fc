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
export type { Columns, ColumnType } from "./columns.ts"
export { diff, type Difference, type ToldEvent } from "./Difference.ts"
export { type HostsOptions, type HostsResult, run } from "./hosts/run.ts"
export { type Cells, type Lattice, lattice } from "./Lattice.ts"
export { type AnyModel, make, type Model, type ModelOptions, type Newborn } from "./Model.ts"
export type { Container, ContainerOptions } from "./parts/Container.ts"
export type { Action, Decision, Rule, View } from "./parts/Decision.ts"
export { completeEdges, type Edge, type Graph, type GraphOptions, randomEdges, smallWorldEdges } from "./parts/Graph.ts"
export type { Grid, GridOptions } from "./parts/Grid.ts"
export type { Monitor } from "./parts/Monitor.ts"
export type { NeighborhoodOptions, NeighborhoodShape } from "./parts/Neighborhoods.ts"
export { type Preemption, preemptionOf, type RequestOptions, type Resource } from "./parts/Resource.ts"
export type { Point, Space, SpaceOptions } from "./parts/Space.ts"
export type { GetOptions, Store, StoreOptions, Where } from "./parts/Store.ts"
export type { TimeSummary } from "./parts/TimeAverage.ts"
export { type Population, population, type Rows } from "./Population.ts"
export type { ScheduleOptions } from "./Schedule.ts"
export type { EventHandle, EveryOptions, Random, SendOptions, Sim } from "./Sim.ts"
export type { SimEvent } from "./SimEvent.ts"
export type { Summary } from "./Tally.ts"
export { open, type OpenOptions, restore, type Result, type RunOptions, runSync, World } from "./World.ts"

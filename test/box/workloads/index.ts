/** What is run in the box, by name. */
import type { SimulatedProgram } from "../../../src/testing/simulate.ts"
import { endings } from "./endings.ts"
import { limits } from "./limits.ts"
import { mixed } from "./mixed.ts"
import { neighbors } from "./neighbors.ts"
import { queues } from "./queues.ts"
import { starts } from "./starts.ts"
import { tallies } from "./tallies.ts"
import { tellers } from "./tellers.ts"
import { timers } from "./timers.ts"
import { wards } from "./wards.ts"

export const workloads = {
  tallies,
  limits,
  endings,
  starts,
  mixed,
  timers,
  tellers,
  queues,
  wards,
  neighbors
} satisfies Readonly<
  Record<string, SimulatedProgram>
>

export type Workload = keyof typeof workloads

/** A seed's own, where none is chosen: they take turns. */
export const workloadOf = (seed: number): Workload => {
  const names = Object.keys(workloads) as ReadonlyArray<Workload>
  return names[seed % names.length]!
}

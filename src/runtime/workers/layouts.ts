/**
 * Who steps which environments, and where: one layout, or where a run tries what is quicker, several. All give the same
 * numbers, so a run may change from one to the other between any two pieces of work: each begins from the banks that the one
 * before it left, whoever that was.
 */
import { availableParallelism } from "node:os"
import type { Placement } from "../../actors/Placement.ts"
import { Registry } from "../../envs/Registry.ts"
import { placements } from "../config/placements.ts"
import type { RunConfig } from "../config/RunConfig.ts"
import { type Range, shareOf } from "./dataPlaneLayout.ts"
import type { DataPlaneSpec } from "./DataPlaneSpec.ts"

/**
 * One EnvWorker: its environments, which of the workspaces it computes in, and where it lives. Seats of one name in several
 * layouts are one EnvWorker, that has other environments in each.
 */
export interface Seat extends Range {
  readonly name: string
  readonly worker: number
  readonly placement: Placement
  readonly host: number
}

/** EnvWorkers that have all environments between them, in their order. */
export interface Layout {
  readonly placement: Placement
  /** Hosts that work, this thread included where it does. */
  readonly workers: number
  readonly seats: ReadonlyArray<Seat>
}

/** The name of a worker's actor; one that only a layout has that is tried beside the first has the place in it too. */
export const nameOf = (worker: number): string => `env-worker/${worker}`

/**
 * Workers go round the hosts. This thread, where it is one, is the last: what goes to the others is on its way before it
 * begins to work itself.
 */
export const placeOf = (
  { localWorker, placement, workers }: RunConfig,
  worker: number
): { readonly placement: Placement; readonly host: number } => {
  const host = worker % workers
  const local = !placements[placement].ownHosts || (localWorker === true && host === workers - 1)
  return local ? { placement: "fiber", host: 0 } : { placement: placements[placement].host, host }
}

/** The layouts of a run. The first is that of all hosts. */
export const layoutsOf = (config: RunConfig, spec: DataPlaneSpec): ReadonlyArray<Layout> => {
  const workers = Array.from({ length: spec.workers }, (_, worker) => worker)
  const all: Layout = {
    placement: placements[config.placement].host,
    workers: config.workers,
    seats: workers.map((worker) => ({
      name: nameOf(worker),
      worker,
      ...shareOf(spec, worker),
      ...placeOf(config, worker)
    }))
  }
  if (config.placement !== "auto") return [all]
  const there = (placement: "fiber" | "thread", worker: number): Seat => ({
    name: `${nameOf(worker)}@${placement}`,
    worker,
    ...shareOf(spec, worker),
    placement,
    host: 0
  })
  /**
   * All of them on one host. In step one worker is enough for that, and one that is there anyway: the engine makes its best code
   * of what a thread has once.
   */
  const single = (placement: "fiber" | "thread"): Layout => {
    const one = all.seats.find((seat) => seat.placement === placement && seat.host === 0) ?? there(placement, 0)
    const seats = config.schedule === "sync"
      ? [{ ...one, first: 0, count: spec.slots }]
      : workers.map((worker) => there(placement, worker))
    return { placement, workers: 1, seats }
  }
  // What a user wrote never enters this thread unasked: it may wedge or end it. In step nobody waits for one thread while
  // this one, which could do the same, has nothing to do.
  if (!Registry.isBuiltIn(config.envId)) return [all, single("thread")]
  return config.schedule === "sync" ? [all, single("fiber")] : [all, single("fiber"), single("thread")]
}

/** All EnvWorkers of some layouts, each with all the environments that it has in any. */
export const everySeat = (layouts: ReadonlyArray<Layout>): ReadonlyArray<Seat> =>
  [...Map.groupBy(layouts.flatMap(({ seats }) => seats), ({ name }) => name).values()].flatMap((seats) => {
    const first = Math.min(...seats.map(({ first }) => first))
    const end = Math.max(...seats.map(({ count, first }) => first + count))
    return seats.slice(0, 1).map((seat) => ({ ...seat, first, count: end - first }))
  })

/** Whether a seat is in the trainer's own thread. */
export const isHere = ({ placement }: Seat): boolean => placement === "fiber"

/** Whether workers can wait for one another: each has a thread to itself, and a core. */
export const canMeet = (seats: ReadonlyArray<Seat>): boolean =>
  seats.length <= availableParallelism() &&
  new Set(seats.map((seat) => isHere(seat) ? "here" : seat.host)).size === seats.length

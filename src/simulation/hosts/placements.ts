/** Where hosts of a simulation can be. */

interface Capabilities {
  /** Hosts see one another's memory; otherwise what they tell each other goes by messages. */
  readonly sharesMemory: boolean
  /** They are in the thread of whoever runs the simulation. */
  readonly isThisThread: boolean
  /** They load the model from its module; otherwise they have it already, by its name. */
  readonly hasModule: boolean
  /** Deaths at one and the same edge, which nobody has caused, before the run is given up. */
  readonly mostDeaths: number
}

export const placements = {
  fiber: { sharesMemory: true, isThisThread: true, hasModule: false, mostDeaths: 3 },
  thread: { sharesMemory: true, isThisThread: false, hasModule: true, mostDeaths: 3 },
  process: { sharesMemory: false, isThisThread: false, hasModule: true, mostDeaths: 3 },
  // Runners come and go, and a host that moves has died for us.
  runner: { sharesMemory: false, isThisThread: false, hasModule: false, mostDeaths: 20 }
} as const satisfies Readonly<Record<string, Capabilities>>

export type HostsPlacement = keyof typeof placements

export const hostsPlacements = Object.keys(placements) as ReadonlyArray<HostsPlacement>

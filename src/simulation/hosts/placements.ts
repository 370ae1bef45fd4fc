/** Where hosts of a simulation can be. */

export const placements = {
  /** In this thread, by turns. */
  fiber: { sharesMemory: true, isThisThread: true, hasModule: false },
  thread: { sharesMemory: true, isThisThread: false, hasModule: true },
  process: { sharesMemory: false, isThisThread: false, hasModule: true },
  /** Whoever is there has the model by its name. */
  runner: { sharesMemory: false, isThisThread: false, hasModule: false }
} as const

export type HostsPlacement = keyof typeof placements

export const hostsPlacements = Object.keys(placements) as ReadonlyArray<HostsPlacement>

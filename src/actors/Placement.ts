/**
 * Where an actor's incarnations live: as fibers of its owner's thread, in a worker thread, in a child process, or on another
 * machine, in a child of the runner there.
 */
export const placements = ["fiber", "thread", "process", "runner"] as const
export type Placement = typeof placements[number]

/** Those that lie behind a link. */
export type RemotePlacement = Exclude<Placement, "fiber">

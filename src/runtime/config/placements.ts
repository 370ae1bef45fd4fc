/** What a placement of the EnvWorkers can do. Whoever must know asks for that, not for the placement's name. */
import type { Placement } from "../../actors/Placement.ts"
import type { RunConfig } from "./RunConfig.ts"

interface Capabilities {
  /** Where the hosts' actors live, as the actor system calls it. */
  readonly host: Placement
  /** The workers live on hosts of their own, each with an engine, and not in the trainer's thread. */
  readonly ownHosts: boolean
  /** Workers see the run's data plane; otherwise weights and slots travel with the messages. */
  readonly sharesMemory: boolean
  /** The trainer's thread may serve as one of the hosts. */
  readonly localWorker: boolean
  /** MiB that a host takes before it has done anything: Effect, the kernels, and an engine of its own. */
  readonly footprint: number
  /** What its hosts are called, in the plural. */
  readonly hosts: string
}

export const placements: { readonly [Name in RunConfig["placement"]]: Capabilities } = {
  // What is quicker is found out while the run runs (`workers/layouts.ts`): threads, or less than that.
  auto: { host: "thread", ownHosts: true, sharesMemory: true, localWorker: true, footprint: 9, hosts: "threads" },
  fiber: { host: "fiber", ownHosts: false, sharesMemory: true, localWorker: false, footprint: 0, hosts: "fibers" },
  thread: { host: "thread", ownHosts: true, sharesMemory: true, localWorker: true, footprint: 9, hosts: "threads" },
  process: {
    host: "process",
    ownHosts: true,
    sharesMemory: false,
    localWorker: false,
    footprint: 45,
    hosts: "child processes"
  }
}

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
  /** Workers may live on other machines: they are told ids, and no path. */
  readonly otherMachines: boolean
  /** MiB that a host takes on this machine before it has done anything: Effect, the kernels, and an engine of its own. */
  readonly footprint: number
  /** What its hosts are called, in the plural. */
  readonly hosts: string
}

export const placements: { readonly [Name in RunConfig["placement"]]: Capabilities } = {
  // What is quicker is found out while the run runs (`workers/layouts.ts`): threads, or less than that.
  auto: {
    host: "thread",
    ownHosts: true,
    sharesMemory: true,
    localWorker: true,
    otherMachines: false,
    footprint: 9,
    hosts: "threads"
  },
  fiber: {
    host: "fiber",
    ownHosts: false,
    sharesMemory: true,
    localWorker: false,
    otherMachines: false,
    footprint: 0,
    hosts: "fibers"
  },
  thread: {
    host: "thread",
    ownHosts: true,
    sharesMemory: true,
    localWorker: true,
    otherMachines: false,
    footprint: 9,
    hosts: "threads"
  },
  process: {
    host: "process",
    ownHosts: true,
    sharesMemory: false,
    localWorker: false,
    otherMachines: false,
    footprint: 45,
    hosts: "child processes"
  },
  runner: {
    host: "runner",
    ownHosts: true,
    sharesMemory: false,
    localWorker: false,
    otherMachines: true,
    footprint: 0,
    hosts: "hosts on runners"
  }
}

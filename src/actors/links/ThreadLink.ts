/**
 * The link to a host in a worker thread: shared memory both ways (`SharedLink`), waited for by spinning briefly and then
 * sleeping (`Poller`).
 *
 * A bare `Worker` and no pool: the supervisor above needs the thread's own `exit` event, after which nothing of it runs.
 * What it had sent before lies in shared memory, and is heard first.
 */
import * as Duration from "effect/Duration"
import { isMainThread, MessageChannel, type ResourceLimits, Worker, workerData } from "node:worker_threads"
import { type Bells, makeBells, mostOthers, Places, rest } from "./Doorbell.ts"
import type { HandOvers } from "./HandOvers.ts"
import { harm } from "./harm.ts"
import type { Command, HostLink, HostPort, LinkEvents, OpenLink, Report } from "./HostLink.ts"
import { Poller } from "./Poller.ts"
import { allocate, type Ends, format, SharedLink } from "./SharedLink.ts"

export interface ThreadOptions {
  /** The module that calls `ActorHost.launch`. */
  readonly entry: URL
  /**
   * Limits of the thread's JavaScript heap. Not a safe wall: a thread that runs over may take the process with it, and
   * typed arrays are not counted. What may eat memory belongs into a child process.
   */
  readonly resourceLimits?: ResourceLimits
  /** Node's flags for the thread. Default: those of this process. */
  readonly execArgv?: ReadonlyArray<string>
  /**
   * For how long, at most, a thread spins for the next message before it sleeps; default 200 microseconds. It does so only
   * while a core is free for it, for a shorter time when messages come at longer intervals, and lets its event loop have
   * a turn meanwhile. 0 spares the core, at the price of a wake-up per message, which takes tens of microseconds.
   */
  readonly spin?: Duration.Input
  /** Counts how long messages lie until they are heard (`HandOvers.make`). Default: nobody does. */
  readonly handOvers?: HandOvers
}

/** What this thread has one of, for all the threads it owns. */
interface Owner {
  readonly bells: Bells
  readonly places: Places
  readonly poller: Poller
}

let owner: Owner | undefined

const makeOwner = (): Owner => {
  const bells = makeBells()
  return { bells, places: new Places(bells), poller: new Poller(bells, 0) }
}

/** Opens a thread per call. */
export const open = (options: ThreadOptions): OpenLink => (events) => {
  const { bells, places, poller } = owner ??= makeOwner()
  const cannot = (error: unknown): HostLink => {
    queueMicrotask(() => events.exited(error instanceof Error ? error.message : String(error), error))
    return { post: () => {}, terminate: () => {} }
  }
  const place = places.take()
  if (place === undefined) return cannot(new RangeError(`a thread can own ${mostOthers} others at a time`))
  const { port1, port2 } = new MessageChannel()
  const forHost: Ends = {
    format,
    memory: allocate(),
    port: port2,
    bells,
    places: [0, place],
    spinMillis: Duration.toMillis(options.spin ?? "200 micros"),
    handOvers: options.handOvers
  }
  const close = (): void => {
    port1.close()
    rest(bells, place)
    places.give(place)
  }
  let worker: Worker
  try {
    worker = new Worker(options.entry, {
      name: "troupe-host",
      workerData: { [format]: forHost },
      transferList: [port2],
      ...(options.resourceLimits === undefined ? {} : { resourceLimits: options.resourceLimits }),
      ...(options.execArgv === undefined ? {} : { execArgv: [...options.execArgv] })
    })
  } catch (error) {
    close()
    return cannot(error)
  }
  return attach(worker, { ...forHost, port: port1 }, poller, events, close)
}

const attach = (worker: Worker, ends: Ends, poller: Poller, events: LinkEvents, close: () => void): HostLink => {
  let error: unknown
  let terminated = false
  const terminate = (): void => {
    if (terminated) return
    terminated = true
    void worker.terminate()
  }
  const owed = new Owed()
  const link = new SharedLink({
    ends,
    side: "owner",
    expecting: () => owed.count > 0,
    owed: () => owed.count,
    received: (batch) => {
      // The other end is a host of this very build, or it says so first: see `RemoteHost`.
      const reports = batch as ReadonlyArray<Report>
      owed.heard(reports)
      events.received(reports)
    },
    failed: (thrown) => {
      error ??= thrown
      terminate()
    }
  })
  worker.on("error", (thrown) => {
    error ??= thrown
  })
  worker.on("exit", (code) => {
    worker.removeAllListeners()
    link.finish()
    poller.detach(link)
    close()
    events.exited(
      error instanceof Error ? error.message : terminated ? "terminated" : `exited with code ${code}`,
      error
    )
  })
  poller.attach(link)
  return {
    post: (batch) => {
      link.send(batch)
      owed.sent(batch)
      poller.rouse()
    },
    terminate
  }
}

/**
 * How many answers a host owes: while it owes none there is nothing to spin for. After a death the count begins anew,
 * since what the dead owed is delivered again; so it may be too low for a moment, which costs a wake-up.
 */
class Owed {
  count = 0

  sent(batch: ReadonlyArray<Command>): void {
    // What is withdrawn is answered in place of its message, or not at all; what is answered was not asked by us.
    for (const [kind] of batch) if (!unanswered.has(kind)) this.count++
  }

  heard(batch: ReadonlyArray<Report>): void {
    for (const report of batch) {
      const [kind] = report
      if (kind === "died") this.count = 0
      // What it has given an actor itself it answers as if it were ours.
      else if (report[0] === "asking" && report[16] !== undefined) this.count++
      else if (this.count > 0 && !unasked.has(kind)) this.count--
    }
  }
}

/** What a host says without having been asked for it. */
const unasked: ReadonlySet<Report[0]> = new Set([
  "ready",
  "exiting",
  "timed",
  "answers",
  "asking",
  "abandoned",
  "slept"
])

/** What a host says nothing to. */
const unanswered: ReadonlySet<Command[0]> = new Set(["halt", "close", "withdraw", "answered", "forsaken"])

/** The thread's own end; `undefined` in a main thread, and in a thread that somebody else has started. */
export const port = (): HostPort | undefined => {
  const given: unknown = workerData
  if (isMainThread || typeof given !== "object" || given === null || !(format in given)) return undefined
  // Nobody else names a key so.
  const ends = given[format] as Ends
  const poller = new Poller(ends.bells, ends.places[1])
  let hear: (batch: ReadonlyArray<Command>) => void = () => {}
  const link = new SharedLink({
    ends,
    side: "host",
    expecting: () => true,
    owed: () => 0,
    received: (batch) => hear(batch as ReadonlyArray<Command>),
    failed: (error) => {
      // Thrown where nobody catches it: the thread ends, and the owner reads why.
      queueMicrotask(() => {
        throw error
      })
    }
  })
  return {
    post: (batch, moved) => {
      link.send(batch, moved)
      poller.rouse()
    },
    listen: (received) => {
      hear = received
      // It keeps the thread alive while it sleeps.
      ends.port.ref()
      poller.attach(link)
    },
    exit: () => process.exit(0),
    harm,
    onExit: (last) =>
      void process.on("exit", () => {
        last()
        link.spill()
      })
  }
}

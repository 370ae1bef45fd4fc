/**
 * The link to a host in a worker thread: `postMessage` both ways.
 *
 * A bare `Worker` and no pool: the supervisor above needs the thread's own `exit` event, which comes after everything that
 * the thread had posted, and after which nothing of it runs.
 */
import { isMainThread, parentPort, type ResourceLimits, Worker } from "node:worker_threads"
import type { HostPort, LinkEvents, OpenLink } from "./HostLink.ts"

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
}

/** Opens a thread per call. */
export const open = (options: ThreadOptions): OpenLink => (events) => {
  let worker: Worker
  try {
    worker = new Worker(options.entry, {
      name: "troupe-host",
      ...(options.resourceLimits === undefined ? {} : { resourceLimits: options.resourceLimits }),
      ...(options.execArgv === undefined ? {} : { execArgv: [...options.execArgv] })
    })
  } catch (error) {
    queueMicrotask(() => events.exited(error instanceof Error ? error.message : String(error), error))
    return { post: () => {}, terminate: () => {} }
  }
  return attach(worker, events)
}

const attach = (worker: Worker, events: LinkEvents) => {
  let error: unknown
  let terminated = false
  const terminate = (): void => {
    if (terminated) return
    terminated = true
    void worker.terminate()
  }
  worker.on("message", (batch) => events.received(batch))
  worker.on("error", (thrown) => {
    error ??= thrown
  })
  worker.on("messageerror", (thrown) => {
    error ??= thrown
    terminate()
  })
  worker.on("exit", (code) => {
    worker.removeAllListeners()
    events.exited(
      error instanceof Error ? error.message : terminated ? "terminated" : `exited with code ${code}`,
      error
    )
  })
  return { post: (batch: unknown) => worker.postMessage(batch, []), terminate }
}

/** The thread's own end, or `undefined` in a main thread. */
export const port = (): HostPort | undefined => {
  const parent = parentPort
  if (isMainThread || parent === null) return undefined
  return {
    post: (batch, moved) => parent.postMessage(batch, moved),
    listen: (received) => void parent.on("message", received),
    exit: () => process.exit(0),
    onExit: (last) => void process.on("exit", last)
  }
}

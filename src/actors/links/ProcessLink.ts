/**
 * The link to a host in a child process: Node's own channel between parent and child, with structured clone both ways; or
 * where the parent only passes on what comes from another machine, a pipe with the very frames that come from there.
 *
 * A child shares no memory: typed arrays cross as copies, and what is memory itself (`Shared.Memory`, `Shared.Buffer`) is
 * refused. In return it may crash natively or eat memory and takes nobody with it.
 *
 * Nobody is left behind. The parent ends a child with SIGKILL, which ends a stopped one too, and says `exited` only after
 * the child is gone and all that it had sent was read. A child whose parent is gone ends by itself: at once when it is
 * idle or waiting, and within a second when it is in an endless loop, since a small thread of it watches the parent.
 * Ctrl-C reaches the whole process group: children leave SIGINT, SIGTERM and SIGHUP to their parent's decision.
 */
import { type ChildProcess, fork } from "node:child_process"
import { existsSync, readFileSync } from "node:fs"
import type { Socket } from "node:net"
import { fileURLToPath } from "node:url"
import { isMainThread, Worker } from "node:worker_threads"
import { deadline } from "../../time/deadline.ts"
import { runningTime } from "../../time/runningTime.ts"
import { MemoryLimitReached } from "../errors.ts"
import * as Frames from "./Frames.ts"
import { harm } from "./harm.ts"
import type { Command, HostLink, HostPort, LinkEvents, OpenLink, Report } from "./HostLink.ts"

export interface ProcessOptions {
  /** The module that calls `ActorHost.launch`: the same that serves a thread. A file. */
  readonly entry: URL
  /** Node's flags for the child. Default: those of this process. */
  readonly execArgv?: ReadonlyArray<string>
  /** What a child may take; it dies of more, with a `Death` that says so. Default: no limit but Node's own. */
  readonly memoryLimit?: MemoryLimit
  /** Whether what the child prints is dropped. Default: it goes to standard error. */
  readonly mute?: boolean
  /** What the entry is told besides; see `toldBy`. */
  readonly told?: string
}

/** In MiB. */
export interface MemoryLimit {
  /** The JavaScript heap (Node's `--max-old-space-size`). */
  readonly heap?: number
  /** All memory that the process holds, typed arrays and native memory included. Looked at ten times a second. */
  readonly resident?: number
}

/** What a child sends besides batches of reports, where its owner cannot look: the bytes it holds. */
interface Weight {
  readonly resident: number
}

/**
 * The first argument of a child, by which its entry knows that it is one; then come the parent's process id, what batches
 * travel by, and what it is told.
 */
const mark = "troupe-host"

/** What batches travel by: structured clones through Node's channel, or frames through a pipe. */
type Way = "clones" | "frames"

/** The child's end of the pipe. */
const pipeAt = 4

/** Milliseconds between two looks at a child's memory. */
const memoryWatch = 100

/** Milliseconds that an exited child's channel may take to be read to its end. */
const drain = 1000

const mebibyte = 1024 * 1024

/** Carries batches to and from a child. */
interface Channel<Sent> {
  readonly post: (batch: Sent) => void
  /** What has come is heard to its end, whether or not more could come. */
  readonly close: () => void
}
/** Calls `over` when nothing comes any more. */
type OpenChannel<Sent, Heard> = (
  child: ChildProcess,
  received: (batch: Heard) => void,
  over: () => void
) => Channel<Sent>

const clones: OpenChannel<ReadonlyArray<Command>, ReadonlyArray<Report>> = (child, received, over) => {
  child.on("message", (message: ReadonlyArray<Report> | Weight) => {
    if (isBatch(message)) received(message)
  })
  child.on("disconnect", over)
  return {
    post: (batch) => {
      for (const command of batch) refuseSharedMemory(command)
      child.send(batch, noop)
    },
    close: noop
  }
}

const frames: OpenChannel<Uint8Array, Uint8Array> = (child, received, over) => {
  // The pipe goes both ways.
  const pipe = child.stdio[pipeAt] as Socket
  const deframer = new Frames.Deframer((_kind, body) => received(body))
  deframer.limit = Frames.longFrame
  pipe.on("data", (chunk: Uint8Array) => {
    try {
      deframer.push(chunk)
    } catch {
      // Somebody else has written there.
      child.kill("SIGKILL")
    }
  })
  pipe.on("error", noop)
  pipe.on("close", over)
  return { post: (body) => Frames.sendBatch(pipe, body), close: () => void pipe.destroy() }
}

/** Opens a process per call. */
export const open = (options: ProcessOptions): OpenLink => opener(options, "clones", clones)

/** Opens a process per call, for who has batches as the bytes that they travel as. */
export const openFramed = (options: ProcessOptions): OpenLink<Uint8Array, Uint8Array> =>
  opener(options, "frames", frames)

const opener =
  <Sent, Heard>(options: ProcessOptions, way: Way, channel: OpenChannel<Sent, Heard>): OpenLink<Sent, Heard> =>
  (events) => {
    const { entry, memoryLimit, mute = false, told } = options
    const cannot = (reason: string, error?: unknown) => {
      queueMicrotask(() => events.exited(reason, error))
      return { post: () => {}, terminate: () => {} }
    }
    if (entry.protocol !== "file:") return cannot(`${entry.href} is no file: the entry of a process must be one`)
    const file = fileURLToPath(entry)
    if (!existsSync(file)) return cannot(`there is no file ${file}`)
    try {
      const child = fork(file, [mark, String(process.pid), way, ...(told === undefined ? [] : [told])], {
        serialization: "advanced",
        // A debugger's port belongs to one process.
        execArgv: [
          ...(options.execArgv ?? process.execArgv.filter((flag) => !flag.startsWith("--inspect"))),
          ...(memoryLimit?.heap === undefined ? [] : [`--max-old-space-size=${Math.ceil(memoryLimit.heap)}`])
        ],
        // Our standard output may be somebody's data: what a child prints goes where people read.
        stdio: ["ignore", mute ? "ignore" : 2, "pipe", "ipc", ...(way === "frames" ? ["pipe" as const] : [])]
      })
      return attach(child, events, memoryLimit ?? {}, mute, channel)
    } catch (error) {
      return cannot(error instanceof Error ? error.message : String(error), error)
    }
  }

const attach = <Sent, Heard>(
  child: ChildProcess,
  events: LinkEvents<Heard>,
  limit: MemoryLimit,
  mute: boolean,
  open: OpenChannel<Sent, Heard>
): HostLink<Sent> => {
  let error: unknown
  let terminated = false
  let ended: string | undefined
  let connected = true
  /** Whether something may still come. */
  let speaks = true
  let over = false
  /** What calls the drain off. */
  let draining: (() => void) | undefined
  const said = tail(child, mute)

  const terminate = (): void => {
    if (terminated) return
    terminated = true
    child.kill("SIGKILL")
  }
  const weigh = (resident: number): void => {
    if (limit.resident === undefined || resident <= limit.resident * mebibyte || terminated) return
    error ??= new MemoryLimitReached({ limit: limit.resident, resident: Math.round(resident / mebibyte) })
    terminate()
  }
  const watch = limit.resident === undefined
    ? undefined
    : setInterval(() => weigh(residentOf(child.pid)), memoryWatch)

  const exited = (reason: string): void => {
    if (over) return
    over = true
    clearInterval(watch)
    draining?.()
    channel.close()
    child.removeAllListeners()
    // A message that could not be sent to the dead is no news.
    child.on("error", () => {})
    child.stderr?.destroy()
    events.exited(error === undefined ? reason : textOf(error), error)
  }
  const perhapsOver = (): void => {
    if (ended === undefined) return
    if (!connected && !speaks) return exited(ended)
    const reason = ended
    draining ??= deadline(runningTime, drain, () => {
      if (child.connected) child.disconnect()
      exited(reason)
    })
  }

  const channel = open(child, (batch) => events.received(batch), () => {
    speaks = false
    perhapsOver()
  })
  child.on("message", (message: ReadonlyArray<Report> | Weight) => {
    if (!isBatch(message)) weigh(message.resident)
  })
  child.on("error", (thrown) => {
    if (child.pid !== undefined) return
    error ??= thrown
    exited(thrown.message)
  })
  child.on("disconnect", () => {
    connected = false
    perhapsOver()
    // A child that closes its channel but lives on is none of ours any more.
    if (ended === undefined) draining ??= deadline(runningTime, drain, terminate)
  })
  child.on("exit", (code, signal) => {
    draining?.()
    draining = undefined
    ended = terminated ? "terminated" : said(code, signal)
    if (error === undefined && !terminated && /heap out of memory/.test(ended)) {
      error = new MemoryLimitReached(limit.heap === undefined ? {} : { limit: limit.heap })
    }
    perhapsOver()
  })
  return { post: channel.post, terminate }
}

const noop = (): void => {}

const isBatch = (message: ReadonlyArray<Report> | Weight): message is ReadonlyArray<Report> => Array.isArray(message)

const textOf = (error: unknown): string => error instanceof Error ? error.message : String(error)

/** Passes on what the child writes to its standard error, and keeps the end of it: it may say why the child ended. */
const tail = (child: ChildProcess, mute: boolean) => {
  let kept = ""
  child.stderr?.on("data", (text: Buffer) => {
    if (!mute) process.stderr.write(text)
    kept = (kept + text.toString()).slice(-8192)
  })
  return (code: number | null, signal: string | null): string => {
    const how = signal === null ? `exited with code ${code}` : `ended by ${signal}`
    if (code === 0) return how
    const why = /^.*(?:Error\b.*:|heap out of memory).*$/m.exec(kept)?.[0].trim()
    return why === undefined ? how : `${how}: ${why}`
  }
}

/** Bytes of memory that a process holds, as Linux tells it; elsewhere the child reports for itself, and this says 0. */
const residentOf = (pid: number | undefined): number => {
  if (pid === undefined || process.platform !== "linux") return 0
  try {
    return Number(/^VmRSS:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024
  } catch {
    return 0
  }
}

// ------------------------------------------------------------------------------------------- what cannot be copied

/** Throws when a command holds shared memory, naming the field. Views on shared memory are copied, as all views are. */
const refuseSharedMemory = (command: Command): void => {
  const found = command[0] === "message"
    ? sharedAt(command[5], "payload")
    : command[0] === "start"
    ? sharedAt(command[1].config, "config") ?? sharedAt(command[1].state, "state")
    : undefined
  if (found === undefined) return
  throw new Error(`${found}, and a child process shares no memory: send a typed array, which is copied`)
}

const sharedAt = (value: unknown, path: string): string | undefined => {
  if (typeof value !== "object" || value === null || ArrayBuffer.isView(value)) return undefined
  if (value instanceof SharedArrayBuffer) return `${path} is a SharedArrayBuffer`
  if (Object.prototype.toString.call(value) === "[object WebAssembly.Memory]") return `${path} is a WebAssembly.Memory`
  for (const [key, part] of Object.entries(value)) {
    const found = sharedAt(part, Array.isArray(value) ? `${path}[${key}]` : `${path}.${key}`)
    if (found !== undefined) return found
  }
  return undefined
}

// ---------------------------------------------------------------------------------------------------- the child's end

/** Ends the process when its parent is gone, also when the main thread is busy for ever. */
const watcher = `
  const { workerData } = require("node:worker_threads")
  setInterval(() => { if (process.ppid !== workerData) process.kill(process.pid, "SIGKILL") }, 500)
`

/** What whoever started this process has told it besides; undefined in a process that is no host. */
export const toldBy = (argv: ReadonlyArray<string>): string | undefined =>
  isMainThread && argv[2] === mark ? argv[5] : undefined

type Carrier = Pick<HostPort, "post" | "listen" | "exit">

const throughClones = (send: NonNullable<typeof process.send>): Carrier => ({
  post: (batch) => void send(batch, undefined, undefined, noop),
  listen: (received) => void process.on("message", (batch: ReadonlyArray<Command>) => received(batch)),
  // After all that was posted has left.
  exit: () => void send([], undefined, undefined, () => process.exit(0))
})

const throughPipe = (): Carrier => {
  const { Socket } = process.getBuiltinModule("node:net")
  const pipe = new Socket({ fd: pipeAt, readable: true, writable: true })
  // Who is not there any more has closed Node's channel too.
  pipe.on("error", noop)
  const writer = new Frames.BatchWriter()
  return {
    post: (batch) => Frames.sendBatch(pipe, writer.bytesOf(batch)),
    listen: (received) => {
      // Whoever knows the secret sends commands, and what is none ends this host alone.
      const deframer = new Frames.Deframer((_kind, body) => received(Frames.readBatch(body) as ReadonlyArray<Command>))
      deframer.limit = Frames.longFrame
      pipe.on("data", (chunk: Uint8Array) => deframer.push(chunk))
    },
    exit: () => void pipe.end(() => process.exit(0))
  }
}

/** The child's own end, or `undefined` in a process that is no host. */
export const port = (): HostPort | undefined => {
  const send = process.send?.bind(process)
  if (!isMainThread || send === undefined || process.argv[2] !== mark) return undefined
  const parent = Number(process.argv[3])
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, noop)
  process.once("disconnect", () => process.exit(0))
  // Not printed: the parent is told, and its supervision decides what it means.
  process.on("uncaughtException", () => process.exit(1))
  const { exit, listen, post } = process.argv[4] === "frames" ? throughPipe() : throughClones(send)
  return {
    post,
    listen: (received) => {
      listen(received)
      // To start a thread takes a while: our first word leaves before, and the first command is not heard before that.
      setImmediate(() => new Worker(watcher, { eval: true, workerData: parent, execArgv: [] }).unref())
      // Whoever can, reads it from outside, whatever we do meanwhile.
      if (process.platform !== "linux") {
        setInterval(() => void send({ resident: process.memoryUsage.rss() }, undefined, undefined, noop), memoryWatch)
          .unref()
      }
    },
    exit,
    harm,
    onExit: (last) => void process.on("exit", last)
  }
}

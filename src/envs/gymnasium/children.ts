/**
 * The Python processes of this program. The program's first thread starts them all, since it alone is there to the end: the
 * children of a thread that is ended would stay behind as zombies. Other threads ask it to.
 */
import * as Effect from "effect/Effect"
import { type ChildProcess, spawn } from "node:child_process"
import * as fs from "node:fs"
import { join } from "node:path"
import { BroadcastChannel, isMainThread } from "node:worker_threads"

/** A Python process that is wanted. */
export interface Wanted {
  readonly python: string
  readonly args: ReadonlyArray<string>
  /** The folder in which both ends meet; what ends the process before they have is left there. */
  readonly folder: string
}

const children = new Set<ChildProcess>()
/** Whether they are ended when the program ends in haste. */
let ending = false

/** The file in the folder that says how a process ended, before both ends had met. */
export const endedFile = "ended"
/** How that begins where a signal has ended it. */
export const killed = "it was ended by"
/** The file that takes what the process prints. */
export const logFile = "log"
/** Made by whoever starts the process: of two that would, one can. */
const claimed = "claimed"

const claim = (folder: string): boolean => {
  try {
    fs.mkdirSync(join(folder, claimed))
    return true
  } catch {
    return false
  }
}

/** Starts a process that nobody else has started. */
const start = ({ args, folder, python }: Wanted): void => {
  if (!claim(folder)) return
  /** Nobody waits for it any more where the folder is gone. */
  const tell = (text: string) => {
    try {
      fs.writeFileSync(join(folder, endedFile), text)
    } catch {
      // The two ends have met, and see for themselves.
    }
  }
  let log: number
  try {
    log = fs.openSync(join(folder, logFile), "a")
  } catch {
    return
  }
  const child = spawn(python, args, {
    stdio: ["ignore", log, log],
    // Environments are small, and there are as many processes as cores: more threads would only wait for one another.
    env: {
      OMP_NUM_THREADS: "1",
      OPENBLAS_NUM_THREADS: "1",
      MKL_NUM_THREADS: "1",
      PYGAME_HIDE_SUPPORT_PROMPT: "1",
      SDL_VIDEODRIVER: "dummy",
      ...process.env
    }
  })
  fs.closeSync(log)
  child.once("error", (error) => tell(`${python} cannot be started: ${error.message}`))
  child.once("exit", (code, signal) => {
    children.delete(child)
    tell(signal === null ? `it ended with exit code ${code}` : `${killed} ${signal}`)
  })
  if (child.pid === undefined) return
  // It ends when we close our end of the pipes: no program waits for it.
  child.unref()
  if (!ending) process.once("exit", endAll)
  ending = true
  children.add(child)
}

const endAll = () => {
  for (const child of children) child.kill("SIGKILL")
}

const channelName = "troupe/gymnasium"
let listening = false

/** From now on other threads' wishes are heard here. For the program's first thread. */
export const listen = (): void => {
  if (listening || !isMainThread) return
  listening = true
  const channel = new BroadcastChannel(channelName)
  // oxlint-disable-next-line unicorn/prefer-add-event-listener -- Node's channel has no listeners
  channel.onmessage = (message: unknown) => {
    if (typeof message !== "object" || message === null || !("data" in message)) return
    const wanted = message.data
    if (isWanted(wanted)) start(wanted)
  }
  channel.unref()
}

const isWanted = (value: unknown): value is Wanted =>
  typeof value === "object" && value !== null && "python" in value && "args" in value && "folder" in value

/**
 * Has a process started. `overdue` starts it from this thread after all: its first thread may know nothing of Gymnasium, or
 * be busy for long.
 */
export const request = (wanted: Wanted): { readonly overdue: () => void } => {
  if (isMainThread) {
    listen()
    start(wanted)
  } else {
    const channel = new BroadcastChannel(channelName)
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- no window's
    channel.postMessage(wanted)
    channel.close()
  }
  return { overdue: () => start(wanted) }
}

/** Milliseconds that processes may take to go when the program ends. */
const goingMillis = 1000

/** Ends all that are there, and waits until they are gone. */
export const childrenGone: Effect.Effect<void> = Effect.callback((resume) => {
  if (children.size === 0) return resume(Effect.void)
  const timer = setTimeout(() => resume(Effect.void), goingMillis)
  const gone = () => {
    if (children.size > 0) return
    clearTimeout(timer)
    resume(Effect.void)
  }
  for (const child of children) {
    child.ref()
    child.once("exit", gone)
  }
  endAll()
})

/**
 * What the threads and child processes of this program take of the machine, from one look to the next. Linux tells it of each;
 * elsewhere only the program as a whole is known.
 */
import { readdirSync, readFileSync } from "node:fs"
import type { Load } from "./Message.ts"

/** Ticks of the operating system's clock in a second, as it counts processor time for programs. */
const ticks = 100
/** Bytes of a page of memory. */
const pageBytes = 4096
/** Child processes that are looked at. */
const mostChildren = 64

/** Processor time in ticks, and memory in pages, of a thread or process. */
interface Taken {
  readonly command: string
  readonly ticks: number
  readonly pages: number
}

const takenBy = (file: string): Taken | undefined => {
  try {
    const stat = readFileSync(file, "latin1")
    // The name is in parentheses and may hold anything; after it come the state, ...
    const end = stat.lastIndexOf(")")
    const fields = stat.slice(end + 2).split(" ")
    return {
      command: stat.slice(stat.indexOf("(") + 1, end),
      ticks: Number(fields[11]) + Number(fields[12]),
      pages: Number(fields[21])
    }
  } catch {
    return undefined
  }
}

const entries = (folder: string): ReadonlyArray<string> => {
  try {
    return readdirSync(folder)
  } catch {
    return []
  }
}

/** The children of a process, and theirs. */
const childrenOf = (process: string, depth = 3): ReadonlyArray<string> => {
  if (depth === 0) return []
  const found = entries(`/proc/${process}/task`).flatMap((task) => {
    try {
      return readFileSync(`/proc/${process}/task/${task}/children`, "latin1").split(" ").filter((pid) => pid !== "")
    } catch {
      return []
    }
  })
  return found.flatMap((pid) => [pid, ...childrenOf(pid, depth - 1)]).slice(0, mostChildren)
}

/** The name that `ThreadLink` gives the threads that are hosts. */
const hostThread = "troupe-host"

/** Milliseconds between two looks: often enough to see it, and seldom enough not to be seen in it. */
const every = 1000

/** Looks at the load; each answer is of the time since the last. */
export class LoadWatch {
  private before = new Map<string, number>()
  private at = performance.now()
  private used = process.cpuUsage()

  /** The load, where it was not looked at just before. */
  get due(): ReadonlyArray<Load> | undefined {
    return performance.now() - this.at < every ? undefined : this.look()
  }

  look(): ReadonlyArray<Load> {
    const now = performance.now()
    const seconds = Math.max(0.001, (now - this.at) / 1000)
    this.at = now
    const after = new Map<string, number>()
    const coresOf = (key: string, taken: number): number => {
      after.set(key, taken)
      return (taken - (this.before.get(key) ?? taken)) / ticks / seconds
    }
    const pid = String(process.pid)
    const threads = entries(`/proc/${pid}/task`).flatMap((task) => {
      const taken = takenBy(`/proc/${pid}/task/${task}/stat`)
      return taken === undefined ? [] : [{ task, ...taken }]
    })
    const used = process.cpuUsage(this.used)
    this.used = process.cpuUsage()
    const load: Array<Load> = [{
      name: "this program",
      cores: (used.user + used.system) / 1e6 / seconds,
      memory: process.memoryUsage.rss()
    }]
    let others = 0
    let hosts = 0
    for (const { command, task, ticks } of threads) {
      const cores = coresOf(`thread ${task}`, ticks)
      if (task === pid) load.push({ name: "its main thread", cores, memory: null })
      else if (command === hostThread) load.push({ name: `host thread ${hosts++}`, cores, memory: null })
      else others += cores
    }
    if (threads.length > 0) {
      load.push({ name: "compiling, collecting garbage, files", cores: others, memory: null })
      for (const child of childrenOf(pid)) {
        const taken = takenBy(`/proc/${child}/stat`)
        if (taken === undefined) continue
        const cores = coresOf(`process ${child}`, taken.ticks)
        load.push({ name: `process ${child}`, cores, memory: taken.pages * pageBytes })
      }
    }
    this.before = after
    return load.map((one) => ({ ...one, cores: Math.max(0, Number(one.cores.toFixed(2))) }))
  }
}

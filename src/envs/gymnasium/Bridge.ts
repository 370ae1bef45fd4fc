/**
 * This end of the bridge to Gymnasium (`bridge.py` is the other): a Python process with environments of one id, and two named
 * pipes on which it is asked and answers. Environments are stepped in the middle of a rollout, which waits for nobody: so
 * asking waits in place, in small naps, until there is an answer, the process is gone, or it takes too long.
 *
 * A process that is gone is begun anew by whoever asks; what was in it is then gone too, and the environments say how they
 * come back (`World.ts`).
 */
import * as Schema from "effect/Schema"
import { randomUUID } from "node:crypto"
import * as fs from "node:fs"
import { tmpdir, totalmem } from "node:os"
import { delimiter, join } from "node:path"
import { fileURLToPath } from "node:url"
import { companion } from "../../companions.ts"
import { fromJson } from "../../text/json.ts"
import { plainLine } from "../../text/plainLine.ts"
import { endedFile, killed, logFile, request } from "./children.ts"

/** What both ends must agree on. */
const version = 1

/** What can be asked. The numbers are those of `bridge.py`. */
export const asked = { open: 1, reset: 2, step: 3, replay: 4, info: 5, close: 6 } as const
const fault = 2

/** What is to be opened. */
export interface Opening {
  /** Gymnasium's id. */
  readonly id: string
  /** The Python module that registers it; null for none. */
  readonly module: string | null
  readonly kwargs: object
  /** Steps after which an episode is cut; 0: as the environment says. */
  readonly limit: number
}

/** Why there is no bridge, as the end of a sentence. It would be the same if it were tried again. */
export class NoBridge extends Error {
  readonly _tag = "NoBridge"
}

/** The process has ended, or does not answer. */
export class Gone extends Error {
  readonly _tag = "Gone"
  /** It was there, and gave no answer. */
  readonly silent: boolean

  constructor(reason: string, silent = false) {
    super(reason)
    this.silent = silent
  }
}

/** What an environment did that it must not do, and which; null where it is none. */
export class WorldFault extends Error {
  readonly _tag = "WorldFault"
  readonly world: number | null

  constructor(reason: string, world: number | null) {
    super(reason)
    this.world = world
  }
}

const decode = Schema.decodeUnknownSync(fromJson(Schema.Unknown))

/** What Python says as JSON. */
export const fromPython = (payload: Uint8Array): unknown => decode(new TextDecoder().decode(payload))

const nap = new Int32Array(new SharedArrayBuffer(4))
/** Does nothing for so many milliseconds, and answers how many it took; where the program was stopped meanwhile, few. */
const sleep = (millis: number): number => {
  const before = performance.now()
  Atomics.wait(nap, 0, 0, millis)
  return Math.min(performance.now() - before, millis + 50)
}

/** Milliseconds of the shortest nap, and of the longest. */
const shortNap = 0.05
const longNap = 2
/** Milliseconds after which a process that another thread should have started is started here. */
const overdueAfter = 2000
/** Milliseconds that a process may take to begin. */
const startMillis = 60_000
const headBytes = 8

const variable = (name: string): string | undefined => {
  const value = process.env[name]
  return value === undefined || value.trim() === "" ? undefined : value
}

const positive = (name: string, byDefault: number): number => {
  const text = variable(name)
  if (text === undefined) return byDefault
  const value = Number(text)
  if (Number.isFinite(value) && value > 0) return value
  throw new NoBridge(`${name} must be a number above 0; ${plainLine(text, 40)} is not`)
}

/** The Python that is asked for, or the first of the usual names that there is. */
const pythonOf = (): string => {
  const named = variable("TROUPE_PYTHON")
  if (named !== undefined) return named
  const folders = (process.env["PATH"] ?? "").split(delimiter).filter((folder) => folder !== "")
  const found = ["python3", "python"].flatMap((name) => folders.map((folder) => join(folder, name))).find((file) => {
    try {
      fs.accessSync(file, fs.constants.X_OK)
      return true
    } catch {
      return false
    }
  })
  if (found !== undefined) return found
  throw new NoBridge("there is no python3 on the PATH: install Python 3.10 or newer, or name one with TROUPE_PYTHON")
}

const half = (): number => {
  const constrained = process.constrainedMemory()
  const all = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem()
  return Math.floor(all / 2 / 1_048_576)
}

const codeOf = (cause: unknown): unknown =>
  typeof cause === "object" && cause !== null && "code" in cause ? cause.code : undefined

/** A process that is being started, or runs. */
interface Line {
  readonly folder: string
  readonly overdue: () => void
  requests: number
  answers: number
  log: number
  pid: number
  /** How far the two ends are: the pipes are to be opened; the process has to say who it is; to say what it has opened. */
  stage: "pipes" | "hello" | "opening" | "open"
}

export class Bridge {
  readonly opening: Opening
  /** Grows with every process: what was in an earlier one is gone. */
  generation = 0
  /** What the process has opened, as it says. */
  described: unknown
  private line: Line | undefined
  /** Milliseconds that an answer may take. */
  private readonly deadline: number
  private readonly memory: number
  private readonly python: string
  private buffer = new Uint8Array(65_536)
  /** Bytes of the message under way that have come. */
  private have = 0
  /** Milliseconds that an answer takes, lately. */
  private expected = 0

  /** Throws a NoBridge where there can be none. */
  constructor(opening: Opening) {
    if (process.platform === "win32") {
      throw new NoBridge("environments of Gymnasium need named pipes, which Windows does not have: take Linux or macOS")
    }
    this.opening = opening
    this.deadline = 1000 * positive("TROUPE_PYTHON_DEADLINE", 20)
    this.memory = Math.floor(positive("TROUPE_PYTHON_MEMORY", half()))
    this.python = pythonOf()
  }

  /** Whether it can be asked. */
  get isOpen(): boolean {
    return this.line?.stage === "open"
  }

  /** Starts a process; `advance` says when it is ready. */
  start(): void {
    this.end()
    const folder = join(tmpdir(), `troupe-gymnasium-${randomUUID()}`)
    fs.mkdirSync(folder, { recursive: true, mode: 0o700 })
    const program = fileURLToPath(companion("bridge.py", "envs/gymnasium/bridge.py"))
    const args = [program, String(version), folder, String(this.memory)]
    const { overdue } = request({ python: this.python, args, folder })
    this.line = { folder, overdue, requests: -1, answers: -1, log: -1, pid: 0, stage: "pipes" }
    this.have = 0
  }

  /** Goes as far towards being open as can be without waiting; answers whether it is. Throws a NoBridge or a Gone. */
  advance(): boolean {
    const { line } = this
    if (line === undefined) throw new Gone("it is not there")
    if (line.stage === "pipes") {
      if (!this.meet(line)) return false
      line.stage = "hello"
    }
    while (line.stage !== "open") {
      const payload = this.receive(line)
      if (payload === undefined) return false
      const said: unknown = fromPython(payload)
      if (line.stage === "opening") {
        this.described = said
        line.stage = "open"
        this.generation += 1
      } else {
        const hello = typeof said === "object" && said !== null ? said : {}
        if (!("version" in hello) || hello.version !== version) {
          throw new NoBridge(`its bridge is of another version than this program: install the program anew`)
        }
        line.pid = "pid" in hello && typeof hello.pid === "number" ? hello.pid : 0
        this.forgetFolder(line)
        this.send(line, asked.open, new TextEncoder().encode(JSON.stringify(this.opening)))
        line.stage = "opening"
      }
    }
    return true
  }

  /** Starts a process and waits until it is open. Throws a NoBridge or a Gone. */
  startNow(): void {
    this.start()
    let waited = 0
    while (!this.advance()) {
      waited += sleep(longNap)
      this.checkStart(waited)
    }
  }

  /** To be called while it starts, with the milliseconds that it has taken so far. */
  checkStart(waited: number): void {
    if (waited > overdueAfter && this.line?.stage === "pipes") this.line.overdue()
    if (waited <= startMillis) return
    this.end()
    throw new NoBridge(`its Python process does not begin within ${startMillis / 1000} s`)
  }

  /** Asks, and waits for the answer, good until it is asked again. Throws a Gone or a WorldFault. */
  ask(kind: number, payload: Uint8Array): Uint8Array {
    const { line } = this
    if (line?.stage !== "open") throw new Gone("it is not there")
    this.send(line, kind, payload)
    // Mostly an answer takes as long as the one before it.
    let waited = this.expected > 4 * shortNap ? sleep(this.expected / 2) : 0
    for (let naps = 0;; naps++) {
      const answer = this.receive(line)
      if (answer !== undefined) {
        this.expected = 0.8 * this.expected + 0.2 * waited
        return answer
      }
      waited += sleep(Math.min(longNap, shortNap * (1 + naps / 16)))
      if (waited > this.deadline) this.tooLong()
    }
  }

  /** What the process printed last, as the end of a sentence. */
  lastWords(): string {
    const log = this.line?.log ?? -1
    if (log < 0) return ""
    const bytes = new Uint8Array(4096)
    const { size } = fs.fstatSync(log)
    const count = fs.readSync(log, bytes, 0, bytes.length, Math.max(0, size - bytes.length))
    const last = new TextDecoder().decode(bytes.subarray(0, count)).trim().split("\n").at(-1)?.trim() ?? ""
    return last === "" ? "" : `; its last words: ${plainLine(last, 200)}`
  }

  /** Leaves the process, which then ends. */
  end(): void {
    const { line } = this
    this.line = undefined
    if (line === undefined) return
    for (const file of [line.requests, line.answers, line.log]) if (file >= 0) fs.closeSync(file)
    if (line.stage === "pipes") line.overdue()
    this.forgetFolder(line)
  }

  private tooLong(): never {
    const { line } = this
    // It may not even be able to see that we leave.
    if (line !== undefined && line.pid > 0) {
      try {
        process.kill(line.pid, "SIGKILL")
      } catch {
        // It has gone meanwhile.
      }
    }
    throw new Gone(`it gave no answer within ${this.deadline / 1000} s (TROUPE_PYTHON_DEADLINE)`, true)
  }

  private forgetFolder({ folder }: Line): void {
    fs.rmSync(folder, { recursive: true, force: true })
  }

  /** Opens both pipes, once the process has made them. */
  private meet(line: Line): boolean {
    const { folder } = line
    try {
      if (line.answers < 0) {
        line.answers = fs.openSync(join(folder, "answers"), fs.constants.O_RDONLY | fs.constants.O_NONBLOCK)
      }
      line.requests = fs.openSync(join(folder, "requests"), fs.constants.O_WRONLY | fs.constants.O_NONBLOCK)
      line.log = fs.openSync(join(folder, logFile), fs.constants.O_RDONLY)
      return true
    } catch (cause) {
      const code = codeOf(cause)
      if (code !== "ENOENT" && code !== "ENXIO") throw cause
      this.checkBegun(line)
      return false
    }
  }

  /** Throws where the process has said that it cannot begin, or has ended. */
  private checkBegun(line: Line): void {
    const problem = textOf(join(line.folder, "problem"))
    const ended = problem ?? textOf(join(line.folder, endedFile))
    if (ended === undefined) return
    const last = textOf(join(line.folder, logFile))?.trim().split("\n").at(-1)?.trim() ?? ""
    const words = problem !== undefined || last === "" ? "" : `; its last words: ${plainLine(last, 200)}`
    this.end()
    // Who is killed may begin the next time; who ends by itself would do so again.
    if (problem === undefined && ended.startsWith(killed)) throw new Gone(ended)
    throw new NoBridge(problem ?? `its Python process (${this.python}) did not begin: ${ended}${words}`)
  }

  /** Writes a message as whole; waits where the pipe is full. */
  private send(line: Line, kind: number, payload: Uint8Array): void {
    const message = new Uint8Array(headBytes + payload.length)
    new DataView(message.buffer).setUint32(0, payload.length, true)
    message[4] = kind
    message.set(payload, headBytes)
    let waited = 0
    for (let at = 0; at < message.length;) {
      try {
        at += fs.writeSync(line.requests, message, at)
      } catch (cause) {
        if (codeOf(cause) !== "EAGAIN") throw new Gone("it ended")
        waited += sleep(shortNap)
        if (waited > this.deadline) this.tooLong()
      }
    }
  }

  /** The message that has come, if one has come whole. */
  private receive(line: Line): Uint8Array | undefined {
    while (true) {
      const need = this.have < headBytes ? headBytes : headBytes + this.length()
      if (this.have === need && need > headBytes) break
      if (need > this.buffer.length) {
        const grown = new Uint8Array(2 * need)
        grown.set(this.buffer.subarray(0, this.have))
        this.buffer = grown
      }
      let count: number
      try {
        count = this.have === need ? 0 : fs.readSync(line.answers, this.buffer, this.have, need - this.have, null)
      } catch (cause) {
        if (codeOf(cause) === "EAGAIN") return undefined
        throw cause
      }
      if (count === 0) {
        if (this.have === headBytes && this.length() === 0) break
        // Nobody has the other end: it has not been opened yet, or is closed again.
        if (line.stage !== "hello") throw new Gone("it ended")
        this.checkBegun(line)
        return undefined
      }
      this.have += count
      if (this.have === headBytes && this.length() === 0) break
    }
    const kind = this.buffer[4]
    const payload = this.buffer.subarray(headBytes, this.have)
    this.have = 0
    if (kind !== fault) return payload
    const said: unknown = fromPython(payload)
    const { reason, world } = { reason: "it failed", world: null, ...(typeof said === "object" ? said : {}) }
    if (line.stage === "opening") {
      this.end()
      throw new NoBridge(String(reason))
    }
    throw new WorldFault(String(reason), typeof world === "number" ? world : null)
  }

  private length(): number {
    return new DataView(this.buffer.buffer).getUint32(0, true)
  }
}

const textOf = (file: string): string | undefined => {
  try {
    return fs.readFileSync(file, "utf8")
  } catch {
    return undefined
  }
}

/**
 * How the program ends: by itself, by a signal, or because whoever read it or had started it is gone.
 *
 * The first signal asks for an orderly end: what is written, is written whole, a last checkpoint among it. Once the end
 * has come nothing is waited for any more but the last words: a timer, a server or a watcher that the module of an
 * environment has left behind keeps no program alive, and the exit code is the run's own.
 */
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Runtime from "effect/Runtime"
import * as Schema from "effect/Schema"
import { readFileSync } from "node:fs"
import { Writable } from "node:stream"
import { thrownPlace, thrownWords } from "../../envs/thrown.ts"
import { plainLine } from "../../text/plainLine.ts"

/** The exit codes of the signals that end a program: 128 and the signal's number. */
const signals = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const
/** The exit code of whoever writes where nobody reads: that of SIGPIPE. */
const readerGone = 141

/** Milliseconds in which a second signal is the first one once more: npm passes on what the terminal has sent us already. */
const echo = 250
/** Milliseconds between two looks at whether the parent is still there. */
const parentWatch = 250

/** What was thrown in this thread where nobody waited for it: by a timer, or a promise that nobody looks at. */
export class Uncaught extends Schema.TaggedError<Uncaught>()("Uncaught", {
  when: Schema.String,
  thrown: Schema.String,
  place: Schema.NullOr(Schema.String)
}) {
  override get message(): string {
    return `${this.when}: ${this.thrown}${this.place === null ? "" : ` (at ${this.place})`}.`
  }
}

/** Hears of what nobody caught, while there is somebody. */
let fail: ((error: Uncaught) => void) | undefined

/** Fails with what nobody catches meanwhile: work that is interrupted by it can still put away what it has. */
export const untilUncaught = <A, E, R>(work: Effect.Effect<A, E, R>): Effect.Effect<A, E | Uncaught, R> =>
  Effect.raceFirst(
    work,
    Effect.callback<never, Uncaught>((resume) => {
      fail = (error) => resume(Effect.fail(error))
      return Effect.sync(() => {
        fail = undefined
      })
    })
  )

/**
 * Runs the program to its end, and ends the process with it. `codeOf` says the exit code of what came of it; that of an
 * interruption is `interrupted`. Call it once, last.
 */
export const runMain = (
  program: Effect.Effect<unknown, unknown>,
  codeOf: (exit: Exit.Exit<unknown, unknown>, interrupted: number) => number
): void => {
  let interrupt = () => {}
  /** What interrupted the program, as an exit code, and when. */
  let asked: { readonly code: number; readonly at: number } | undefined
  /** The exit code, once it is settled. */
  let settled: number | undefined

  const leave = (code: number): never => {
    settled = code
    // What an environment had set, sets or says in a listener of its own, is not the run's.
    const { exit } = process
    process.exit = () => exit(code)
    process.on("exit", () => {
      process.exitCode = code
    })
    return exit(code)
  }
  const ask = (code: number): void => {
    if (settled !== undefined) return leave(settled)
    if (asked === undefined) {
      asked = { code, at: performance.now() }
      return interrupt()
    }
    // Whoever asks again has waited long enough.
    if (performance.now() - asked.at >= echo) leave(asked.code)
  }

  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    // Those of `processOne.js`.
    process.removeAllListeners(signal)
    process.on(signal, () => ask(signals[signal]))
  }
  // Whoever read our output has gone (`| head -1`), or there is no room for it: what was done is still written down.
  for (const stream of [process.stdout, process.stderr]) {
    stream.once("error", (error: NodeJS.ErrnoException) => {
      stream.on("error", () => {})
      if (error.code === "EPIPE") return ask(readerGone)
      say(`The output cannot be written: ${error.message}.`)
      ask(1)
    })
  }
  // What an environment throws in this thread when nobody waits for it: the run cannot be trusted to go on.
  process.once("uncaughtException", (error) => {
    process.on("uncaughtException", () => {})
    const when = settled === undefined ? "The run is ended by what nobody caught" : "Thrown after the end"
    const uncaught = new Uncaught({ when, thrown: thrownWords(error), place: thrownPlace(error) ?? null })
    if (fail !== undefined && asked === undefined && settled === undefined) return fail(uncaught)
    say(uncaught.message)
    ask(1)
  })
  whenParentGoes(() => ask(signals.SIGTERM))
  process.once("exit", () => {
    if (settled !== undefined) return
    say("The program was ended from within, by process.exit in an environment or a library.")
    process.exitCode = 1
  })

  const run = Runtime.makeRunMain(({ fiber }) => {
    interrupt = () => fiber.interruptUnsafe(fiber.id)
    fiber.addObserver((exit) => {
      const code = codeOf(exit, asked?.code ?? signals.SIGINT)
      settled = code
      afterLastWords(() => leave(code))
    })
  })
  run(program, { disableErrorReporting: true })
}

const say = (text: string) => process.stderr.write(`${plainLine(text)}\n`)

/** Calls `then` when all that was printed is on its way. Mostly it is: only to sockets, and on Windows, does Node write later. */
const afterLastWords = (then: () => void): void => {
  const waiting = [process.stdout, process.stderr].filter((stream) => stream.writableLength > 0 && !stream.destroyed)
  if (waiting.length === 0) return then()
  let left = waiting.length
  // Not by their own `write`, which may lead elsewhere (`reporting/StandardOutput.ts`).
  for (const stream of waiting) Writable.prototype.write.call(stream, "", "utf8", () => --left === 0 && then())
}

/**
 * Calls `gone` when npm, where it has started us by a script, is no more, or its shell: npm passes a signal on to that shell,
 * which dies of it and tells nobody; or npm dies, and the shell waits for us. Whoever was put into the background there is
 * meant to outlive both.
 */
const whenParentGoes = (gone: () => void): void => {
  const { npm_lifecycle_event: event, npm_lifecycle_script: script = "" } = process.env
  if (event === undefined || /[^&>]&\s*(?:$|[^&>\s])/.test(script)) return
  const parent = process.ppid
  const starter = shellsParent(parent)
  const timer = setInterval(() => {
    if (isThere(parent) && [starter, undefined].includes(shellsParent(parent))) return
    clearInterval(timer)
    gone()
  }, parentWatch)
  timer.unref()
}

const isThere = (parent: number): boolean => {
  if (process.platform !== "win32") return process.ppid === parent
  try {
    return process.kill(parent, 0)
  } catch {
    return false
  }
}

/** Who has started `process`, if that is a shell with one command, as npm starts it. Linux alone tells. */
const shellsParent = (process: number): number | undefined => {
  try {
    const [, option] = readFileSync(`/proc/${process}/cmdline`, "utf8").split("\0")
    if (option !== "-c") return undefined
    return Number(/^PPid:\s+(\d+)$/m.exec(readFileSync(`/proc/${process}/status`, "utf8"))?.[1])
  } catch {
    return undefined
  }
}

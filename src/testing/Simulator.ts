/**
 * One thread, one virtual clock, one seed: everything that runs in a simulated actor system runs here, one task at a
 * time, and what comes next is a decision.
 *
 * There is a side for the owner and one for each incarnation of a host: what dies together. Every side has an event loop,
 * a clock and a scheduler of its own, so that its death drops what it had still to do, in the middle of whatever that was. A run
 * is synchronous from its beginning to its end; so a breakpoint stops all of it, and what waits for the real world waits for
 * ever, and is told so.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { Random, type Random as RandomService } from "effect/Random"
import * as Scheduler from "effect/Scheduler"
import { EventLoop } from "../actors/EventLoop.ts"
import { Turn } from "../actors/Turn.ts"
import { Agenda, type Entry, isBefore } from "../time/Agenda.ts"
import type { Decisions } from "./Decisions.ts"

/** A run that takes more steps, or more virtual milliseconds, is not expected to end. */
export interface Limits {
  readonly steps: number
  readonly millis: number
}

interface Task {
  readonly side: Side
  readonly run: () => void
}

interface Timer extends Entry {
  readonly side: Side
  run: ((paused: boolean) => void) | undefined
  /** Whether it goes by the time in which the program ran, and so hears of pauses. */
  readonly patient: boolean
}

/** What dies together: the owner, or one incarnation of a host. */
export class Side {
  readonly name: string
  readonly context: Context.Context<never>
  /** Nothing of it runs any more: it is dead, or stuck for ever. */
  gone = false
  /** Called once, after so many further tasks of this side. */
  private fate: { tasks: number; readonly strike: () => void } | undefined
  private readonly simulator: Simulator
  /** What becomes of an error that nobody caught. */
  readonly uncaught: (error: unknown) => void

  constructor(simulator: Simulator, name: string, uncaught: (error: unknown) => void) {
    this.simulator = simulator
    this.name = name
    this.uncaught = uncaught
    const soon = (run: () => void): void => void simulator.micro.push({ side: this, run })
    const clock = new VirtualClock(simulator, this)
    const scheduler: Scheduler.Scheduler = {
      executionMode: "async",
      shouldYield: (fiber) => fiber.currentOpCount >= simulator.slice,
      makeDispatcher: () => ({
        scheduleTask: (run) => void simulator.ready.push({ side: this, run }),
        flush: () => {}
      })
    }
    this.context = Context.empty().pipe(
      Context.add(Clock.Clock, clock),
      Context.add(Scheduler.Scheduler, scheduler),
      Context.add(Random, simulator.random),
      Context.add(EventLoop, {
        now: () => simulator.time,
        after: (millis, task) => simulator.after(this, millis, task, true),
        soon,
        turn: new Turn(soon),
        clock
      })
    )
  }

  /** Something befalls it after so many further tasks. */
  strikeAfter(tasks: number, strike: () => void): void {
    this.fate = { tasks, strike }
  }

  /** Runs one task of this side. */
  perform(run: () => void): void {
    if (this.gone) return
    try {
      run()
    } catch (error) {
      this.uncaught(error)
    }
    const { fate } = this
    if (fate === undefined || --fate.tasks > 0) return
    this.fate = undefined
    // A task that came before may have been its last.
    if (!this.gone) fate.strike()
  }

  toString(): string {
    return `${this.simulator.time} ${this.name}`
  }
}

/** The date at which every simulation begins, in milliseconds. */
const incarnation = 1_700_000_000_000

class VirtualClock implements Clock.Clock {
  private readonly simulator: Simulator
  private readonly side: Side

  constructor(simulator: Simulator, side: Side) {
    this.simulator = simulator
    this.side = side
  }

  currentTimeMillisUnsafe(): number {
    return incarnation + this.simulator.time
  }

  currentTimeNanosUnsafe(): bigint {
    return BigInt(Math.round(this.currentTimeMillisUnsafe() * 1e6))
  }

  monotonicTimeNanosUnsafe(): bigint {
    return BigInt(Math.round(this.simulator.time * 1e6))
  }

  readonly currentTimeMillis = Effect.sync(() => this.currentTimeMillisUnsafe())
  readonly currentTimeNanos = Effect.sync(() => this.currentTimeNanosUnsafe())
  readonly monotonicTimeNanos = Effect.sync(() => this.monotonicTimeNanosUnsafe())

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    const millis = Duration.toMillis(duration)
    if (millis <= 0) return Effect.yieldNow
    return Effect.callback<void>((resume) =>
      Effect.sync(this.simulator.after(this.side, millis, () => resume(Effect.void), false))
    )
  }
}

export class Simulator {
  /** Milliseconds since the beginning. */
  time = 0
  /** Tasks run so far. */
  steps = 0
  /** Of all that was noted. */
  hash = 0x811c9dc5
  /** What was noted, where somebody wants to read it. */
  readonly log: Array<string> | undefined
  /** How many operations a fiber may do in one go. */
  slice = 2048
  /** Whether any of the tasks that are ready may be next, or always the first. */
  shuffled = false
  readonly ready: Array<Task> = []
  readonly micro: Array<Task> = []
  readonly decisions: Decisions
  readonly owner: Side
  /** Of what was promised, and did not hold. */
  readonly violations: Array<string> = []
  readonly random: RandomService
  private readonly agenda = new Agenda<Timer>()
  private seq = 0

  constructor(decisions: Decisions, seed: number, log: boolean) {
    this.decisions = decisions
    this.log = log ? [] : undefined
    this.random = randomOf(seed)
    this.slice = [2048, 64, 13, 5][decisions.choose(4, "slice")]!
    this.shuffled = decisions.choose(2, "shuffle") === 1
    this.owner = new Side(this, "owner", (error) => {
      throw error
    })
  }

  /** One line of what happens: in the hash, and in the log where there is one. */
  note(who: string, what: string): void {
    const line = `${this.time.toFixed(2)} ${who} ${what}`
    this.log?.push(line)
    let { hash } = this
    for (let i = 0; i < line.length; i++) hash = Math.imul(hash ^ line.charCodeAt(i), 0x01000193)
    this.hash = hash
  }

  violated(what: string): void {
    this.note("!", what)
    this.violations.push(what)
  }

  /** Runs a task of a side once in so many milliseconds, unless what this returns is called before. */
  after(side: Side, millis: number, run: (paused: boolean) => void, patient = false): () => void {
    if (millis === Number.POSITIVE_INFINITY) return () => {}
    const timer: Timer = { time: this.time + Math.max(0, millis), seq: this.seq++, side, run, patient }
    this.agenda.push(timer)
    return () => {
      timer.run = undefined
    }
  }

  /** The program is stopped for a while: what was to ring meanwhile rings when it goes on, before anything is heard. */
  pause(millis: number): void {
    const missed = this.agenda.entries.filter(({ patient, run, side, time }) =>
      patient && run !== undefined && side === this.owner && time <= this.time + millis
    )
    this.note("owner", `is stopped for ${millis} ms`)
    for (const timer of missed.toSorted((a, b) => isBefore(a, b) ? -1 : 1)) {
      const { run } = timer
      timer.run = undefined
      if (run !== undefined) timer.side.perform(() => run(true))
      this.settle()
    }
  }

  /** Whether anything can still happen. */
  get idle(): boolean {
    return this.ready.every(({ side }) => side.gone) &&
      this.agenda.entries.every(({ run, side }) => run === undefined || side.gone)
  }

  /** Runs until `done`, or until nothing more can happen, or for too long. */
  run(done: () => boolean, limits: Limits): "done" | "stuck" | "endless" {
    this.settle()
    for (;;) {
      if (done()) return "done"
      if (this.steps++ > limits.steps) return "endless"
      const { ready } = this
      if (ready.length > 0) {
        const at = this.shuffled ? this.decisions.choose(ready.length, "next") : 0
        const [next] = at === 0 ? [ready.shift()] : ready.splice(at, 1)
        next!.side.perform(next!.run)
      } else {
        const timer = this.agenda.pop()
        if (timer === undefined) return "stuck"
        const { run, side } = timer
        if (run === undefined || side.gone) {
          this.steps--
          continue
        }
        if (timer.time > this.time) this.time = timer.time
        if (this.time > limits.millis) return "endless"
        timer.run = undefined
        side.perform(() => run(false))
      }
      this.settle()
    }
  }

  private settle(): void {
    const { micro } = this
    for (let i = 0; i < micro.length; i++) micro[i]!.side.perform(micro[i]!.run)
    micro.length = 0
  }
}

/** What the programs' own `Random` draws from: of the seed, and apart from the decisions. */
const randomOf = (seed: number): RandomService => {
  let state = Math.imul(seed, 0x85ebca6b) | 0
  const nextDoubleUnsafe = (): number => {
    let t = state = (state + 0x6d2b79f5) | 0
    t = Math.imul(t ^ (t >>> 15), t | 1)
    t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
    return ((t ^ (t >>> 14)) >>> 0) / 0x1_0000_0000
  }
  return {
    nextDoubleUnsafe,
    nextIntUnsafe: () => Math.floor((nextDoubleUnsafe() * 2 - 1) * Number.MAX_SAFE_INTEGER)
  }
}

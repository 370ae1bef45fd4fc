/**
 * The event loop that one side of the actor system runs on: its time, its timers and its turns, taken from here and
 * from nowhere else.
 *
 * A side is what dies together: an owner, or one incarnation of a host. In a real program every thread has one side, and
 * `real` is its loop. A simulation gives each side a loop of its own and decides by a seed what comes next
 * (`troupe/testing`).
 *
 * Its time is the time in which the program *ran*. What it was stopped for (Ctrl-Z, a closed lid, a debugger, a machine
 * that was put to sleep) is left out as soon as it is noticed, and is nobody's delay: see `after` and `deadline`.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as RealEventLoop from "./RealEventLoop.ts"
import type { Turn } from "./Turn.ts"

/** The time that deadlines go by. */
export interface Time {
  /**
   * Milliseconds in which the program ran: for how long something took, never for a date. Nobody sets it; it steps back
   * only when a pause is noticed, by that.
   */
  readonly now: () => number
  /**
   * Runs `task` when the program has run for so many milliseconds, and has heard what had arrived by then; unless what
   * this returns is called before. `paused` says that the program did not run for a while just before: then whoever seems
   * late has had no time to be punctual, and deserves a fresh period. `Infinity` is never.
   */
  readonly after: (millis: number, task: (paused: boolean) => void) => () => void
}

export interface EventLoop extends Time {
  /** Runs `task` as soon as what runs now has come to its end: a microtask. */
  readonly soon: (task: () => void) => void
  /** What is put off until the messages at hand have been heard. */
  readonly turn: Turn
  /** Effect's clock of the same time. */
  readonly clock: Clock.Clock
}

/** The loop of this thread. */
export const real: EventLoop = RealEventLoop.make(Context.get(Context.empty(), Clock.Clock))

/** The loop that a system, or a host, runs on. */
export const EventLoop = Context.Reference<EventLoop>("troupe/actors/EventLoop", { defaultValue: () => real })

/** Calls `late` after so many milliseconds, and after a fresh period where the program did not run meanwhile. */
export const deadline = (time: Time, millis: number, late: () => void): () => void => {
  let callOff = (): void => {}
  const wait = (): void => {
    callOff = time.after(millis, (paused) => paused ? wait() : late())
  }
  wait()
  return () => callOff()
}

/** The same as an Effect, on the loop in context: completes when the deadline has come. */
export const untilDeadline = (millis: number): Effect.Effect<void> =>
  Effect.flatMap(
    EventLoop,
    (loop) => Effect.callback<void>((resume) => Effect.sync(deadline(loop, millis, () => resume(Effect.void))))
  )

/**
 * The time of a program's own deadlines: its loop's, or that of the clock that the program has put in its place (a test's
 * `TestClock`).
 */
export const timeOf = (context: Context.Context<never>): Time => {
  const loop = Context.get(context, EventLoop)
  const clock = Context.get(context, Clock.Clock)
  if (clock === loop.clock) return loop
  const run = Effect.runForkWith(context)
  return {
    now: () => Number(clock.monotonicTimeNanosUnsafe()) / 1e6,
    after: (millis, task) => {
      const sleeping = run(Effect.andThen(Effect.sleep(millis), Effect.sync(() => task(false))))
      return () => sleeping.interruptUnsafe()
    }
  }
}

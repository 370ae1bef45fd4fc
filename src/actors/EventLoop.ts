/**
 * The event loop that one side of the actor system runs on: its time, its timers and its turns, taken from here and
 * from nowhere else.
 *
 * A side is what dies together: an owner, or one incarnation of a host. In a real program every thread has one side, and
 * `real` is its loop. A simulation gives each side a loop of its own and decides by a seed what comes next
 * (`troupe/testing`).
 *
 * Its time is the time in which the program ran (`time/runningTime.ts`): what it was stopped for is nobody's delay.
 */
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import { runningTime, type Time } from "../time/runningTime.ts"
import { Turn } from "./Turn.ts"

export interface EventLoop extends Time {
  /** Runs `task` as soon as what runs now has come to its end: a microtask. */
  readonly soon: (task: () => void) => void
  /** What is put off until the messages at hand have been heard. */
  readonly turn: Turn
  /** Effect's clock of the same time. */
  readonly clock: Clock.Clock
}

const soon = (task: () => void): void => queueMicrotask(task)

/** The loop of this thread. */
export const real: EventLoop = {
  ...runningTime,
  soon,
  turn: new Turn(soon),
  clock: Context.get(Context.empty(), Clock.Clock)
}

/** The loop that a system, or a host, runs on. */
export const EventLoop = Context.Reference<EventLoop>("troupe/actors/EventLoop", { defaultValue: () => real })

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

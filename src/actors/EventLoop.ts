/**
 * The event loop that one side of the actor system runs on: its time, its timers and its turns, taken from here and
 * from nowhere else.
 *
 * A side is what dies together: an owner, or one incarnation of a host. In a real program every thread has one side, and
 * `real` is its loop. A simulation gives each side a loop of its own and decides by a seed what comes next
 * (`troupe/testing`). It stands beside Effect's `Clock`, which is the program's own and which a test may stop: what is
 * measured here are the machine's own affairs (heartbeats, start deadlines, how long an ending takes).
 */
import * as Context from "effect/Context"
import { Turn } from "./Turn.ts"

export interface EventLoop {
  /** Milliseconds, monotonic: for how long something took, never for a date. */
  readonly now: () => number
  /** Runs `task` once in so many milliseconds, unless what this returns is called before. */
  readonly after: (millis: number, task: () => void) => () => void
  /** Runs `task` as soon as what runs now has come to its end: a microtask. */
  readonly soon: (task: () => void) => void
  /** What is put off until the messages at hand have been heard. */
  readonly turn: Turn
}

const soon = (task: () => void): void => queueMicrotask(task)

/** The loop of this thread. */
export const real: EventLoop = {
  now: () => performance.now(),
  after: (millis, task) => {
    const timer = setTimeout(task, millis)
    return () => clearTimeout(timer)
  },
  soon,
  turn: new Turn(soon)
}

/** The loop that a system, or a host, runs on. */
export const EventLoop = Context.Reference<EventLoop>("troupe/actors/EventLoop", { defaultValue: () => real })

/**
 * The event loop of a real thread, and how it notices that it did not run.
 *
 * Nothing tells a program that it was stopped. Its timers do: they ring late. A long wait is therefore made of short ones,
 * and each looks at how late it is and at what this thread computed meanwhile: a loop that was busy is late by its own doing,
 * one that neither waited in time nor computed was not there. What is missing is taken out of the time, for all who go by it.
 */
import type * as Clock from "effect/Clock"
import type { EventLoop } from "./EventLoop.ts"
import { Turn } from "./Turn.ts"

/** Times are in milliseconds. */
/** What a timer may be late, and nobody was away. */
const slack = 50
/** A wait is looked at about so many times, */
const looks = 8
/** at intervals no longer than this, */
const longest = 1000
/** nor shorter. */
const shortest = 10

/** Processor time that this thread has used, where Node can tell; else that of the whole program. */
const computed = (): number => {
  const { system, user } = process.threadCpuUsage?.() ?? process.cpuUsage()
  return (system + user) / 1000
}

/** `clock` is Effect's clock of this thread's time. */
export const make = (clock: Clock.Clock): EventLoop => {
  /** For how long we have not run, as far as we know. */
  let away = 0
  /** When somebody last looked. */
  let seen = 0

  const now = (): number => performance.now() - away

  /** A wait that was to end at `due` has ended; `before` is what had been computed when it began. */
  const look = (due: number, before: number): void => {
    const time = performance.now()
    const gap = time - Math.max(due, seen)
    seen = time
    if (gap <= slack) return
    const missing = gap - (computed() - before)
    if (missing > slack) away += missing
  }

  const soon = (task: () => void): void => queueMicrotask(task)

  return {
    now,
    after: (millis, task) => {
      if (millis === Number.POSITIVE_INFINITY) return () => {}
      const end = now() + millis
      const interval = Math.min(longest, Math.max(shortest, millis / looks))
      let timer: ReturnType<typeof setTimeout> | undefined
      let turn: ReturnType<typeof setImmediate> | undefined
      const wait = (left: number): void => {
        const length = Math.min(left, interval)
        const due = performance.now() + length
        const before = computed()
        const awayBefore = away
        timer = setTimeout(() => {
          look(due, before)
          const left = end - now()
          if (left > 0) return wait(left)
          // What has arrived meanwhile is heard first: between the timers and the next turn lies what came from outside.
          turn = setImmediate(() => {
            turn = setImmediate(() => task(away > awayBefore))
          })
        }, length)
      }
      wait(millis)
      return () => {
        clearTimeout(timer)
        clearImmediate(turn)
      }
    },
    soon,
    turn: new Turn(soon),
    clock
  }
}

/**
 * The time in which this program ran. What it was stopped for (Ctrl-Z, a closed lid, a debugger, a machine that was put to
 * sleep) is left out as soon as it is noticed, and is nobody's delay.
 *
 * Nothing tells a program that it was stopped. Its timers do: they ring late. A long wait is therefore made of short ones,
 * and each looks at how late it is and at what this thread computed meanwhile: a loop that was busy is late by its own doing,
 * one that neither waited in time nor computed was not there. What is missing is taken out of the time, for all who go by it.
 */

/** A time that deadlines go by. */
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

const after: Time["after"] = (millis, task) => {
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
}

/** This thread's own. */
export const runningTime: Time = { now, after }

/**
 * One alarm for all deadlines: asks note when they expire, and a single timer looks at what is left then.
 *
 * A timer per ask would cost more than the ask. Here an ask costs a comparison, since nearly all are answered long before
 * the alarm, which looks only at those still pending.
 */
import type { Time } from "../../time/runningTime.ts"

/** Alarms lie at least this far apart (milliseconds), so that many near deadlines are swept together. */
const spacing = 2

export class Sweeper {
  private at = Number.POSITIVE_INFINITY
  private callOff: (() => void) | undefined
  private readonly time: Time
  private readonly sweep: (now: number, paused: boolean) => number

  /**
   * `sweep` handles what is due and returns when it is needed next (`Infinity`: when somebody expects something). `paused`:
   * the program did not run for a while just before.
   */
  constructor(time: Time, sweep: (now: number, paused: boolean) => number) {
    this.time = time
    this.sweep = sweep
  }

  /** Something is due at `time`. */
  expect(time: number): void {
    if (time >= this.at) return
    this.callOff?.()
    this.set(time)
  }

  close(): void {
    this.callOff?.()
    this.at = Number.NEGATIVE_INFINITY
  }

  private set(time: number): void {
    this.at = time
    this.callOff = this.time.after(Math.max(0, time - this.time.now()), (paused) => this.ring(paused))
  }

  private ring(paused: boolean): void {
    this.at = Number.POSITIVE_INFINITY
    const now = this.time.now()
    const next = this.sweep(now, paused)
    if (next < this.at) {
      this.callOff?.()
      this.set(Math.max(next, now + spacing))
    }
  }
}

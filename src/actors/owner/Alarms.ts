/**
 * The alarms of a system: one timer of the event loop for all of them, so that an actor may have many and a hundred thousand
 * actors each its own.
 */
import { Agenda, type Entry } from "../../time/Agenda.ts"
import type { Time } from "../../time/runningTime.ts"

/** Milliseconds that are too few to wait for: a sum of times may be off by less, and a clock need not move by so little. */
const grain = 0.001

/** Fewer that were called off are left until they are due. */
const fewest = 64

interface Alarm extends Entry {
  /** `undefined` once it was called off. */
  ring: (() => void) | undefined
}

export class Alarms {
  private readonly time: Time
  private readonly agenda = new Agenda<Alarm>()
  private seq = 0
  /** How many of those that are there were called off. */
  private off = 0
  private closed = false
  /** When we wake, and what calls that off. */
  private at = Number.POSITIVE_INFINITY
  private callOff: (() => void) | undefined

  constructor(time: Time) {
    this.time = time
  }

  /** Calls `ring` at a time in milliseconds, unless what this returns is called before. */
  set(time: number, ring: () => void): () => void {
    const alarm: Alarm = { time, seq: this.seq++, ring }
    this.agenda.push(alarm)
    this.wakeFor(time)
    return () => {
      if (alarm.ring === undefined) return
      alarm.ring = undefined
      // One that is set anew with each message would leave as many behind as there are messages until it is due.
      if (++this.off < fewest || this.off < this.agenda.entries.length / 2) return
      this.agenda.keep(({ ring }) => ring !== undefined)
      this.off = 0
    }
  }

  close(): void {
    this.closed = true
    this.callOff?.()
  }

  private wakeFor(time: number): void {
    if (this.closed || time >= this.at) return
    this.callOff?.()
    this.at = time
    this.callOff = this.time.after(Math.max(0, time - this.time.now()), () => this.wake())
  }

  private wake(): void {
    this.at = Number.POSITIVE_INFINITY
    const now = this.time.now()
    for (;;) {
      const next = this.agenda.first
      if (next === undefined) return
      const { ring } = next
      if (ring !== undefined && next.time > now + grain) return this.wakeFor(next.time)
      this.agenda.pop()
      if (ring === undefined) {
        this.off--
        continue
      }
      // It is not there any more, to be called off.
      next.ring = undefined
      ring()
    }
  }
}

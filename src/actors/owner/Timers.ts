/**
 * The timers of one actor, by key: kept by its owner, and so through its deaths. What has come due is a message like any
 * other, numbered and kept until it is answered.
 */
import type { TimerChange } from "../links/HostLink.ts"
import type { Alarms } from "./Alarms.ts"

interface Timer {
  readonly method: string
  readonly payload: unknown
  /** Milliseconds between two messages; `undefined` for a single one. */
  readonly period: number | undefined
  /** The number of the last message it sent, 0 for none. */
  last: number
  callOff: () => void
}

/** Whose timers they are. */
export interface Timed {
  /** Takes in what has come due; answers its number, or 0 where there is nobody any more. */
  due(method: string, payload: unknown): number
  /** Whether a message is still to be answered. */
  owes(seq: number): boolean
}

export class Timers {
  private readonly actor: Timed
  private readonly alarms: Alarms
  private readonly now: () => number
  private readonly byKey = new Map<string, Timer>()

  constructor(actor: Timed, alarms: Alarms, now: () => number) {
    this.actor = actor
    this.alarms = alarms
    this.now = now
  }

  get size(): number {
    return this.byKey.size
  }

  /** `kept`: what is there under a key stays as it is. */
  apply(changes: ReadonlyArray<TimerChange>, kept: boolean): void {
    for (const change of changes) {
      const [kind, key] = change
      if (kind === "cancel") {
        this.cancel(key)
        continue
      }
      if (kept && this.byKey.has(key)) continue
      this.cancel(key)
      const [, , millis, method, payload, elapsed] = change
      const timer: Timer = {
        method,
        payload,
        period: kind === "every" ? millis : undefined,
        last: 0,
        callOff: () => {}
      }
      this.byKey.set(key, timer)
      this.await(key, timer, this.now() + millis - elapsed)
    }
  }

  clear(): void {
    for (const { callOff } of this.byKey.values()) callOff()
    this.byKey.clear()
  }

  private cancel(key: string): void {
    this.byKey.get(key)?.callOff()
    this.byKey.delete(key)
  }

  private await(key: string, timer: Timer, time: number): void {
    timer.callOff = this.alarms.set(time, () => {
      const { method, payload, period } = timer
      if (period === undefined) this.byKey.delete(key)
      else {
        // What was missed is not made up.
        const missed = Math.max(0, Math.floor((this.now() - time) / period))
        this.await(key, timer, time + (missed + 1) * period)
        // A beat that comes before the last one was answered is left out.
        if (this.actor.owes(timer.last)) return
      }
      timer.last = this.actor.due(method, payload)
    })
  }
}

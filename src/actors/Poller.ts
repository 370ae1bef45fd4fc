/**
 * How a thread waits for messages in shared memory: it spins for a little while, for a reply is often nearer than a
 * wake-up is quick; then it sleeps, and its event loop is free.
 *
 * - It spins only while something is expected and a core is free for it: with more threads awake than there are cores,
 *   spinning would keep away the very thread that is waited for.
 * - For how long adapts to how long messages have been taking. Where spinning has been in vain, because they take longer
 *   or because other programs have the cores, it is not tried again for a while.
 * - While it spins, and while messages keep coming, the event loop gets its turn at least as often as `slice` and `turn`
 *   say: timers, signals, other fibers and promises never wait for longer than that.
 * - When it sleeps it costs nothing.
 */
import { availableParallelism } from "node:os"
import { type Bells, crowded, Doorbell } from "./Doorbell.ts"
import * as Turn from "./Turn.ts"

/** All times in milliseconds. */
/** Who spins at all does so for as long as this: about what it costs to fall asleep and be woken. */
const shortest = 0.02
/** So often, at most, we sleep at once before spinning is tried again. */
const longestPenalty = 64
/** The event loop gets a turn after spinning in vain for so long, */
const slice = 0.05
/** and after hearing messages for so long. */
const turn = 1
/** So many looks pass between two looks at the clock. */
const looks = 20

/** One of the connections that a thread listens to. */
export interface Line {
  /** Whether there is something to hear, or room for what could not be sent. */
  readonly ready: boolean
  /** Whether something is likely to come soon. */
  readonly expecting: boolean
  /** How long it is worth spinning for, in milliseconds. */
  readonly spinMillis: number
  /** Hears one batch, and sends what was waiting for room. */
  hear(): void
}

const cores = availableParallelism()

/** Tells the processor that we are spinning, where the engine knows how to. */
const pause: () => void = "pause" in Atomics && typeof Atomics.pause === "function"
  ? Atomics.pause as () => void
  : () => {}

export class Poller {
  private readonly bell: Doorbell
  private readonly lines: Array<Line> = []
  private running = false
  private scheduled = false
  /** How long messages take that come while we spin; the longest of late counts. */
  private usual = Number.POSITIVE_INFINITY
  /** So often we sleep at once from now on, */
  private penalty = 0
  /** and so often after the next time that spinning is in vain. */
  private nextPenalty = 1
  /** Since when nothing has come. */
  private since = 0

  constructor(bells: Bells, place: number) {
    this.bell = new Doorbell(bells, place, () => {
      if (!this.scheduled && !this.running) this.poll()
    })
  }

  attach(line: Line): void {
    this.lines.push(line)
    this.rouse()
  }

  detach(line: Line): void {
    const index = this.lines.indexOf(line)
    if (index >= 0) this.lines.splice(index, 1)
    if (this.lines.length === 0) this.bell.dismiss()
  }

  /** Something was sent, or is to be waited for: looks for messages once the present work is done. */
  rouse(): void {
    this.since = performance.now()
    if (this.running || this.scheduled) return
    this.scheduled = true
    this.bell.rise()
    queueMicrotask(this.poll)
  }

  private readonly poll = (): void => {
    this.scheduled = false
    if (this.lines.length === 0) return
    this.running = true
    this.bell.rise()
    let settled = false
    try {
      settled = this.listen()
    } finally {
      this.running = false
      if (!settled) {
        this.scheduled = true
        setImmediate(this.poll)
      }
    }
  }

  /** Listens until we sleep (true), or until the event loop is due (false). */
  private listen(): boolean {
    const began = performance.now()
    for (;;) {
      if (this.hear()) {
        const now = performance.now()
        this.since = now
        if (now - began >= turn) return false
        continue
      }
      const now = performance.now()
      const patience = this.patience()
      if (now - this.since >= patience) {
        if (this.sleep(patience > 0)) return true
        continue
      }
      if (now - Math.max(began, this.since) >= slice) return false
      for (let i = 0; i < looks; i++) {
        if (this.ready) {
          this.succeeded(performance.now() - this.since)
          break
        }
        pause()
      }
    }
  }

  private get ready(): boolean {
    for (let i = 0; i < this.lines.length; i++) if (this.lines[i]!.ready) return true
    return false
  }

  private hear(): boolean {
    if (!this.ready) return false
    Turn.hear(this.each)
    return true
  }

  private readonly each = (): void => {
    // Hearing one line may close another.
    for (let i = 0; i < this.lines.length; i++) {
      const line = this.lines[i]!
      if (line.ready) line.hear()
    }
  }

  /** How long it is worth spinning now. */
  private patience(): number {
    let most = 0
    for (const line of this.lines) if (line.expecting && line.spinMillis > most) most = line.spinMillis
    if (most === 0 || crowded(this.bell.bells, cores)) return 0
    if (this.penalty > 0) {
      this.penalty--
      return 0
    }
    return Math.min(most, Math.max(shortest, 3 * this.usual))
  }

  private succeeded(millis: number): void {
    this.usual = this.usual === Number.POSITIVE_INFINITY ? millis : Math.max(millis, 0.9 * this.usual)
    if (this.nextPenalty > 1) this.nextPenalty /= 2
  }

  /** Spinning was in vain. The next try is a long one, to find out how long messages take now. */
  private failed(): void {
    this.penalty = this.nextPenalty
    this.nextPenalty = Math.min(longestPenalty, 2 * this.nextPenalty)
    this.usual = Number.POSITIVE_INFINITY
  }

  /** False when something has come in the meantime. */
  private sleep(spun: boolean): boolean {
    this.bell.lie()
    if (!this.ready && this.bell.wait()) {
      if (spun) this.failed()
      return true
    }
    this.bell.rise()
    return false
  }
}

/**
 * How a thread waits for messages in shared memory: it spins for a little while, for a reply is often nearer than a
 * wake-up is quick; then it sleeps, and its event loop is free.
 *
 * - It spins only while something is expected and a core is free for it: with more threads awake than there are cores,
 *   spinning would keep away the very thread that is waited for. A host that spins already then does so for no longer than a
 *   handing over takes.
 * - Where messages come closely one upon the other it naps, blocking for a few milliseconds at most, before it sleeps:
 *   waking is quicker so, and the cores are others' meanwhile. Not where many answers are on their way that come one by one:
 *   they then come several at a time.
 * - It spins only where that has turned out to be quicker (`Patience`).
 * - While it spins, and while messages keep coming, the event loop gets its turn at least as often as `slice` and `turn`
 *   say: timers, signals, other fibers and promises never wait for longer than that.
 * - When it sleeps it costs nothing.
 */
import { availableParallelism } from "node:os"
import { real } from "../EventLoop.ts"
import { type Bells, crowded, Doorbell } from "./Doorbell.ts"
import type { Way } from "./HandOvers.ts"
import { Patience } from "./Patience.ts"

/** All times in milliseconds. */
/** The event loop gets a turn after spinning in vain for so long, */
const slice = 0.05
/** and after hearing messages for so long: each turn costs a few tens of microseconds, on either side. */
const turn = 3
/** Nothing is napped for longer than this; so the event loop never waits for longer than a turn and a nap. */
const longestNap = 3
/** After naps in vain, so often at most we sleep at once. */
const mostSkips = 64
/** How long a host spins though others are awake: about as long as its owner takes for what comes between two messages. */
const handover = 0.1
/** How far one hearing moves the mean of how many messages come at a time. */
const weight = 1 / 8
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
  /** How many answers are owed to this side. */
  readonly owed: number
  /** Hears one batch, found in this way, and sends what was waiting for room. Returns how many messages that were. */
  hear(way: Way): number
}

const cores = availableParallelism()

/** Tells the processor that we are spinning, where the engine knows how to. */
export const pause: () => void = "pause" in Atomics && typeof Atomics.pause === "function"
  ? Atomics.pause as () => void
  : () => {}

export class Poller {
  private readonly bell: Doorbell
  private readonly owner: boolean
  private readonly lines: Array<Line> = []
  private running = false
  private scheduled = false
  private readonly patience = new Patience()
  /** Whether the present wait tells something about the way to wait: it was done as `patience` said. */
  private telling = false
  /** What it does until the next message. */
  private way: Way = "busy"
  /** How many messages come at a time, in the mean. */
  private together = 1
  /** Whether it spins for the next message. */
  private spins = false
  /** Since when nothing has come. */
  private since = 0
  /** How often in a row, about, naps were in vain, and how often they are not tried because of that. */
  private vain = 0
  private skips = 0

  constructor(bells: Bells, place: number) {
    this.owner = place === 0
    this.bell = new Doorbell(bells, place, () => {
      if (this.scheduled || this.running) return
      this.way = "sleeping"
      this.poll()
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
        this.way = "turning"
        setImmediate(this.poll)
      }
    }
  }

  /** Listens until we sleep (true), or until the event loop is due (false). */
  private listen(): boolean {
    const began = performance.now()
    let now = began
    for (;;) {
      if (this.ready) {
        this.hear(now)
        this.way = "busy"
        now = performance.now()
        this.since = now
        if (now - began >= turn) return false
        continue
      }
      if (now - this.since >= this.spinning()) {
        this.spins = false
        this.way = "napping"
        if (!this.nap(now) && this.sleep()) return true
        now = performance.now()
        continue
      }
      if (now - Math.max(began, this.since) >= slice) return false
      this.spins = true
      this.way = "spinning"
      for (let i = 0; i < looks && !this.ready; i++) pause()
      now = performance.now()
    }
  }

  private get ready(): boolean {
    for (let i = 0; i < this.lines.length; i++) if (this.lines[i]!.ready) return true
    return false
  }

  /** Hears what has come by `now`. */
  private hear(now: number): void {
    this.spins = false
    if (this.telling) {
      this.patience.waited(now - this.since, now)
      this.telling = false
    }
    const count = real.turn.hear(this.each)
    this.together += (Math.max(1, count) - this.together) * weight
  }

  private readonly each = (): number => {
    let count = 0
    // Hearing one line may close another.
    for (let i = 0; i < this.lines.length; i++) {
      const line = this.lines[i]!
      if (line.ready) count += line.hear(this.way)
    }
    return count
  }

  /** How long to spin now. */
  private spinning(): number {
    let most = 0
    for (const line of this.lines) if (line.expecting && line.spinMillis > most) most = line.spinMillis
    if (most === 0 || crowded(this.bell.bells, cores)) {
      this.telling = false
      // Who spins goes on for a little while: two others may be awake only because one hands over to the other. Who has just come
      // to its end does not begin: its core is for whom it has woken.
      return this.owner || !this.spins || crowded(this.bell.bells, cores + 1) ? 0 : Math.min(most, handover)
    }
    this.telling = true
    return this.patience.spins ? most : 0
  }

  /**
   * Blocks this thread until something comes, for a short while: sooner awake than from a sleep, which ends by way of the
   * event loop, and with a core left to others, which spinning takes. False where it is not tried, or was in vain.
   */
  private nap(now: number): boolean {
    const left = longestNap - (now - this.since)
    // With more to be heard, one by one, than threads can work on, several are there by the time the event loop wakes us.
    if (left <= 0 || !this.expecting || this.owed > cores * this.together) return false
    if (this.skips > 0) {
      this.skips--
      return false
    }
    this.bell.lie()
    const rung = this.ready || this.bell.nap(left)
    this.bell.rise()
    if (rung) this.vain = 0
    else {
      this.vain = Math.min(mostSkips, 2 * this.vain + 1)
      this.skips = this.vain
    }
    return rung
  }

  private get owed(): number {
    let sum = 0
    for (let i = 0; i < this.lines.length; i++) sum += this.lines[i]!.owed
    return sum
  }

  private get expecting(): boolean {
    for (let i = 0; i < this.lines.length; i++) if (this.lines[i]!.expecting) return true
    return false
  }

  /** False when something has come in the meantime. */
  private sleep(): boolean {
    this.bell.lie()
    if (!this.ready && this.bell.wait()) return true
    this.bell.rise()
    return false
  }
}

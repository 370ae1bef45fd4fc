/**
 * Finds out, while work is being done, which of several ways to do it is the quickest, and keeps to that one. The ways are
 * tried in turn, a few milliseconds each; what is quickest is looked at again after a while, for the code becomes warm,
 * episodes longer, and the machine busy with other things.
 */

/** How long a way is tried before it is another's turn, in milliseconds. */
const turn = 2
/** So often each is tried before one is chosen: the median of an odd number. */
const turns = 5
/** A way is given up for another that takes no more than this share of its time: less is noise. */
const worthwhile = 0.95
/** How long the first choice holds, in milliseconds; each holds twice as long as the one before it, */
const firstHold = 250
/** up to this, */
const longestHold = 30_000
/** and as many times as long as the trial took: where pieces of work are long, so is what a trial loses. */
const trialShare = 20

/** What was found. */
export interface Choice {
  readonly way: number
  /** How many times as quick as the next best. */
  readonly speedup: number
}

export class QuickestOf {
  /** The way that the present piece of work is done. */
  way = 0
  private readonly ways: number
  private readonly now: () => number
  private readonly warming: number
  /** Until when the first way is not compared; -1: nothing was done yet. */
  private warm = -1
  /** Milliseconds for one piece of work, one number a turn, by way. */
  private times: Array<Array<number>>
  private trying: boolean
  /** Since when the present turn is measured, and how many pieces of work have been done since. */
  private since = -1
  private pieces = 0
  /** Whether this way has found its data where it left it. */
  private settled = false
  private hold = firstHold
  private until = 0
  /** When the present trial began; -1: not yet. */
  private trialBegan = -1
  /** What was chosen last; -1: nothing yet. */
  private chosen = -1

  /** `now` is in milliseconds. For the first `warming` of them the first way is not compared: its code is not warm yet. */
  constructor(ways: number, now: () => number, warming = 0) {
    this.ways = ways
    this.now = now
    this.warming = warming
    this.trying = ways > 1
    this.times = this.none()
  }

  /**
   * Another piece of work begins, after `done` since this was asked last: sets the way that it is done. Answers what has just
   * been found, if anything was.
   */
  next(done = 1): Choice | undefined {
    if (this.ways === 1) return undefined
    const now = this.now()
    if (this.warm < 0) this.warm = now + this.warming
    if (now < this.warm) return undefined
    if (!this.trying) {
      if (now < this.until) return undefined
      this.trying = true
      this.times = this.none()
      this.begin(now)
      return undefined
    }
    if (this.since < 0) {
      this.begin(now)
      return undefined
    }
    const elapsed = now - this.since
    if (elapsed < turn) {
      // The first work of a turn finds nothing where it left it: it counts only where it is long.
      if (this.settled) this.pieces += done
      else this.since = now
      this.settled = true
      return undefined
    }
    this.pieces += done
    this.times[this.way]!.push(elapsed / Math.max(1, this.pieces))
    if (this.times.every((times) => times.length >= turns)) return this.choose(now)
    this.way = (this.way + 1) % this.ways
    this.begin(now)
    return undefined
  }

  private none(): Array<Array<number>> {
    return Array.from({ length: this.ways }, () => [])
  }

  private begin(now: number): void {
    if (this.trialBegan < 0) this.trialBegan = now
    this.since = now
    this.pieces = 0
    this.settled = false
  }

  private choose(now: number): Choice {
    const medians = this.times.map((times) => times.toSorted((a, b) => a - b)[times.length >> 1]!)
    const best = Math.min(...medians)
    const present = medians[this.chosen]
    if (present === undefined || best <= worthwhile * present) this.chosen = medians.indexOf(best)
    this.way = this.chosen
    this.trying = false
    this.until = now + Math.max(this.hold, trialShare * (now - this.trialBegan))
    this.trialBegan = -1
    this.hold = Math.min(longestHold, 2 * this.hold)
    const own = medians[this.way]!
    const others = medians.filter((_, way) => way !== this.way)
    return { way: this.way, speedup: own > 0 ? Math.min(...others) / own : 1 }
  }
}

/**
 * Finds out, while work is being done, which of several ways to do it is the quickest, and keeps to that one. The ways are
 * tried in turn, a few milliseconds each; what is quickest is looked at again after a while, for the code becomes warm,
 * episodes longer, and the machine busy with other things.
 */

/** How long a way is tried before it is another's turn, in milliseconds. */
const turn = 2
/** So often each is tried before one is chosen: the median of an odd number. */
const turns = 5
/** The first piece of work of a turn finds nothing where it left it: it counts only where it takes as many milliseconds as this. */
const long = 10
/**
 * So many milliseconds of work it takes until all code is warm: before that, a choice holds for the shortest time, and then
 * the first way, which uses whatever the others do, makes it so. Whoever is chosen too soon keeps the others cold.
 */
const warming = 300
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
  /** When it was asked last; -1: never. */
  private asked = -1
  /** Milliseconds that the first way has worked. */
  private worked = 0
  /** Milliseconds for one piece of work, one number a turn, by way. */
  private times: Array<Array<number>>
  private trying: boolean
  /** Since when the present turn is measured, and how many pieces of work have been done since. */
  private since = -1
  private pieces = 0
  /** Whether the first piece of work of the present turn is done. */
  private settled = false
  private hold = firstHold
  private until = 0
  /** When the present trial began; -1: not yet. */
  private trialBegan = -1
  /** What was chosen last; -1: nothing yet. */
  private chosen = -1

  /** `now` is in milliseconds. */
  constructor(ways: number, now: () => number) {
    this.ways = ways
    this.now = now
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
    if (this.way === 0 && this.asked >= 0) this.worked += now - this.asked
    this.asked = now
    if (!this.trying) {
      if (now < this.until) return undefined
      if (this.worked < warming) {
        this.way = 0
        return undefined
      }
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
    const first = !this.settled
    this.settled = true
    if (first && elapsed < long) {
      this.since = now
      return undefined
    }
    this.pieces += done
    if (elapsed < turn) return undefined
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
    const warm = this.worked >= warming
    this.until = now + Math.max(this.hold, warm ? trialShare * (now - this.trialBegan) : 0)
    this.trialBegan = -1
    if (warm) this.hold = Math.min(longestHold, 2 * this.hold)
    const own = medians[this.way]!
    const others = medians.filter((_, way) => way !== this.way)
    return { way: this.way, speedup: own > 0 ? Math.min(...others) / own : 1 }
  }
}

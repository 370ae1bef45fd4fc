/**
 * How many iterations a stretch has: as many as are done in some milliseconds, by how long the last took. Then what lies
 * between two stretches, the messages and the trainer's part, costs little beside them.
 */

/** Milliseconds of a stretch, where the trainer's thread sleeps meanwhile, */
const others = 16
/** and where it takes part: everything else that it does has to wait. */
const own = 2
/** So many iterations at most are taken one by one after a stretch was broken off. */
const longestWait = 4096

export class StretchLength {
  private readonly most: number
  private readonly millis: number
  /** Milliseconds for one iteration; -1: not known. */
  private pace = -1
  /** Iterations to be taken one by one, and how often in a row a stretch was broken off. */
  private wait = 0
  private broken = 0

  constructor(most: number, takesPart: boolean) {
    this.most = most
    this.millis = takesPart ? own : others
  }

  /** How many iterations are taken next, of up to `most`; fewer than 2 are no stretch. */
  next(most: number): number {
    if (this.wait > 0) {
      this.wait--
      return 1
    }
    return this.pace < 0 ? 1 : Math.min(most, this.most, Math.floor(this.millis / this.pace))
  }

  /** So many iterations took so many milliseconds. */
  took(iterations: number, millis: number): void {
    this.pace = millis / iterations
    if (iterations > 1) this.broken = 0
  }

  /** A stretch of so many came to nothing: whatever is the matter is found one by one. */
  brokenOff(iterations: number): void {
    this.wait = Math.min(longestWait, iterations << this.broken)
    this.broken = Math.min(10, this.broken + 1)
  }
}

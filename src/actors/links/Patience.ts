/**
 * Whether it pays to spin for the next message, found out by trying.
 *
 * On a quiet machine a message is there sooner when its receiver spins than when it must be woken. Where other programs
 * have the cores, spinning keeps away the very thread that is waited for, and costs the spinner its turn when it is needed.
 * No count of threads tells the two apart, but the waits do: now and then, ever more rarely while the answer stays the
 * same, a few waits are done the other way, and the shorter way is kept.
 */

/** Times are in milliseconds. */
/** The waits of a trial. It ends early when they have taken longer than as many waits of the usual way. */
const trialWaits = 16
/** Trials lie this far apart, */
const soonest = 10
/** and at most so far. */
const rarest = 1000
/** A longer wait says nothing about the way to wait. */
const telling = 2
/** How far one wait moves the mean. */
const weight = 1 / 16
/** Sleeping must be this much shorter to be the better way: it costs the one who wakes us, too. */
const worthwhile = 0.9

export class Patience {
  /** Whether to spin for the next message. */
  spins = true
  private usual = true
  /** How long waits take in the usual way; `undefined` before the first. */
  private mean: number | undefined
  private trial: { count: number; sum: number } | undefined
  private nextTrial = 0
  private interval = soonest

  /** A wait that was done as `spins` says took `millis`, and ended at `now`. */
  waited(millis: number, now: number): void {
    if (millis > telling) return
    if (this.trial !== undefined) return this.tried(this.trial, millis, now)
    this.mean = this.mean === undefined ? millis : this.mean + (millis - this.mean) * weight
    if (now < this.nextTrial) return
    if (this.nextTrial === 0) {
      this.nextTrial = now + soonest
      return
    }
    this.trial = { count: 0, sum: 0 }
    this.spins = !this.usual
  }

  private tried(trial: { count: number; sum: number }, millis: number, now: number): void {
    trial.count++
    trial.sum += millis
    const usual = this.mean ?? 0
    if (trial.count < trialWaits && trial.sum < trialWaits * usual) return
    this.trial = undefined
    const mean = trial.sum / trial.count
    const better = this.usual ? mean < worthwhile * usual : worthwhile * mean < usual
    const whole = trial.count === trialWaits
    if (whole && better) {
      this.usual = !this.usual
      this.mean = mean
      this.interval = soonest
    } else this.interval = Math.min(rarest, 2 * this.interval)
    this.spins = this.usual
    this.nextTrial = now + this.interval
  }
}

/**
 * Observations, summed up: their number, mean, deviation and range. Means and squares are kept as Welford does, and two
 * tallies are merged as Chan does, in the order of the shares, so that no layout changes a bit.
 */
export class Tally {
  /** Number, mean, sum of squared deviations, least, greatest. */
  readonly words: Float64Array

  constructor(words: Float64Array = Float64Array.of(0, 0, 0, Infinity, -Infinity)) {
    this.words = words
  }

  add(value: number): void {
    const words = this.words
    const n = ++words[0]!
    const delta = value - words[1]!
    words[1]! += delta / n
    words[2]! += delta * (value - words[1]!)
    if (value < words[3]!) words[3] = value
    if (value > words[4]!) words[4] = value
  }

  merge(other: Tally): void {
    const words = this.words
    const n = other.words[0]!
    if (n === 0) return
    const all = words[0]! + n
    const delta = other.words[1]! - words[1]!
    words[2]! += other.words[2]! + delta * delta * words[0]! * n / all
    words[1]! += delta * n / all
    words[0] = all
    words[3] = Math.min(words[3]!, other.words[3]!)
    words[4] = Math.max(words[4]!, other.words[4]!)
  }

  get summary(): Summary {
    const words = this.words
    const n = words[0]!
    const deviation = n < 2 ? 0 : Math.sqrt(words[2]! / (n - 1))
    return { n, mean: words[1]!, deviation, min: words[3]!, max: words[4]! }
  }
}

/** What a tally says. */
export interface Summary {
  readonly n: number
  readonly mean: number
  /** The sample's standard deviation; 0 for fewer than two. */
  readonly deviation: number
  readonly min: number
  readonly max: number
}

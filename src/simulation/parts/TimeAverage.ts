/**
 * A number that changes at moments, summed up over time: how long it was what, not how often. A queue's length and the
 * clerks at work are such numbers.
 */
import * as Schema from "effect/Schema"

/** What a number came to over the time in which it was watched. */
export interface TimeSummary {
  /** What it is now. */
  readonly last: number
  /** Its mean over time. */
  readonly mean: number
  /** Its standard deviation over time. */
  readonly deviation: number
  readonly min: number
  readonly max: number
  /** For how long it was watched. */
  readonly time: number
}

/** A saved one: value, when it became so, when it began, its integral, that of its square, least, greatest. */
export const SavedTimeAverage = Schema.declare(
  (value): value is Float64Array => value instanceof Float64Array && value.length === 7,
  { expected: "7 numbers of a time average" }
)

export class TimeAverage {
  #value: number
  #changed: number
  #began: number
  #area = 0
  #squares = 0
  #min: number
  #max: number

  constructor(value: number, now: number) {
    this.#value = value
    this.#changed = now
    this.#began = now
    this.#min = value
    this.#max = value
  }

  /** The saved one. */
  static of(saved: Float64Array): TimeAverage {
    const average = new TimeAverage(0, 0)
    average.load(saved)
    return average
  }

  get value(): number {
    return this.#value
  }

  set(value: number, now: number): void {
    const lasted = now - this.#changed
    this.#area += this.#value * lasted
    this.#squares += this.#value * this.#value * lasted
    this.#changed = now
    this.#value = value
    if (value < this.#min) this.#min = value
    if (value > this.#max) this.#max = value
  }

  /** What was before counts no more: a warm-up's end. */
  reset(now: number): void {
    this.load(new TimeAverage(this.#value, now).save())
  }

  summary(now: number): TimeSummary {
    const time = now - this.#began
    const last = this.#value
    const lasted = now - this.#changed
    const mean = time > 0 ? (this.#area + last * lasted) / time : last
    const square = time > 0 ? (this.#squares + last * last * lasted) / time : last * last
    const deviation = Math.sqrt(Math.max(0, square - mean * mean))
    return { last, mean, deviation, min: this.#min, max: this.#max, time }
  }

  save(): Float64Array {
    return Float64Array.of(
      this.#value,
      this.#changed,
      this.#began,
      this.#area,
      this.#squares,
      this.#min,
      this.#max
    )
  }

  load(saved: Float64Array): void {
    this.#value = saved[0]!
    this.#changed = saved[1]!
    this.#began = saved[2]!
    this.#area = saved[3]!
    this.#squares = saved[4]!
    this.#min = saved[5]!
    this.#max = saved[6]!
  }
}

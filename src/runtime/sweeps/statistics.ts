/** What several runs come to: mean, deviation, and the interquartile mean with its interval. Pure, and the same each time. */
import { Pcg64 } from "../../random/Pcg64.ts"

export const mean = (values: ReadonlyArray<number>): number =>
  values.length === 0 ? Number.NaN : values.reduce((sum, value) => sum + value, 0) / values.length

/** Deviation of a sample: over n - 1. Zero for a single value. */
export const deviation = (values: ReadonlyArray<number>): number => {
  const center = mean(values)
  const squares = values.reduce((sum, value) => sum + (value - center) * (value - center), 0)
  return values.length < 2 ? 0 : Math.sqrt(squares / (values.length - 1))
}

/** The mean of the middle half: a quarter of the weight is cut off at either end (Agarwal et al. 2021). */
export const interquartileMean = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  const cut = sorted.length / 4
  let sum = 0
  let weight = 0
  sorted.forEach((value, i) => {
    const share = Math.max(0, Math.min(i + 1, sorted.length - cut) - Math.max(i, cut))
    sum += share * value
    weight += share
  })
  return sum / weight
}

/** Samples of the bootstrap. */
const samples = 2000

/** The interval in which 95 of 100 interquartile means of resampled values lie. */
export const interquartileInterval = (values: ReadonlyArray<number>): readonly [low: number, high: number] => {
  if (values.length === 0) return [Number.NaN, Number.NaN]
  const random = Pcg64.fromSeed(0)
  const found = Array.from(
    { length: samples },
    () => interquartileMean(values.map(() => values[random.integers(0, values.length)]!))
  ).toSorted((a, b) => a - b)
  return [found[Math.floor(0.025 * samples)]!, found[Math.ceil(0.975 * samples) - 1]!]
}

export const median = (values: ReadonlyArray<number>): number => {
  const sorted = values.toSorted((a, b) => a - b)
  return (sorted[(sorted.length - 1) >> 1]! + sorted[sorted.length >> 1]!) / 2
}

/** What replications of a simulation come to: of each number its mean, deviation, and the interval of its mean. Pure. */
import type { Result } from "../../simulation/World.ts"
import { deviation, mean } from "../sweeps/statistics.ts"

export interface Estimate {
  readonly n: number
  readonly mean: number
  /** The sample's standard deviation; 0 for fewer than two. */
  readonly deviation: number
  /** The interval in which the true mean lies in 95 of 100 cases (Student's t). */
  readonly low: number
  readonly high: number
}

/** Student's t at 97.5 %, for 1 to 10 degrees of freedom. */
const small = [12.7062, 4.30265, 3.18245, 2.77645, 2.57058, 2.44691, 2.36462, 2.306, 2.26216, 2.22814]

/** Student's t at 97.5 %; above 10 degrees by the expansion of Cornish and Fisher, right to three digits. */
export const studentT = (degrees: number): number => {
  if (degrees <= small.length) return small[degrees - 1] ?? Infinity
  const z = 1.959963985
  const z3 = z * z * z
  const z5 = z3 * z * z
  return z + (z3 + z) / (4 * degrees) + (5 * z5 + 16 * z3 + 3 * z) / (96 * degrees * degrees) +
    (3 * z5 * z * z + 19 * z5 + 17 * z3 - 15 * z) / (384 * degrees * degrees * degrees)
}

export const estimate = (values: ReadonlyArray<number>): Estimate => {
  const n = values.length
  const center = mean(values)
  const spread = deviation(values)
  const half = n < 2 ? Infinity : studentT(n - 1) * spread / Math.sqrt(n)
  return { n, mean: center, deviation: spread, low: center - half, high: center + half }
}

/** The numbers of a result, by name: counts, means of tallies, means of monitors over time. */
export const measuresOf = ({ counts, events, monitors, now, tallies }: Result): Readonly<Record<string, number>> => ({
  now,
  events,
  ...counts,
  ...Object.fromEntries(Object.entries(tallies).map(([name, { mean }]) => [`${name}.mean`, mean])),
  ...Object.fromEntries(Object.entries(monitors).map(([name, { mean }]) => [`${name}.mean`, mean]))
})

/** The estimate of each number. What a replication does not have, such as a count that was never made, is 0 there. */
export const estimates = (
  measured: ReadonlyArray<Readonly<Record<string, number>>>
): Readonly<Record<string, Estimate>> =>
  Object.fromEntries(
    [...new Set(measured.flatMap(Object.keys))].map((name) => [
      name,
      // A mean of no observations is no number, not 0.
      estimate(measured.flatMap((one) => one[name] ?? (name.endsWith(".mean") ? [] : [0])))
    ])
  )

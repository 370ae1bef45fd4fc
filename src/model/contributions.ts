/** The mean of gradients that others computed, on the host: what every device but the kernels' own does when gathering. */
import type { Contribution } from "./Device.ts"
import { Statistic } from "./losses/Loss.ts"
import { type LossName, type LossReport, lossReport } from "./losses/LossSettings.ts"

/** The mean over all rows of gradients added in the order given, in float64, and of the terms of their loss. */
export const meanOf = (
  contributions: ReadonlyArray<Contribution>,
  loss: LossName,
  size: number
): { readonly gradient: Float64Array; readonly loss: LossReport } => {
  const mean = new Float64Array(size)
  const sums = new Float64Array(Statistic.count)
  for (const { gradient, statistics } of contributions) {
    for (let k = 0; k < size; k++) mean[k] = mean[k]! + gradient[k]!
    for (let k = 0; k < Statistic.count; k++) sums[k] = sums[k]! + statistics[k]!
  }
  const rows = sums[Statistic.rows]!
  for (let k = 0; k < size; k++) mean[k] = mean[k]! / rows
  return { gradient: mean, loss: lossReport(loss, sums) }
}

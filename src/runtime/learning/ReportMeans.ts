/** What several passes over the same experience report together: the mean over the passes of everything they report. */
import type { LossReport } from "../../model/losses/LossSettings.ts"

export class ReportMeans {
  private readonly reports: Array<LossReport> = []

  add(report: LossReport): void {
    this.reports.push(report)
  }

  get means(): LossReport {
    const [first] = this.reports
    if (first === undefined) return { policyLoss: 0, valueLoss: 0, entropy: 0 }
    if (this.reports.length === 1) return first
    const sums = { ...first }
    const names = Object.keys(first).filter((name): name is keyof LossReport => name in first)
    for (const report of this.reports.slice(1)) {
      for (const name of names) sums[name] = (sums[name] ?? 0) + (report[name] ?? 0)
    }
    for (const name of names) sums[name] = (sums[name] ?? 0) / this.reports.length
    return sums
  }
}

/** What several passes over the same experience report together: the mean over the passes of everything they report. */
import type { LossReport } from "../../model/losses/LossSettings.ts"

export class ReportMeans {
  private readonly sums: Record<string, number> = {}
  private passes = 0

  add(report: LossReport): void {
    this.passes++
    for (const [name, value] of Object.entries(report)) this.sums[name] = (this.sums[name] ?? 0) + value
  }

  get means(): LossReport {
    const mean = (name: string) => (this.sums[name] ?? 0) / Math.max(1, this.passes)
    return {
      ...Object.fromEntries(Object.keys(this.sums).map((name) => [name, mean(name)])),
      policyLoss: mean("policyLoss"),
      valueLoss: mean("valueLoss"),
      entropy: mean("entropy")
    }
  }
}

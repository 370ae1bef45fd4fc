/**
 * The losses there are: their settings, tagged by name, and what each reports beside its policy and value term and the
 * entropy. A further loss is a file beside this one and an entry in each table here; the compiler finds the others.
 */
import * as Schema from "effect/Schema"
import { a2c, A2cSettings } from "./a2c.ts"
import { type FragmentLoss, type RowLoss, Statistic } from "./Loss.ts"
import { ppo, PpoSettings, ppoStatistics } from "./ppo.ts"
import { td, TdSettings } from "./td.ts"

/** A loss of rows that stand by themselves, and its numbers for one pass. */
export const LossSettings = Schema.Union([A2cSettings, PpoSettings])
/** The decoded value of the schema of the same name. */
export type LossSettings = typeof LossSettings.Type

/** A loss along fragments, which only the kernels of a worker compute. */
export const FragmentLossSettings = Schema.Union([TdSettings])
/** The decoded value of the schema of the same name. */
export type FragmentLossSettings = typeof FragmentLossSettings.Type

/** The names of all losses. */
export type LossName = (LossSettings | FragmentLossSettings)["name"]

/** The loss of rows of these settings. */
export const rowLossOf = (settings: LossSettings): RowLoss => {
  switch (settings.name) {
    case "a2c":
      return a2c(settings)
    case "ppo":
      return ppo(settings)
  }
}

/** The loss along fragments of these settings. */
export const fragmentLossOf = (settings: FragmentLossSettings): FragmentLoss => {
  switch (settings.name) {
    case "td":
      return td(settings)
  }
}

/** What a loss reports for itself, in the order of its sums from `Statistic.own` on. */
export const ownStatistics = {
  a2c: [],
  ppo: ppoStatistics,
  td: []
} as const satisfies { readonly [Name in LossName]: ReadonlyArray<string> }

type OwnStatistic = typeof ownStatistics[LossName][number]

const own = Schema.optionalKey(Schema.Number)

/** What one pass over a batch found; means over its rows. */
export const LossReport = Schema.Struct({
  policyLoss: Schema.Number,
  valueLoss: Schema.Number,
  entropy: Schema.Number,
  ...{ approxKl: own, clipFraction: own } satisfies { readonly [Name in OwnStatistic]: typeof own }
})
/** The decoded value of the schema of the same name. */
export type LossReport = typeof LossReport.Type

/** The report of a loss from its sums. */
export const lossReport = (name: LossName, sums: Float64Array): LossReport => {
  const rows = sums[Statistic.rows]!
  return {
    policyLoss: sums[Statistic.policyLoss]! / rows,
    valueLoss: sums[Statistic.valueLoss]! / rows,
    entropy: sums[Statistic.entropy]! / rows,
    ...Object.fromEntries(ownStatistics[name].map((own, k) => [own, sums[Statistic.own + k]! / rows]))
  }
}

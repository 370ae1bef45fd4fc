/** The advantages of a batch or a minibatch brought to mean 0 and deviation 1: the one place where their mean is formed. */
import type { PassOrder } from "./UpdatePlan.ts"

/** The fragments of a unit, whose advantages are made. */
interface Unit {
  readonly fragments: ReadonlyArray<{ readonly slot: { readonly advantages: ArrayLike<number> } }>
}

/**
 * (A − mean) / (deviation + 1e-8), the deviation that of a sample, of the rows `selected` of each unit, each as
 * `fragment · stride + step`; in that order, so that no layout changes a bit. A single row has no deviation: null.
 */
export const normalizationOf = (
  units: ReadonlyArray<Unit>,
  selected: ReadonlyArray<Int32Array>,
  stride: number
): PassOrder["advantage"] => {
  let count = 0
  for (const rows of selected) count += rows.length
  if (count < 2) return null
  const advantages = new Float64Array(count)
  let at = 0
  for (let u = 0; u < selected.length; u++) {
    const { fragments } = units[u]!
    const rows = selected[u]!
    for (let k = 0; k < rows.length; k++) {
      const row = rows[k]!
      advantages[at++] = fragments[Math.floor(row / stride)]!.slot.advantages[row % stride]!
    }
  }
  let sum = 0
  for (let k = 0; k < count; k++) sum += advantages[k]!
  const mean = sum / count
  let squares = 0
  for (let k = 0; k < count; k++) squares += (advantages[k]! - mean) * (advantages[k]! - mean)
  return { mean, scale: 1 / (Math.sqrt(squares / (count - 1)) + 1e-8) }
}

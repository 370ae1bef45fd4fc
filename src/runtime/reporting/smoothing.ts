/** The two transformations between what a run measured and the curve people look at. Pure; used by `curve.ts`. */

/**
 * Exponential smoothing as TensorBoard draws it: s₀ = x₀·w + (1 − w)·x₀, sₜ = w·sₜ₋₁ + (1 − w)·xₜ, started at the first
 * value. `weight` from 0 (the values themselves) to below 1.
 */
export const smooth = (values: ReadonlyArray<number>, weight = 0.9): Array<number> => {
  const smoothed: Array<number> = []
  let last = values[0] ?? 0
  for (const value of values) {
    last = last * weight + (1 - weight) * value
    smoothed.push(last)
  }
  return smoothed
}

/**
 * Indices of at most `limit` (at least 4) of the values, ascending, that draw the same line: of each of `limit / 2`
 * equal stretches the lowest and the highest value, and the first and the last of all.
 */
export const downsample = (values: ReadonlyArray<number>, limit: number): Array<number> => {
  const n = values.length
  if (n <= limit) return Array.from(values, (_, i) => i)
  const stretches = Math.floor(limit / 2) - 1
  const kept = new Set<number>([0])
  for (let s = 0; s < stretches; s++) {
    const start = Math.floor((s * n) / stretches)
    const end = Math.floor(((s + 1) * n) / stretches)
    let lowest = start
    let highest = start
    for (let i = start + 1; i < end; i++) {
      if (values[i]! < values[lowest]!) lowest = i
      if (values[i]! > values[highest]!) highest = i
    }
    kept.add(Math.min(lowest, highest)).add(Math.max(lowest, highest))
  }
  return [...kept.add(n - 1)]
}

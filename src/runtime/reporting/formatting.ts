/** How the terminal writes numbers, times and bars. Pure; used by `Table.ts`. */

/** A whole number with thousands marks: 1234567 as 1,234,567. */
export const whole = (value: number): string => String(Math.round(value)).replace(/\B(?=(\d{3})+(?!\d))/g, ",")

/** A measured number to `digits` decimals; a dash where there is none or it is not finite. */
export const decimal = (value: number | null, digits: number): string => {
  if (value === null || !Number.isFinite(value)) return "-"
  const text = value.toFixed(digits)
  return Number(text) === 0 ? text.replace("-", "") : text
}

/**
 * A return: to three digits at least, since environments have returns of all sizes, and to one decimal at least: 500.0,
 * 9.35, 0.850, 1.20e-7. `like` says of which size: a deviation has the decimals of its mean.
 */
export const score = (value: number | null, like: number | null = value): string => {
  if (value === null || !Number.isFinite(value)) return "-"
  const size = Math.abs(like === null || !Number.isFinite(like) || like === 0 ? value : like)
  if (size >= 1e9 || (size > 0 && size < 1e-4)) return value === 0 ? "0.0" : value.toExponential(2)
  const exponent = Number(size.toExponential().split("e")[1])
  return decimal(value, size === 0 ? 1 : Math.max(1, 2 - exponent))
}

/** A return of one episode, or a threshold: whole where it is. */
export const exactScore = (value: number | null): string =>
  value !== null && Number.isSafeInteger(value) ? decimal(value, 0) : score(value)

/** What returns of several episodes were: mean, deviation, least and most. */
export const spread = (
  { max, mean, min, std }: { readonly [Of in "mean" | "std" | "min" | "max"]: number | null }
): string => `${score(mean)} ± ${score(std, mean)} (${exactScore(min)} to ${exactScore(max)})`

/** A rate: 950, 81.2k, 2.03M. */
export const rate = (value: number | null): string => {
  if (value === null || !Number.isFinite(value)) return "-"
  if (value < 999.5) return String(Math.round(value))
  const [scaled, suffix] = value < 999_500 ? [value / 1e3, "k"] : [value / 1e6, "M"]
  return `${scaled < 9.995 ? scaled.toFixed(2) : scaled < 99.95 ? scaled.toFixed(1) : Math.round(scaled)}${suffix}`
}

const two = (value: number): string => String(value).padStart(2, "0")

/** A stretch of time: 0.8 s, 12.3 s, 4:05, 1:02:33. */
export const duration = (seconds: number): string => {
  if (!Number.isFinite(seconds)) return "-"
  if (seconds < 59.95) return `${Math.max(0, seconds).toFixed(1)} s`
  const total = Math.round(seconds)
  const [hours, minutes] = [Math.floor(total / 3600), Math.floor(total / 60) % 60]
  return hours > 0 ? `${hours}:${two(minutes)}:${two(total % 60)}` : `${minutes}:${two(total % 60)}`
}

/** One thing or several: 1 restart, 2 restarts. */
export const plural = (count: number, noun: string): string =>
  `${whole(count)} ${noun}${count === 1 ? "" : noun.endsWith("s") ? "es" : "s"}`

/** A bar of `width` cells of which `fraction` (clipped to 0..1) is filled. */
export const bar = (fraction: number, width: number): string => {
  const filled = Math.round(Math.min(1, Math.max(0, Number.isFinite(fraction) ? fraction : 0)) * width)
  return "█".repeat(filled) + "░".repeat(width - filled)
}

/** Values as a line of small bars, from the least to the greatest of them. */
export const sparkline = (values: ReadonlyArray<number>): string => {
  const least = Math.min(...values)
  const most = Math.max(...values)
  return values.map((value) => "▁▂▃▄▅▆▇█"[most > least ? Math.round((value - least) / (most - least) * 7) : 0]).join("")
}

/**
 * As many of the parts, two blanks between, as fit into `width` cells; the first ones go first in importance. The
 * result is never longer than `width`.
 */
export const fit = (parts: ReadonlyArray<string>, width: number): string => {
  let line = ""
  for (const part of parts) {
    const longer = line === "" ? part : `${line}  ${part}`
    if (longer.length > width) break
    line = longer
  }
  return line === "" ? (parts[0] ?? "").slice(0, Math.max(0, width)) : line
}

/**
 * The grid of a sweep: settings as text, of which some name several values, and every combination of them. Pure.
 *
 * `1e-3,3e-3` are two values, `1..10` ten; of settings that are lists themselves (`--hidden`) the values are separated by
 * semicolons: `64,64;128`.
 */
import { splitReference } from "../../envs/options.ts"
import { type OptionName, optionNames, options } from "../config/RunConfig.ts"

/** Settings as text, by name. */
export type Texts = Readonly<Record<string, string>>

/** One run of a grid. */
export interface GridPoint {
  /** All settings as text. */
  readonly texts: Texts
  /** Those that differ over the grid, but for the seed. */
  readonly setting: Texts
}

/** Values that one setting may name at most. */
const mostValues = 10_000

/** What is wrong with the values of a setting. */
export class InvalidValues extends Error {
  readonly _tag = "InvalidValues"
  readonly option: OptionName

  constructor(option: OptionName, problem: string) {
    super(problem)
    this.option = option
  }
}

/** Settings whose text is one value, whatever is in it. */
const whole: ReadonlySet<OptionName> = new Set(["logDir", "initFrom", "wrap"])

/** `3..7` as five numbers, and everything else as it is. */
const expanded = (name: OptionName, part: string): ReadonlyArray<string> => {
  const [, from, to] = /^(\d+)\.\.(\d+)$/.exec(part) ?? []
  if (from === undefined || to === undefined) return [part]
  const [first, last] = [Number(from), Number(to)]
  if (last < first) throw new InvalidValues(name, `${part} ends before it begins`)
  if (last - first >= mostValues) throw new InvalidValues(name, `${part} names more than ${mostValues} values`)
  return Array.from({ length: last - first + 1 }, (_, i) => String(first + i))
}

/** The values that a setting's text names. */
export const valuesOf = (name: OptionName, text: string): ReadonlyArray<string> => {
  if (whole.has(name)) return [text]
  // What follows the question mark of a reference is its own.
  if (name === "envId" && splitReference(text).base !== text) return [text]
  const parts = text.split(options[name].kind === "numbers" ? ";" : ",").map((part) => part.trim())
  const values = options[name].kind === "number" ? parts.flatMap((part) => expanded(name, part)) : parts
  if (values.includes("")) throw new InvalidValues(name, "a value is empty")
  const twice = values.find((value, i) => values.indexOf(value) !== i)
  if (twice !== undefined) throw new InvalidValues(name, `${twice} is given twice`)
  return values
}

/** Every combination of the values that the texts name; the seed changes first. Throws an InvalidValues. */
export const gridOf = (texts: Texts): ReadonlyArray<GridPoint> => {
  const axes = optionNames.flatMap((name) => {
    const text = texts[name]
    return text === undefined ? [] : [{ name, values: valuesOf(name, text) }]
  })
  const varied = axes.filter(({ name, values }) => values.length > 1 && name !== "seed").map(({ name }) => name)
  const ordered = [...axes.filter(({ name }) => name !== "seed"), ...axes.filter(({ name }) => name === "seed")]
  const points = ordered.reduce<ReadonlyArray<Texts>>(
    (points, { name, values }) => points.flatMap((point) => values.map((value) => ({ ...point, [name]: value }))),
    [{}]
  )
  return points.map((texts) => ({
    texts,
    setting: Object.fromEntries(varied.map((name) => [name, texts[name]!]))
  }))
}

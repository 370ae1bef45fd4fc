/** Reset options that replace the bounds of a start state, as Gymnasium's classic environments take them. */
import type { JsonRecord } from "./EnvironmentDefinition.ts"

/** A number among the reset options. Throws a TypeError for anything else. */
export const resetNumber = (options: JsonRecord | undefined, name: string, byDefault: number): number => {
  const value = options?.[name] ?? byDefault
  if (typeof value !== "number") throw new TypeError(`the reset option "${name}" is no number`)
  return value
}

/** The options `low` and `high`. Throws a RangeError where they are the wrong way round. */
export const startBounds = (
  options: JsonRecord | undefined,
  byDefault: readonly [number, number]
): readonly [number, number] => {
  if (options === undefined) return byDefault
  const low = resetNumber(options, "low", byDefault[0])
  const high = resetNumber(options, "high", byDefault[1])
  if (low > high) throw new RangeError(`the reset option "low" (${low}) is above "high" (${high})`)
  return [low, high]
}

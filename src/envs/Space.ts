/**
 * The spaces observations and actions come from. A space says what it contains, samples as Gymnasium samples, and
 * flattens its elements for a network (`size`, `encode`, `decode`).
 */
import type { Box } from "./Box.ts"
import type { Discrete } from "./Discrete.ts"

export type Space = Box | Discrete
export type ObservationSpace = Space
export type ActionSpace = Space

/** What `step` is given: an integer for a Discrete space, a vector for a Box. */
export type ActionOf<A extends ActionSpace> = A extends Discrete ? number : Float64Array

/** What people are given: an integer for a Discrete space, a vector for a Box. */
export type Observation = number | Float32Array

const isRecord = (value: unknown): value is Record<string, unknown> => typeof value === "object" && value !== null

const isPositiveInteger = (value: unknown): value is number =>
  typeof value === "number" && Number.isSafeInteger(value) && value > 0

/** What is wrong with a space, as the end of a sentence; undefined when nothing is. */
export const spaceProblem = (space: unknown): string | undefined => {
  // By structure and not by class: a definition may come from another copy of this module.
  if (!isRecord(space)) return "is missing: give a Box or a Discrete"
  if (space["_tag"] === "Discrete") {
    if (!isPositiveInteger(space["n"])) return `has n = ${String(space["n"])}: give a positive integer`
    if (!Number.isSafeInteger(space["start"])) return `starts at ${String(space["start"])}: give an integer`
    return undefined
  }
  if (space["_tag"] !== "Box") return "is neither a Box nor a Discrete: give one of them"
  const { high, low, shape, size } = space
  if (!Array.isArray(shape) || !shape.every(isPositiveInteger) || !isPositiveInteger(size)) {
    return `has the shape [${String(shape)}]: give positive integers`
  }
  if (!(low instanceof Float64Array && high instanceof Float64Array)) return "has no bounds: give low and high"
  if (low.length !== size || high.length !== size) {
    return `has ${low.length} lower and ${high.length} upper bounds for ${size} numbers: give one each`
  }
  for (let i = 0; i < size; i++) {
    if (Number.isNaN(low[i]) || Number.isNaN(high[i])) return `has a bound at ${i} that is NaN: give a number`
    if (low[i]! > high[i]!) return `has low ${low[i]} above high ${high[i]} at ${i}: swap them`
    if (low[i] === Infinity || high[i] === -Infinity) {
      return `is empty at ${i}: give low below Infinity, high above -Infinity`
    }
  }
  return undefined
}

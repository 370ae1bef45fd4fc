/**
 * From the bounds of a Box to others and back (Gymnasium's `rescale_box`), and which definitions have a Box to speak of.
 * Numbers are rounded as the dtype of the space has it, in the order in which Gymnasium computes.
 */
import type { EnvironmentDefinition } from "../EnvironmentDefinition.ts"
import { Box } from "../spaces/Box.ts"
import { dtypes } from "../spaces/dtypes.ts"
import type { ActionSpace } from "../spaces/Space.ts"
import { refuse } from "./derive.ts"

/** One bound for all numbers, or one each. */
export type Bound = number | ReadonlyArray<number>

export interface Rescaling {
  readonly space: Box
  /** Number `i` of the old bounds, between the new ones. */
  readonly forward: (value: number, i: number) => number
  /** The other way. */
  readonly backward: (value: number, i: number) => number
}

/** Throws an InvalidWrapper where the bounds cannot be. An unbounded side must stay as it is. */
export const rescaling = (
  definition: EnvironmentDefinition,
  wrapper: string,
  box: Box,
  least: Bound,
  greatest: Bound
): Rescaling => {
  const { dtype, high, low, shape, size } = box
  const { kind, round } = dtypes[dtype]
  if (kind !== "float") refuse(definition, wrapper, `the space ${box} holds no floats: flatten or transform it`)
  const each = (bound: Bound, name: string): ReadonlyArray<number> => {
    const all = typeof bound === "number" ? Array.from({ length: size }, () => bound) : bound
    if (all.length !== size) {
      refuse(definition, wrapper, `${name} has ${all.length} numbers where the space has ${size}`)
    }
    return all
  }
  const min = each(least, "the lower bound")
  const max = each(greatest, "the upper bound")
  const gradient = new Float64Array(size)
  const intercept = new Float64Array(size)
  for (let i = 0; i < size; i++) {
    for (const [to, from] of [[min[i]!, low[i]!], [max[i]!, high[i]!]] as const) {
      if ((Number.isFinite(to) && Number.isFinite(from)) || to === from) continue
      refuse(definition, wrapper, `number ${i} of ${box} is unbounded (${from}), and must stay so: ${to} was given`)
    }
    if (min[i]! > max[i]!) refuse(definition, wrapper, `the lower bound ${min[i]} is above the upper one, ${max[i]}`)
    const both = Number.isFinite(min[i]) && Number.isFinite(max[i])
    if (both && low[i] === high[i]) refuse(definition, wrapper, `number ${i} of ${box} can only be ${low[i]}`)
    gradient[i] = both ? round((max[i]! - min[i]!) / (high[i]! - low[i]!)) : 1
    intercept[i] = Number.isFinite(min[i])
      ? round(round(gradient[i]! * -low[i]!) + min[i]!)
      : Number.isFinite(max[i])
      ? round(max[i]! - high[i]!)
      : 0
  }
  return {
    space: new Box({ low: min, high: max, shape, dtype }),
    forward: (value, i) => round(round(gradient[i]! * value) + intercept[i]!),
    backward: (value, i) => round(round(round(value) - intercept[i]!) / gradient[i]!)
  }
}

const hasBox = (definition: EnvironmentDefinition<ActionSpace>): definition is EnvironmentDefinition<Box> =>
  definition.actionSpace._tag === "Box"

/** The definition, whose actions are those of a Box of floats. Throws an InvalidWrapper for others. */
export const boxOfActions = (
  definition: EnvironmentDefinition<ActionSpace>,
  wrapper: string
): EnvironmentDefinition<Box> => {
  if (hasBox(definition) && dtypes[definition.actionSpace.dtype].kind === "float") return definition
  return refuse(definition, wrapper, `its actions are those of ${definition.actionSpace}, and not of a Box of floats`)
}

/** The space of a definition's observations, where that is a Box. Throws an InvalidWrapper for others. */
export const boxOfObservations = (definition: EnvironmentDefinition, wrapper: string): Box => {
  const { observationSpace } = definition
  return observationSpace._tag === "Box" ? observationSpace : refuse(
    definition,
    wrapper,
    `its observations are those of ${observationSpace}, and not of a Box (FlattenObservation makes them so)`
  )
}

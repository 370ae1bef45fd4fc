/**
 * What a policy draws for an action space, and what the environment is given for it: the one place that knows of both. A
 * space that no distribution fits is refused here, by name.
 */
import type { Box } from "../../envs/spaces/Box.ts"
import type { ActionSpace } from "../../envs/spaces/Space.ts"
import type { ActionArray } from "../../model/policy/Distribution.ts"
import type { DistributionSpec } from "../../model/policy/DistributionSpec.ts"

/** An action as the environment takes it: a number of a `Discrete` space, else a vector. */
export type PlayedAction = number | Int32Array | Int8Array | Float64Array

/** Reads the action whose numbers begin at an index of an array. What it gives is good until it is called again. */
export type ActionReader = (numbers: ActionArray, at: number) => PlayedAction

/** The actions of a space. */
export interface Actions {
  readonly distribution: DistributionSpec
  /** A reader of its own: two of them do not disturb one another. */
  readonly reader: () => ActionReader
}

/** So many integers a number of an action may be chosen from. */
const mostIntegers = 1024

/** A Box of integers: each number is a choice of its own. What has no bounds, or too many integers, cannot be chosen from. */
const integersOf = ({ dtype, high, low, size }: Box): Actions | undefined => {
  const nvec = Array.from({ length: size }, (_, k) => high[k]! - low[k]! + 1)
  if (dtype === "float16" || size === 0 || !nvec.every((n) => n >= 1 && n <= mostIntegers)) return undefined
  return {
    distribution: { kind: "multi-categorical", nvec },
    reader: () => {
      const action = new Float64Array(size)
      return (numbers, at) => {
        for (let k = 0; k < size; k++) action[k] = low[k]! + numbers[at + k]!
        return action
      }
    }
  }
}

/** What fits a space, or undefined where nothing does. */
export const actionsOf = (space: ActionSpace): Actions | undefined => {
  switch (space._tag) {
    case "Discrete": {
      const { n, start } = space
      return { distribution: { kind: "categorical", n }, reader: () => (numbers, at) => start + numbers[at]! }
    }
    case "MultiDiscrete": {
      const { nvec, start } = space
      return {
        distribution: { kind: "multi-categorical", nvec },
        reader: () => {
          const action = new Int32Array(nvec.length)
          return (numbers, at) => {
            for (let k = 0; k < action.length; k++) action[k] = start[k]! + numbers[at + k]!
            return action
          }
        }
      }
    }
    case "MultiBinary": {
      const { size } = space
      return {
        distribution: { kind: "bernoulli", n: size },
        reader: () => {
          const action = new Int8Array(size)
          return (numbers, at) => {
            for (let k = 0; k < size; k++) action[k] = numbers[at + k]!
            return action
          }
        }
      }
    }
    case "Box": {
      const { dtype, high, low, size } = space
      if (dtype !== "float32" && dtype !== "float64") return integersOf(space)
      return {
        distribution: { kind: "diagonal-gaussian", dims: size },
        // The environment gets what lies within its bounds; what was drawn stays what the policy learns from.
        reader: () => {
          const action = new Float64Array(size)
          return (numbers, at) => {
            for (let k = 0; k < size; k++) action[k] = Math.min(high[k]!, Math.max(low[k]!, numbers[at + k]!))
            return action
          }
        }
      }
    }
    case "Dict":
    case "Text":
    case "Tuple":
      return undefined
  }
}

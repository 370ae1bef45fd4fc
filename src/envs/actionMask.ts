/**
 * Action masks: an environment may say which actions are legal in the present state. A mask has a number for each action of a
 * `Discrete` space, for each of all choices of a `MultiDiscrete` one after the other, for each bit of a `MultiBinary` (which is 0
 * where that is not legal); other spaces have none.
 */
import type { EnvironmentDefinition } from "./EnvironmentDefinition.ts"
import type { ActionSpace } from "./spaces/Space.ts"

/** Numbers of a mask; 0: the space has none. */
export const maskSize = (space: ActionSpace): number => {
  switch (space._tag) {
    case "Discrete":
      return space.n
    case "MultiDiscrete":
      return space.nvec.reduce((sum, n) => sum + n, 0)
    case "MultiBinary":
      return space.size
    default:
      return 0
  }
}

/** The choices that an action consists of, each of so many actions: of each one at least must be legal. */
const choicesOf = (space: ActionSpace): ReadonlyArray<number> => {
  switch (space._tag) {
    case "Discrete":
      return [space.n]
    case "MultiDiscrete":
      return Array.from(space.nvec)
    default:
      return []
  }
}

/** Numbers of an environment's masks; 0: it has none. */
export const masksOf = ({ actionSpace, masksActions }: Pick<EnvironmentDefinition, "actionSpace" | "masksActions">) =>
  masksActions === true ? maskSize(actionSpace) : 0

/** What is wrong with masks of a space, as the end of a sentence. Made once, asked for every mask. */
export const maskJudge = (space: ActionSpace): (mask: Uint8Array) => string | undefined => {
  const choices = choicesOf(space)
  return (mask) => {
    for (let i = 0; i < mask.length; i++) {
      if (mask[i]! > 1) return `its action mask is ${mask[i]} at ${i}, or was not written there: give 1 (legal) or 0`
    }
    let at = 0
    for (let k = 0; k < choices.length; k++) {
      let legal = 0
      for (const end = at + choices[k]!; at < end; at++) legal += mask[at]!
      if (legal === 0) return "its action mask leaves no action"
    }
    return undefined
  }
}

/** A mask in the form that the space's `sample` takes. */
export const maskToSample = (space: ActionSpace, mask: Uint8Array): unknown => {
  switch (space._tag) {
    case "MultiDiscrete": {
      let at = 0
      return Array.from(space.nvec, (n) => mask.subarray(at, at += n))
    }
    // Gymnasium draws a bit where the mask says 2.
    case "MultiBinary":
      return mask.map((legal) => 2 * legal)
    default:
      return mask
  }
}

/** Takes actions between other bounds, and gives the world within what they are between its own (Gymnasium's `RescaleAction`). */
import type { EnvironmentDefinition } from "../EnvironmentDefinition.ts"
import type { Box } from "../spaces/Box.ts"
import type { ActionSpace } from "../spaces/Space.ts"
import { refuse } from "./derive.ts"
import { type Bound, boxOfActions, rescaling } from "./rescaling.ts"
import { TransformAction } from "./TransformAction.ts"

export interface RescaleActionOptions {
  readonly min_action: Bound
  readonly max_action: Bound
}

/** For actions of a Box of floats. Throws an InvalidWrapper for others, and for bounds that cannot be. */
const wrap = (
  definition: EnvironmentDefinition<ActionSpace>,
  { max_action, min_action }: RescaleActionOptions
): EnvironmentDefinition<Box> => {
  const within = boxOfActions(definition, "RescaleAction")
  const { size } = within.actionSpace
  const { backward, space } = rescaling(definition, "RescaleAction", within.actionSpace, min_action, max_action)
  if (space.low.some((low, i) => low === space.high[i])) {
    refuse(definition, "RescaleAction", "min_action must be below max_action, or there is nothing to choose")
  }
  const rescaled = new Float64Array(size)
  return TransformAction.wrap(within, space, (action) => {
    for (let i = 0; i < size; i++) rescaled[i] = backward(action[i]!, i)
    return rescaled
  })
}

export const RescaleAction = { wrap }

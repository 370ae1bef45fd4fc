/** Takes any vector as an action, and gives the world within what its bounds leave of it (Gymnasium's `ClipAction`). */
import type { EnvironmentDefinition } from "../EnvironmentDefinition.ts"
import { Box } from "../spaces/Box.ts"
import type { ActionSpace } from "../spaces/Space.ts"
import { boxOfActions } from "./rescaling.ts"
import { TransformAction } from "./TransformAction.ts"

/** For actions of a Box of floats. Throws an InvalidWrapper for others. */
const wrap = (definition: EnvironmentDefinition<ActionSpace>): EnvironmentDefinition<Box> => {
  const within = boxOfActions(definition, "ClipAction")
  const { dtype, high, low, shape, size } = within.actionSpace
  const clipped = new Float64Array(size)
  return TransformAction.wrap(within, new Box({ low: -Infinity, high: Infinity, shape, dtype }), (action) => {
    for (let i = 0; i < size; i++) clipped[i] = Math.min(high[i]!, Math.max(low[i]!, action[i]!))
    return clipped
  })
}

export const ClipAction = { wrap }

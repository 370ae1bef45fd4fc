/** Gives the world within a function of every action (Gymnasium's `TransformAction`). */
import type { EnvironmentDefinition } from "../EnvironmentDefinition.ts"
import type { ActionOf, ActionSpace } from "../spaces/Space.ts"
import { derive } from "./derive.ts"

/** `transform` gets an action of `actionSpace`, and answers one of the space within. */
const wrap = <A extends ActionSpace, B extends ActionSpace>(
  definition: EnvironmentDefinition<A>,
  actionSpace: B,
  transform: (action: ActionOf<B>) => ActionOf<A>
): EnvironmentDefinition<B> =>
  derive(definition, {
    actionSpace,
    create: (inner) => ({
      ...inner,
      ahead: (action, random) => inner.ahead(transform(action), random),
      step: (action, random) => inner.step(transform(action), random)
    })
  })

export const TransformAction = { wrap }

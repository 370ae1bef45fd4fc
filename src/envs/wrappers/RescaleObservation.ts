/** Gives observations between other bounds (Gymnasium's `RescaleObservation`). */
import type { EnvironmentDefinition } from "../EnvironmentDefinition.ts"
import type { ActionSpace } from "../spaces/Space.ts"
import { type Bound, boxOfObservations, rescaling } from "./rescaling.ts"
import { TransformObservation } from "./TransformObservation.ts"

export interface RescaleObservationOptions {
  readonly min_obs: Bound
  readonly max_obs: Bound
}

/** For observations of a Box of floats. Throws an InvalidWrapper for others, and for bounds that cannot be. */
const wrap = <A extends ActionSpace>(
  definition: EnvironmentDefinition<A>,
  { max_obs, min_obs }: RescaleObservationOptions
): EnvironmentDefinition<A> => {
  const box = boxOfObservations(definition, "RescaleObservation")
  const { forward, space } = rescaling(definition, "RescaleObservation", box, min_obs, max_obs)
  return TransformObservation.wrap(definition, space, (inner, outer) => {
    for (let i = 0; i < inner.length; i++) outer[i] = forward(inner[i]!, i)
  })
}

export const RescaleObservation = { wrap }

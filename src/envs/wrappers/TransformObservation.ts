/** Replaces every observation by a function of it (Gymnasium's `TransformObservation`). */
import type { EnvironmentDefinition } from "../EnvironmentDefinition.ts"
import type { ActionSpace, ObservationSpace } from "../spaces/Space.ts"
import { derive } from "./derive.ts"

/**
 * `transform` reads the inner observation, flattened, and writes every number of the outer one; `observationSpace` is
 * the space of what it writes.
 */
const wrap = <A extends ActionSpace>(
  definition: EnvironmentDefinition<A>,
  observationSpace: ObservationSpace,
  transform: (inner: Float32Array, outer: Float32Array) => void
): EnvironmentDefinition<A> =>
  derive(definition, {
    actionSpace: definition.actionSpace,
    observationSpace,
    create: (inner) => ({ ...inner, observe: (observation) => transform(inner.observe(), observation) })
  })

export const TransformObservation = { wrap }

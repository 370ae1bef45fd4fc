/** Replaces every observation by a function of it (Gymnasium's `TransformObservation`). */
import type { Dynamics, EnvironmentDefinition } from "../EnvironmentDefinition.ts"
import type { ActionOf, ActionSpace, ObservationSpace } from "../spaces/Space.ts"
import { dynamicsOf, refusePromise } from "../Stepper.ts"

/**
 * `transform` reads the inner observation, flattened, and writes every number of the outer one; `observationSpace` is
 * the space of what it writes.
 */
const wrap = <A extends ActionSpace>(
  definition: EnvironmentDefinition<A>,
  observationSpace: ObservationSpace,
  transform: (inner: Float32Array, outer: Float32Array) => void
): EnvironmentDefinition<A> => ({
  ...definition,
  observationSpace,
  create: (state) => {
    const inner = dynamicsOf(definition, state)
    const observed = new Float32Array(definition.observationSpace.size)
    const dynamics: Dynamics<ActionOf<A>> = {
      reset: (random, options) => {
        // What the inner environment then leaves unwritten shows.
        observed.fill(NaN)
        return inner.reset(random, options)
      },
      step: (action, random) => inner.step(action, random),
      observe: (observation) => {
        const given: unknown = inner.observe(observed)
        refusePromise("its observe", given)
        transform(observed, observation)
      }
    }
    if (inner.info !== undefined) dynamics.info = () => inner.info?.() ?? {}
    return dynamics
  }
})

export const TransformObservation = { wrap }

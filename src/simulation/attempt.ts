/** Where code of a model runs within Effect: its faults are failures, and all else is a defect. */
import * as Effect from "effect/Effect"
import { isSimulationFault, type SimulationFault } from "./errors.ts"

export const attempt = <A>(body: () => A): Effect.Effect<A, SimulationFault> =>
  Effect.suspend(() => {
    try {
      return Effect.succeed(body())
    } catch (cause) {
      return isSimulationFault(cause) ? Effect.fail(cause) : Effect.die(cause)
    }
  })

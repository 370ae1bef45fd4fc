/** What a Learner remembers, as it is handed over for a stretch and back: its arrays in shared memory, the rest in a message. */
import { optimizerOf, type OptimizerSpec } from "../../model/optimizers.ts"
import { type DataPlaneLayout, learnerNumbers } from "../workers/dataPlaneLayout.ts"
import type { LearnerHead } from "../workers/Stretch.ts"
import type { LearnerState } from "./Learner.ts"

/** What goes in the message. */
export const headOf = ({ consumed, model, version }: LearnerState): LearnerHead => ({
  version,
  consumed,
  scalars: model.optimizer.scalars
})

export const handedLearner = (buffer: SharedArrayBuffer, layout: DataPlaneLayout, optimizer: OptimizerSpec) => {
  const [parameters, ...others] = learnerNumbers(buffer, layout)
  const names = optimizerOf(optimizer).arrays
  if (parameters === undefined || names.length > others.length) {
    throw new Error(`there is no room to hand over a Learner with ${optimizer.kind}`)
  }
  const arrays = Object.fromEntries(names.map((name, k) => [name, others[k]!]))
  return {
    /** Leaves the arrays of a state there. */
    put: ({ model }: LearnerState): void => {
      parameters.set(model.parameters)
      for (const [name, array] of Object.entries(arrays)) array.set(model.optimizer.arrays[name]!)
    },
    /** The state whose arrays lie there. */
    at: ({ consumed, scalars, version }: LearnerHead): LearnerState => ({
      version,
      consumed,
      model: { parameters, optimizer: { arrays, scalars } }
    })
  }
}

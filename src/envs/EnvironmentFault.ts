/** How an environment fails at run time, and the test of the numbers that it gives. */
import * as Schema from "effect/Schema"
import { observationReason, rewardReason } from "./Stepper.ts"

/** The environment's own code threw, or gave a number that is none. */
export class EnvironmentFault extends Schema.TaggedError<EnvironmentFault>()("EnvironmentFault", {
  id: Schema.String,
  /** Steps taken since the last reset; 0 is the reset itself. */
  step: Schema.Int,
  reason: Schema.String
}) {
  override get message(): string {
    return `The environment "${this.id}" failed at step ${this.step} of its episode: ${this.reason}.`
  }
}

/**
 * What is wrong with the numbers of a step: a reward or observation that is NaN, infinite, or more than float32 can hold.
 * undefined when nothing is. Finite numbers outside the observation space pass, as in Gymnasium; `check` reports them.
 * Allocates only on a fault.
 */
export const stepFault = (observation: Float32Array, reward: number): string | undefined =>
  rewardReason(reward) ?? observationReason(observation)

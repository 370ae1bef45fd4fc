/** How an environment fails at run time, and the test for it that collectors run on every step. */
import * as Schema from "effect/Schema"
import { thrownText } from "../text/plainLine.ts"

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
 * What is wrong with the numbers of a step: a reward or observation that is NaN or infinite. undefined when nothing is.
 * Finite numbers outside the observation space pass, as in Gymnasium; `check` reports them. Allocates only on a fault.
 */
export const stepFault = (observation: Float32Array, reward: number): string | undefined => {
  if (typeof reward !== "number" || reward - reward !== 0) return `the reward is ${String(reward)}, which is no number`
  for (let i = 0; i < observation.length; i++) {
    const value = observation[i]!
    if (value - value !== 0) return `observation[${i}] is ${value}`
  }
  return undefined
}

/** What was thrown, as the end of a sentence. */
export const thrownReason = (during: string, cause: unknown): string =>
  `${during} threw ${cause instanceof Error ? `${cause.name}: ${thrownText(cause)}` : thrownText(cause)}`

/** The environment a configuration names, as the trainer, its workers and the evaluator all step it. */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import type { EnvironmentDefinition } from "../../envs/EnvironmentDefinition.ts"
import { loadEnvironment } from "../../envs/loadEnvironment.ts"
import type { Discrete } from "../../envs/spaces/Discrete.ts"
import { TimeLimit } from "../../envs/wrappers/TimeLimit.ts"

/** An environment that no algorithm here can learn. */
export class UnsupportedEnvironment
  extends Schema.TaggedError<UnsupportedEnvironment>()("UnsupportedEnvironment", { message: Schema.String })
{}

/** Every way in which the environment of a run cannot be had. */
export type LearnableEnvironmentError = Effect.Error<ReturnType<typeof loadEnvironment>> | UnsupportedEnvironment

const hasDiscreteActions = (definition: EnvironmentDefinition): definition is EnvironmentDefinition<Discrete> =>
  definition.actionSpace._tag === "Discrete"

/** Loads an environment (an id, or a module) and applies its time limit, or `limit` where that is not 0. */
export const learnableEnvironment = Effect.fnUntraced(function*(reference: string, limit = 0) {
  const definition = yield* loadEnvironment(reference)
  if (!hasDiscreteActions(definition)) {
    return yield* new UnsupportedEnvironment({
      message:
        `${definition.id} has actions of ${definition.actionSpace}; the algorithms here learn environments with Discrete actions.`
    })
  }
  return TimeLimit.wrap(limit === 0 ? definition : { ...definition, maxEpisodeSteps: limit })
})

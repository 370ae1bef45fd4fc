/** The actor that loads or checks an environment in a process that can be ended (`firstLoading.ts`, the verb `check`). */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Actor from "../../actors/Actor.ts"
import { check, Finding } from "../../envs/check.ts"
import type { EnvironmentDefinition } from "../../envs/EnvironmentDefinition.ts"
import { loadEnvironment } from "../../envs/loadEnvironment.ts"
import { microsecondsAStep } from "../../envs/stepTime.ts"

export const CheckRequest = Schema.Struct({ reference: Schema.String, steps: Schema.Int, seed: Schema.Int })

export const CheckReport = Schema.Struct({
  id: Schema.String,
  /** What the environment is, as one line. */
  description: Schema.String,
  findings: Schema.Array(Finding),
  /** How long a step takes; null where there are errors. */
  microseconds: Schema.NullOr(Schema.Finite)
})
export type CheckReport = typeof CheckReport.Type

/** There is no environment to check. */
export class NotChecked extends Schema.TaggedError<NotChecked>()("NotChecked", { message: Schema.String }) {}

/** What the environment is, as one line. */
const described = ({ actionSpace, id, maxEpisodeSteps, observationSpace, rewardThreshold }: EnvironmentDefinition) => {
  const limit = maxEpisodeSteps === undefined ? "no time limit" : `at most ${maxEpisodeSteps} steps an episode`
  const solved = rewardThreshold === undefined ? "" : `, solved at ${rewardThreshold}`
  return `${id}: observations ${observationSpace}, actions ${actionSpace}, ${limit}${solved}`
}

/** Checks a definition, and times it where it is sound. */
export const report = Effect.fnUntraced(function*(
  definition: EnvironmentDefinition,
  options: { readonly steps: number; readonly seed: number }
) {
  const findings = yield* check(definition, options)
  const sound = findings.every(({ severity }) => severity !== "error")
  const microseconds = sound ? yield* microsecondsAStep(definition) : null
  return { id: definition.id, description: described(definition), findings, microseconds }
})

export class EnvironmentTrial extends Actor.make("EnvironmentTrial", {
  protocol: [
    /** Loads an environment, an id or a module. Answers when that has come to an end, by a mistake or not. */
    Actor.Rpc.make("Load", { payload: { reference: Schema.String } }),
    /** Loads an environment and plays it with random actions. */
    Actor.Rpc.make("Check", { payload: CheckRequest, success: CheckReport, error: NotChecked })
  ]
}) {}

export const EnvironmentTrialBehavior = EnvironmentTrial.behavior(() =>
  Effect.succeed({
    handlers: {
      Load: ({ reference }: { readonly reference: string }) => Effect.ignore(loadEnvironment(reference)),
      Check: ({ reference, ...options }: typeof CheckRequest.Type) =>
        Effect.flatMap(loadEnvironment(reference), (definition) => report(definition, options)).pipe(
          Effect.mapError(({ message }) => new NotChecked({ message }))
        )
    }
  })
)

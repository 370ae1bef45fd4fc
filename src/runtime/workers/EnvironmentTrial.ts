/** The actor that loads an environment for the first time, in a process that can be ended (`firstLoading.ts`). */
import * as Effect from "effect/Effect"
import * as Schema from "effect/Schema"
import * as Actor from "../../actors/Actor.ts"
import { loadEnvironment } from "../../envs/loadEnvironment.ts"

export class EnvironmentTrial extends Actor.make("EnvironmentTrial", {
  protocol: [
    /** Loads an environment, an id or a module. Answers when that has come to an end, by a mistake or not. */
    Actor.Rpc.make("Load", { payload: { reference: Schema.String } })
  ]
}) {}

export const EnvironmentTrialBehavior = EnvironmentTrial.behavior(() =>
  Effect.succeed({
    handlers: {
      Load: ({ reference }: { readonly reference: string }) => Effect.ignore(loadEnvironment(reference))
    }
  })
)

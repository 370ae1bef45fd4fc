/** The environment a configuration names, as the trainer, its workers and the evaluator all step it. */
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"
import type { EnvironmentDefinition } from "../../envs/EnvironmentDefinition.ts"
import { isModule, loadEnvironment } from "../../envs/loadEnvironment.ts"
import { Registry } from "../../envs/Registry.ts"
import { TimeLimit } from "../../envs/wrappers/TimeLimit.ts"
import { placements } from "../config/placements.ts"
import type { RunConfig } from "../config/RunConfig.ts"
import { actionsOf } from "./actions.ts"

/** An environment that no algorithm here can learn. */
export class UnsupportedEnvironment
  extends Schema.TaggedError<UnsupportedEnvironment>()("UnsupportedEnvironment", { message: Schema.String })
{}

/** Every way in which the environment of a run cannot be had. */
export type LearnableEnvironmentError = Effect.Error<ReturnType<typeof loadEnvironment>> | UnsupportedEnvironment

/** Loads an environment (an id, or a module) and applies its time limit, or `limit` where that is not 0. */
export const learnableEnvironment = Effect.fnUntraced(function*(reference: string, limit = 0) {
  const definition = yield* loadEnvironment(reference, limit)
  if (actionsOf(definition.actionSpace) === undefined) {
    return yield* new UnsupportedEnvironment({
      message:
        `${definition.id} has actions of ${definition.actionSpace}; the algorithms here learn environments whose actions are ` +
        "Discrete, MultiDiscrete, MultiBinary, a Box of float32 or float64, or one of up to 1024 integers a number."
    })
  }
  return TimeLimit.wrap(definition)
})

/** Whether an id is registered here, and no other thread could find it, or would take another for it. */
export const isKnownHereOnly = Effect.fnUntraced(function*(envId: string) {
  if (isModule(envId) || (yield* Registry.isFoundEverywhere(envId))) return false
  const found = yield* Effect.option(Registry.lookup(envId))
  return Option.isSome(found) && found.value.module === undefined
})

/** Refuses an environment that the workers' threads or processes could not find, or would take for another of that id. */
export const refuseUnreachable = Effect.fnUntraced(function*(
  { envId, placement }: Pick<RunConfig, "envId" | "placement">,
  { id, module }: EnvironmentDefinition
) {
  if (!placements[placement].ownHosts || module !== undefined || isModule(envId)) return
  if (yield* Registry.isFoundEverywhere(envId)) return
  return yield* new UnsupportedEnvironment({
    message:
      `${id} is registered in this thread alone, and placement "${placement}" steps it elsewhere: take placement "fiber", ` +
      `or give the definition module: import.meta.url of the file that exports it.`
  })
})

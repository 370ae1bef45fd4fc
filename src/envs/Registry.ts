/** The environments known by id: the built-in ones, and those an application adds with a Layer. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { CartPoleV0, CartPoleV1 } from "./cartpole/CartPole.ts"
import type { EnvironmentDefinition } from "./EnvironmentDefinition.ts"
import { nearest } from "./nearest.ts"

/** No environment of that id. */
export class UnknownEnvironment extends Schema.TaggedError<UnknownEnvironment>()("UnknownEnvironment", {
  id: Schema.String,
  /** The known id that differs least, where one is near. */
  near: Schema.optionalKey(Schema.String),
  known: Schema.Array(Schema.String)
}) {
  override get message(): string {
    const hint = this.near === undefined
      ? `Known are ${this.known.join(", ")}, or give the path of a file that exports one.`
      : `Did you mean "${this.near}"?`
    return `There is no environment "${this.id}". ${hint}`
  }
}

const builtIn: ReadonlyArray<EnvironmentDefinition> = [CartPoleV0, CartPoleV1]

/** What is registered. A reference, so that it needs no Layer to have the built-in environments. */
const Registered = Context.Reference<ReadonlyArray<EnvironmentDefinition>>("troupe/envs/Registered", {
  defaultValue: () => builtIn
})

/** The definition registered under an id. */
const lookup = Effect.fnUntraced(function*(id: string) {
  const registered = yield* Registered
  const found = registered.findLast((definition) => definition.id === id)
  if (found !== undefined) return found
  const known = registered.map((definition) => definition.id)
  const near = nearest(id, known)
  return yield* new UnknownEnvironment(near === undefined ? { id, known } : { id, near, known })
})

/** Whether an environment of this id comes with Troupe. */
const isBuiltIn = (id: string): boolean => builtIn.some((definition) => definition.id === id)

/** Every registered id. */
const ids: Effect.Effect<ReadonlyArray<string>> = Effect.map(
  Registered,
  (registered) => [...new Set(registered.map((definition) => definition.id))]
)

/** Registers more environments; one with a known id replaces it. */
const layer = (...definitions: ReadonlyArray<EnvironmentDefinition>): Layer.Layer<never> =>
  Layer.effect(Registered, Effect.map(Registered, (registered) => [...registered, ...definitions]))

export const Registry = { lookup, isBuiltIn, ids, layer }

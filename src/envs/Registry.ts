/** The environments known by id: the built-in ones, and those an application adds with a Layer. */
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schema from "effect/Schema"
import { AcrobotV1 } from "./acrobot/Acrobot.ts"
import { BlackjackV1 } from "./blackjack/Blackjack.ts"
import { CartPoleV0, CartPoleV1 } from "./cartpole/CartPole.ts"
import { CliffWalkingSlipperyV1, CliffWalkingV1 } from "./cliffwalking/CliffWalking.ts"
import type { EnvironmentDefinition } from "./EnvironmentDefinition.ts"
import { FrozenLake8x8V1, FrozenLakeV1 } from "./frozenlake/FrozenLake.ts"
import { isGymnasium } from "./gymnasium/reference.ts"
import { MountainCarV0 } from "./mountaincar/MountainCar.ts"
import { MountainCarContinuousV0 } from "./mountaincar/MountainCarContinuous.ts"
import { nearest } from "./nearest.ts"
import { splitReference } from "./options.ts"
import { PendulumV1 } from "./pendulum/Pendulum.ts"
import { TaxiV4 } from "./taxi/Taxi.ts"

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

const builtIn: ReadonlyArray<EnvironmentDefinition> = [
  CartPoleV0,
  CartPoleV1,
  AcrobotV1,
  MountainCarV0,
  MountainCarContinuousV0,
  PendulumV1,
  FrozenLakeV1,
  FrozenLake8x8V1,
  CliffWalkingV1,
  CliffWalkingSlipperyV1,
  TaxiV4,
  BlackjackV1
]

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

/** Whether the environment of a reference comes with Troupe. */
const isBuiltIn = (reference: string): boolean => {
  const { base } = splitReference(reference)
  return builtIn.some((definition) => definition.id === base)
}

/** Whether another thread, to which no Layer of the program's reaches, finds what this reference means here. */
const isFoundEverywhere = (reference: string): Effect.Effect<boolean> =>
  Effect.map(Registered, (registered) => {
    const { base } = splitReference(reference)
    if (isGymnasium(base)) return true
    const found = registered.findLast((definition) => definition.id === base)
    return found !== undefined && builtIn.includes(found)
  })

/** Every registered id. */
const ids: Effect.Effect<ReadonlyArray<string>> = Effect.map(
  Registered,
  (registered) => [...new Set(registered.map((definition) => definition.id))]
)

/** Registers more environments; one with a known id replaces it. */
const layer = (...definitions: ReadonlyArray<EnvironmentDefinition>): Layer.Layer<never> =>
  Layer.effect(Registered, Effect.map(Registered, (registered) => [...registered, ...definitions]))

export const Registry = { lookup, isBuiltIn, isFoundEverywhere, ids, layer }

/**
 * What all wrappers have in common: a definition made from another. The inner world's state comes first, so that what draws
 * it still can, and the wrapper's own numbers lie behind it; together they are the whole state, and every snapshot has both.
 *
 * A wrapper moves its own numbers in `reset` and `step` alone. `observe` only reads: it may be called any number of times.
 */
import * as Schema from "effect/Schema"
import * as Struct from "effect/Struct"
import type { Pcg64 } from "../../random/index.ts"
import type { Dynamics, EnvironmentDefinition, JsonRecord } from "../EnvironmentDefinition.ts"
import type { ActionOf, ActionSpace, ObservationSpace } from "../spaces/Space.ts"
import { dynamicsOf, innerTransition, type Outcome, refusePromise } from "../Stepper.ts"
import { TimeLimit } from "./TimeLimit.ts"

/**
 * The world within, with what its code gives checked: it throws where that is no transition, or a Promise. Whoever gives
 * it other actions than it gets, or not once each, must do so in `ahead` too.
 */
export interface Inner<Action> extends Dynamics<Action> {
  /** The same object each time, which the wrapper may change and give on. */
  step(action: Action, random: Pcg64): Outcome
  /** Writes into `into`, or into memory of its own, and answers which. What is left unwritten after a reset is NaN. */
  observe(into?: Float32Array): Float32Array
  info(): JsonRecord
  ahead(action: Action, random: Pcg64): void
}

/** What a wrapper makes otherwise than the definition within. */
export interface Derivation<Action, A extends ActionSpace> {
  readonly actionSpace: A
  /** That of the definition within, by default. */
  readonly observationSpace?: ObservationSpace
  /** How many numbers of the state are the wrapper's own: none by default. */
  readonly ownSize?: number
  /** Something of its own stays over a reset. */
  readonly outlivesEpisodes?: boolean
  /** Keeps no reward threshold: rewards are measured otherwise. */
  readonly withoutThreshold?: boolean
  /** The dynamics, `{ ...inner, ... }` with what is other; `own` are the wrapper's numbers. */
  create(inner: Inner<Action>, own: Float64Array): Dynamics<ActionOf<A>>
}

/** The definition that a wrapper makes of another. */
export const derive = <A extends ActionSpace, B extends ActionSpace>(
  definition: EnvironmentDefinition<A>,
  derivation: Derivation<ActionOf<A>, B>
): EnvironmentDefinition<B> => {
  const { rewardThreshold } = definition
  const within = definition.stateSize
  const stateSize = within + (derivation.ownSize ?? 0)
  const sameActions = derivation.actionSpace === (definition.actionSpace as ActionSpace)
  const masked = definition.masksActions === true && sameActions
  return TimeLimit.passOn(definition, {
    ...Struct.omit(definition, ["configurable", "masksActions", "rewardThreshold"]),
    // A mask is of the actions within.
    ...(masked ? { masksActions: true } : {}),
    ...(rewardThreshold === undefined || derivation.withoutThreshold === true ? {} : { rewardThreshold }),
    actionSpace: derivation.actionSpace,
    observationSpace: derivation.observationSpace ?? definition.observationSpace,
    stateSize,
    ...(derivation.outlivesEpisodes === true ? { outlivesEpisodes: true } : {}),
    create: (state) => {
      const { actionMask, ...inner } = innerOf(definition, state.subarray(0, within))
      return derivation.create(
        masked && actionMask !== undefined ? { ...inner, actionMask } : inner,
        state.subarray(within, stateSize)
      )
    }
  })
}

const innerOf = <A extends ActionSpace>(
  definition: EnvironmentDefinition<A>,
  state: Float64Array
): Inner<ActionOf<A>> => {
  const dynamics = dynamicsOf(definition, state)
  const outcome: Outcome = { reward: 0, terminated: false, truncated: false }
  const observed = new Float32Array(definition.observationSpace.size)
  return {
    reset: (random, options) => {
      observed.fill(NaN)
      refusePromise("its reset", dynamics.reset(random, options))
    },
    step: (action, random) => {
      innerTransition(dynamics.step(action, random), outcome)
      return outcome
    },
    ahead: (action, random) => dynamics.ahead?.(action, random),
    observe: (into = observed) => {
      refusePromise("its observe", dynamics.observe(into))
      return into
    },
    ...(dynamics.actionMask === undefined
      ? {}
      : { actionMask: (mask: Uint8Array) => refusePromise("its actionMask", dynamics.actionMask?.(mask)) }),
    info: () => dynamics.info?.() ?? {}
  }
}

/** A wrapper that does not go with the environment, or an option of it that cannot be. */
export class InvalidWrapper extends Schema.TaggedError<InvalidWrapper>()("InvalidWrapper", {
  id: Schema.String,
  wrapper: Schema.String,
  problem: Schema.String
}) {
  override get message(): string {
    return `${this.wrapper} cannot wrap the environment "${this.id}": ${this.problem}.`
  }
}

/** Throws an InvalidWrapper. */
export const refuse = (definition: { readonly id: string }, wrapper: string, problem: string): never => {
  throw new InvalidWrapper({ id: definition.id, wrapper, problem })
}

/**
 * The dynamics of an environment with everything its code gives checked. Workers, evaluations, `Environment.make` and the
 * checker all step through here, so that what is wrong with an environment is wrong everywhere, in the same words.
 *
 * Types say what `create`, `reset`, `step` and `observe` give; a file that somebody runs need not have been type-checked.
 * Hot path: allocates only when something is wrong.
 */
import * as Schema from "effect/Schema"
import type { Pcg64 } from "../random/index.ts"
import type { Dynamics, EnvironmentDefinition, JsonRecord, Transition } from "./EnvironmentDefinition.ts"
import type { ActionOf, ActionSpace } from "./spaces/Space.ts"
import { EnvironmentMistake, mistakeOf, shown, thrownReason } from "./thrown.ts"

/** What an environment did that it must not do. */
export interface Misstep {
  /**
   * - `definition`: `create` gave no dynamics, or a function is async.
   * - `throws`: its code threw.
   * - `transition`: what `step` gave is no transition.
   * - `finite`: a reward or an observation is NaN, infinite, or too large.
   */
  readonly rule: "definition" | "throws" | "transition" | "finite"
  /** The end of a sentence. */
  readonly reason: string
}

/** A transition that can be written. */
export interface Outcome {
  reward: number
  terminated: boolean
  truncated: boolean
}

const isObject = (value: unknown): value is object => typeof value === "object" && value !== null

/** Whether `value` is a Promise, or passes for one. Its failure, if it fails, is nobody's any more. */
const isPromise = (value: unknown): boolean => {
  if (!isObject(value) || !("then" in value) || typeof value.then !== "function") return false
  Promise.resolve(value).catch(() => {})
  return true
}

const asyncReason = (during: string): string => `${during} gave a Promise: it must not be async`

/** Reads what `step` gave, each field once, into `into`. Answers what is wrong with their types. */
export const readTransition = (given: unknown, into: Outcome): string | undefined => {
  if (!isObject(given)) return `its step gave ${shown(given)}, where { reward, terminated, truncated? } belongs`
  const { reward, terminated, truncated }: { readonly [Field in keyof Transition]?: unknown } = given
  if (typeof terminated !== "boolean") {
    if (isPromise(given)) return asyncReason("its step")
    const hint = terminated === undefined && "done" in given ? ` (done is not read)` : ""
    return `terminated is ${shown(terminated)}, where true or false belongs${hint}`
  }
  if (typeof truncated !== "boolean" && truncated !== undefined) {
    return `truncated is ${shown(truncated)}, where true, false or nothing belongs`
  }
  if (typeof reward !== "number") return `the reward is ${shown(reward)}, which is no number`
  into.reward = reward
  into.terminated = terminated
  into.truncated = truncated === true
  return undefined
}

/** As `readTransition`, for a wrapper: throws what is wrong. */
export const innerTransition = (given: unknown, into: Outcome): void => {
  const reason = readTransition(given, into)
  if (reason !== undefined) throw new EnvironmentMistake(reason)
}

/** For a wrapper: throws where `given`, of a function that gives nothing, is a Promise. */
export const refusePromise = (during: string, given: unknown): void => {
  if (isPromise(given)) throw new EnvironmentMistake(asyncReason(during))
}

/** What is wrong with a reward, as the end of a sentence. */
export const rewardReason = (reward: number): string | undefined => {
  if (typeof reward !== "number" || reward - reward !== 0) {
    return `the reward is ${shown(reward)}, which is no finite number`
  }
  const rounded = Math.fround(reward)
  return rounded - rounded === 0 ? undefined : `the reward is ${reward}, more than float32 can hold: scale it`
}

/** What is wrong with the numbers of an observation, as the end of a sentence. */
export const observationReason = (observation: Float32Array): string | undefined => {
  for (let i = 0; i < observation.length; i++) {
    const value = observation[i]!
    if (value - value !== 0) return `observation[${i}] is ${value}`
  }
  return undefined
}

/** The dynamics that a definition makes. Throws what `create` throws, and a mistake where it gives something else. */
export const dynamicsOf = <A extends ActionSpace>(
  definition: EnvironmentDefinition<A>,
  state: Float64Array
): Dynamics<ActionOf<A>> => {
  const given: unknown = definition.create(state)
  if (isPromise(given)) throw new EnvironmentMistake(asyncReason("its create"))
  if (!isDynamics<ActionOf<A>>(given)) {
    const lacks = isObject(given) ? methods.find((name) => !hasMethod(given, name)) : undefined
    throw new EnvironmentMistake(
      lacks === undefined
        ? `its create gave ${shown(given)}, where { reset, step, observe } belongs`
        : `what its create gave has no ${lacks}`
    )
  }
  if ((given.actionMask !== undefined) !== (definition.masksActions === true)) {
    throw new EnvironmentMistake(
      given.actionMask === undefined
        ? "what its create gave has no actionMask, and its definition says masksActions"
        : "what its create gave has an actionMask, and its definition does not say masksActions: true"
    )
  }
  return given
}

const methods = ["reset", "step", "observe"] as const

const hasMethod = (value: object, name: string): boolean =>
  name in value && typeof Reflect.get(value, name) === "function"

const isDynamics = <Action>(value: unknown): value is Dynamics<Action> =>
  isObject(value) && methods.every((name) => hasMethod(value, name))

const isAnyJsonRecord = Schema.is(Schema.Record(Schema.String, Schema.Json))

/** Most infos are a few numbers, words, and lists of them, which need no schema to be known. */
const isSimple = (value: unknown): boolean =>
  typeof value === "string" || typeof value === "boolean" || typeof value === "number" && value - value === 0 ||
  Array.isArray(value) && value.every((entry) => typeof entry === "number" && entry - entry === 0)

const isJsonRecord = (value: unknown): value is JsonRecord =>
  isObject(value) && Object.getPrototypeOf(value) === Object.prototype && Object.values(value).every(isSimple) ||
  isAnyJsonRecord(value)

const thrown = (during: string, cause: unknown, mistaken: Misstep["rule"]): Misstep => ({
  rule: mistakeOf(cause) === undefined ? "throws" : mistaken,
  reason: thrownReason(during, cause)
})

/** Of an environment that has nothing to say. */
const silent: { readonly info: JsonRecord } = { info: Object.freeze({}) }

/** One world and what its last step gave. */
export class Stepper<A extends ActionSpace = ActionSpace> implements Outcome {
  reward = 0
  terminated = false
  truncated = false
  private readonly dynamics: Dynamics<ActionOf<A>>
  /** Reset, and not observed since. */
  private fresh = false

  private constructor(dynamics: Dynamics<ActionOf<A>>) {
    this.dynamics = dynamics
  }

  /** A world whose state lies in `state`. */
  static create<A extends ActionSpace>(
    definition: EnvironmentDefinition<A>,
    state: Float64Array
  ): Stepper<A> | Misstep {
    try {
      return new Stepper<A>(dynamicsOf(definition, state))
    } catch (cause) {
      return thrown("its create", cause, "definition")
    }
  }

  /** Draws a start state. */
  reset(random: Pcg64, options?: JsonRecord): Misstep | undefined {
    this.fresh = true
    try {
      const given: unknown = this.dynamics.reset(random, options)
      return isPromise(given) ? { rule: "definition", reason: asyncReason("its reset") } : undefined
    } catch (cause) {
      return thrown("its reset", cause, "definition")
    }
  }

  /** Says which step is next, where worlds are stepped together. What is wrong shows in the step. */
  ahead(action: ActionOf<A>, random: Pcg64): void {
    this.dynamics.ahead?.(action, random)
  }

  /** Takes a step; what came of it is in `reward`, `terminated` and `truncated`. */
  step(action: ActionOf<A>, random: Pcg64): Misstep | undefined {
    try {
      const reason = readTransition(this.dynamics.step(action, random), this)
      if (reason !== undefined) return { rule: "transition", reason }
    } catch (cause) {
      return thrown("its step", cause, "transition")
    }
    const reason = rewardReason(this.reward)
    return reason === undefined ? undefined : { rule: "finite", reason }
  }

  /** Writes the observation. What a first one after a reset leaves unwritten is NaN. */
  observe(into: Float32Array): Misstep | undefined {
    const { fresh } = this
    if (fresh) into.fill(NaN)
    this.fresh = false
    try {
      const given: unknown = this.dynamics.observe(into)
      if (isPromise(given)) return { rule: "definition", reason: asyncReason("its observe") }
    } catch (cause) {
      return thrown("its observe", cause, "definition")
    }
    const reason = observationReason(into)
    if (reason === undefined) return undefined
    return { rule: "finite", reason: fresh && reason.endsWith("NaN") ? `${reason}, or was not written` : reason }
  }

  /** Writes which actions are legal; `judge` says what is wrong with that (`actionMask.ts`). */
  mask(into: Uint8Array, judge: (mask: Uint8Array) => string | undefined): Misstep | undefined {
    // What is left unwritten shows.
    into.fill(255)
    try {
      const given: unknown = this.dynamics.actionMask?.(into)
      if (isPromise(given)) return { rule: "definition", reason: asyncReason("its actionMask") }
    } catch (cause) {
      return thrown("its actionMask", cause, "definition")
    }
    const reason = judge(into)
    return reason === undefined ? undefined : { rule: "definition", reason }
  }

  /** What it has to say beside the observation. */
  info(): { readonly info: JsonRecord } | Misstep {
    if (this.dynamics.info === undefined) return silent
    try {
      const given: unknown = this.dynamics.info()
      if (isPromise(given)) return { rule: "definition", reason: asyncReason("its info") }
      if (given === undefined) return { info: {} }
      return isJsonRecord(given)
        ? { info: given }
        : { rule: "definition", reason: `its info gave ${shown(given)}, where an object of JSON values belongs` }
    } catch (cause) {
      return thrown("its info", cause, "definition")
    }
  }
}

/** What is wrong, for whoever steps dynamics without a Stepper of their own. */
export const missteps = {
  /** With what a step left. */
  outcome: (outcome: Outcome, observation: Float32Array): Misstep | undefined => {
    const untrue = readTransition(outcome, outcome)
    if (untrue !== undefined) return { rule: "transition", reason: untrue }
    const reason = rewardReason(outcome.reward) ?? observationReason(observation)
    return reason === undefined ? undefined : { rule: "finite", reason }
  },
  /** With a step that threw. */
  thrown: (during: string, cause: unknown): Misstep => thrown(during, cause, "transition")
}

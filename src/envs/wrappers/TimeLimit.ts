/**
 * Truncates an episode after a number of steps (Gymnasium's `TimeLimit`). The count is one more number of the state, so
 * it is part of every snapshot.
 */
import type { Dynamics, EnvironmentDefinition, Transition } from "../EnvironmentDefinition.ts"
import { type FlatDynamics, flatOf, fromFlat } from "../FlatDynamics.ts"
import type { ActionOf, ActionSpace } from "../spaces/Space.ts"
import { dynamicsOf, innerTransition } from "../Stepper.ts"

/** The limits that are kept within, by the `create` that keeps them: wrapping twice changes nothing. */
const limits = new WeakMap<object, number>()

/** Says that `derived`, made from `definition`, keeps its limit where that does. */
const passOn = <A extends ActionSpace>(
  definition: { readonly create: object },
  derived: EnvironmentDefinition<A>
): EnvironmentDefinition<A> => {
  const limit = limits.get(definition.create)
  if (limit !== undefined) limits.set(derived.create, limit)
  return derived
}

/** As `passOn`, for a definition that keeps its `maxEpisodeSteps` by itself. */
const keptBy = <A extends ActionSpace>(definition: EnvironmentDefinition<A>): EnvironmentDefinition<A> => {
  if (definition.maxEpisodeSteps !== undefined) limits.set(definition.create, definition.maxEpisodeSteps)
  return definition
}

/** Flat dynamics with the elapsed steps as number `elapsed` of each state. */
const limit = <Action>(
  inner: FlatDynamics<Action>,
  elapsed: number,
  maxEpisodeSteps: number
): FlatDynamics<Action> => ({
  reset: (state, at, random, options) => {
    state[at + elapsed] = 0
    inner.reset(state, at, random, options)
  },
  step: (state, at, action, random, outcome) => {
    inner.step(state, at, action, random, outcome)
    const steps = state[at + elapsed]! + 1
    state[at + elapsed] = steps
    if (steps >= maxEpisodeSteps) outcome.truncated = true
  },
  observe: (state, at, into, to) => inner.observe(state, at, into, to)
})

/**
 * Sets `truncated` on every step from the `maxEpisodeSteps`-th on, whatever `terminated` is: both may be true. The
 * elapsed steps are the last number of the state. Without `maxEpisodeSteps` the definition comes back as it was.
 */
const wrap = <A extends ActionSpace>(definition: EnvironmentDefinition<A>): EnvironmentDefinition<A> => {
  const { maxEpisodeSteps } = definition
  if (maxEpisodeSteps === undefined || limits.get(definition.create) === maxEpisodeSteps) return definition
  const elapsed = definition.stateSize
  const flat = flatOf(definition.create)
  return keptBy({
    ...definition,
    stateSize: elapsed + 1,
    create: flat !== undefined ? fromFlat(limit(flat, elapsed, maxEpisodeSteps)) : (state) => {
      const inner = dynamicsOf(definition, state.subarray(0, elapsed))
      const transition = { reward: 0, terminated: false, truncated: false }
      const dynamics: Dynamics<ActionOf<A>> = {
        reset: (random, options) => {
          state[elapsed] = 0
          return inner.reset(random, options)
        },
        step: (action, random): Transition => {
          innerTransition(inner.step(action, random), transition)
          const steps = state[elapsed]! + 1
          state[elapsed] = steps
          transition.truncated ||= steps >= maxEpisodeSteps
          return transition
        },
        observe: (observation) => inner.observe(observation)
      }
      if (inner.ahead !== undefined) dynamics.ahead = (action, random) => inner.ahead?.(action, random)
      if (inner.actionMask !== undefined) dynamics.actionMask = (mask) => inner.actionMask?.(mask)
      if (inner.info !== undefined) dynamics.info = () => inner.info?.() ?? {}
      return dynamics
    }
  })
}

export const TimeLimit = { wrap, passOn, keptBy }

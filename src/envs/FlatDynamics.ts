/**
 * Dynamics that say where in memory a world lies, so that one of them serves many worlds: what makes a vector of them quick.
 * A definition whose `create` comes from `fromFlat` has both forms, and both are the same code.
 */
import type { Pcg64 } from "../random/index.ts"
import type { Dynamics, JsonRecord } from "./EnvironmentDefinition.ts"

/** What a step leaves; all false and 0 before it. */
export interface FlatOutcome {
  reward: number
  terminated: boolean
  truncated: boolean
}

/** As `Dynamics`, of the world whose state begins at `state[at]`, and whose observation at `into[to]`. */
export interface FlatDynamics<Action> {
  reset(state: Float64Array, at: number, random: Pcg64, options?: JsonRecord): void
  step(state: Float64Array, at: number, action: Action, random: Pcg64, outcome: FlatOutcome): void
  observe(state: Float64Array, at: number, into: Float32Array, to: number): void
}

/** A definition's `create` of flat dynamics. */
export const fromFlat = <Action>(flat: FlatDynamics<Action>): (state: Float64Array) => Dynamics<Action> =>
  Object.assign(
    (state: Float64Array): Dynamics<Action> => {
      const outcome: FlatOutcome = { reward: 0, terminated: false, truncated: false }
      return {
        reset: (random, options) => flat.reset(state, 0, random, options),
        step: (action, random) => {
          outcome.truncated = false
          flat.step(state, 0, action, random, outcome)
          return outcome
        },
        observe: (observation) => flat.observe(state, 0, observation, 0)
      }
    },
    { flat }
  )

const isFlat = <Action>(value: unknown): value is FlatDynamics<Action> =>
  typeof value === "object" && value !== null && "reset" in value && "step" in value && "observe" in value

/** The flat dynamics that a `create` comes from, if it does. A changed `create` has none. */
export const flatOf = <Action>(create: (state: Float64Array) => Dynamics<Action>): FlatDynamics<Action> | undefined =>
  "flat" in create && isFlat<Action>(create.flat) ? create.flat : undefined

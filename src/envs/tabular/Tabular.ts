/**
 * Worlds of finitely many states, whose every action has a list of outcomes: Gymnasium's toy-text grid worlds. The
 * outcomes become tables once, and a step is one uniform draw and a look into them.
 */
import type { Pcg64 } from "../../random/index.ts"
import type { Dynamics, Transition } from "../EnvironmentDefinition.ts"

/** What an action may lead to. */
export interface Outcome {
  readonly probability: number
  readonly state: number
  readonly reward: number
  readonly terminated: boolean
}

/** The tables of a world. */
export interface TabularWorld {
  readonly states: number
  readonly actions: number
  /** Sums of the probabilities of the start states, in order. */
  readonly starts: Float64Array
  /** Of each state and action the index of its first outcome in the lists below; one entry more at the end. */
  readonly first: Int32Array
  readonly probability: Float64Array
  /** Sums of the probabilities of an action's outcomes, in order. */
  readonly cumulative: Float64Array
  readonly next: Int32Array
  readonly reward: Float64Array
  readonly terminated: Uint8Array
}

/**
 * The tables, made when they are first asked for: most programs never step this world. `starts` are the probabilities of
 * the start states.
 */
export const tabularWorld = (
  starts: ReadonlyArray<number>,
  actions: number,
  outcomes: (state: number, action: number) => ReadonlyArray<Outcome>
): () => TabularWorld => {
  let made: TabularWorld | undefined
  return () => made ??= makeTables(starts, actions, outcomes)
}

const makeTables = (
  starts: ReadonlyArray<number>,
  actions: number,
  outcomes: (state: number, action: number) => ReadonlyArray<Outcome>
): TabularWorld => {
  const states = starts.length
  const first = new Int32Array(states * actions + 1)
  const all: Array<Outcome> = []
  const cumulative: Array<number> = []
  for (let row = 0; row < states * actions; row++) {
    first[row] = all.length
    let sum = 0
    for (const outcome of outcomes(Math.floor(row / actions), row % actions)) {
      all.push(outcome)
      cumulative.push(sum += outcome.probability)
    }
  }
  first[states * actions] = all.length
  let sum = 0
  return {
    states,
    actions,
    starts: Float64Array.from(starts, (probability) => sum += probability),
    first,
    probability: Float64Array.from(all, ({ probability }) => probability),
    cumulative: Float64Array.from(cumulative),
    next: Int32Array.from(all, ({ state }) => state),
    reward: Float64Array.from(all, ({ reward }) => reward),
    terminated: Uint8Array.from(all, ({ terminated }) => terminated ? 1 : 0)
  }
}

/**
 * Where in sums of probabilities a draw falls; the first where it falls behind the last sum, which rounding may leave
 * below 1 (Gymnasium's `categorical_sample`).
 */
const categorical = (sums: Float64Array, from: number, to: number, draw: number): number => {
  for (let i = from; i < to; i++) if (sums[i]! > draw) return i
  return from
}

/** Numbers of a tabular state: where one is, and how likely the last outcome was. */
export const tabularStateSize = 2
/** The index of the place, and of the probability. */
export const place = 0
export const likelihood = 1

/** Draws a start place. */
export const tabularReset = (world: TabularWorld, state: Float64Array, random: Pcg64): void => {
  state[place] = categorical(world.starts, 0, world.states, random.random())
  state[likelihood] = 1
}

/** Draws the outcome of an action, goes there, and answers its index in the tables. */
export const tabularStep = (world: TabularWorld, state: Float64Array, action: number, random: Pcg64): number => {
  const row = state[place]! * world.actions + action
  const outcome = categorical(world.cumulative, world.first[row]!, world.first[row + 1]!, random.random())
  state[place] = world.next[outcome]!
  state[likelihood] = world.probability[outcome]!
  return outcome
}

/** Writes the one-hot vector of a place. */
export const observePlace = (state: Float64Array, observation: Float32Array): void => {
  observation.fill(0)
  observation[state[place]!] = 1
}

/** The dynamics of a world that is nothing but its tables. */
export const tabularDynamics = (tables: () => TabularWorld) => (state: Float64Array): Dynamics<number> => {
  const world = tables()
  const transition: { reward: number; terminated: boolean } = { reward: 0, terminated: false }
  return {
    reset: (random) => tabularReset(world, state, random),
    step: (action, random): Transition => {
      const outcome = tabularStep(world, state, action, random)
      transition.reward = world.reward[outcome]!
      transition.terminated = world.terminated[outcome] === 1
      return transition
    },
    observe: (observation) => observePlace(state, observation),
    info: () => ({ prob: state[likelihood]! })
  }
}

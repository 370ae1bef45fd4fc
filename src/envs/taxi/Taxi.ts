/**
 * Taxi: Gymnasium's `Taxi-v4`, draw for draw.
 *
 * ## Description
 * A taxi in a town of 5 by 5 squares with some walls fetches a passenger at one of four stands and brings them to another.
 * Dietterich, "Hierarchical Reinforcement Learning with the MAXQ Value Function Decomposition" (2000).
 *
 * ```
 * +---------+
 * |R: | : :G|
 * | : | : : |
 * | : : : : |
 * | | : | : |
 * |Y| : |B: |
 * +---------+
 * ```
 *
 * ## Action space
 * `Discrete(6)`: 0 south, 1 north, 2 east, 3 west, 4 pick up, 5 drop off.
 *
 * ## Observation space
 * `Discrete(500)`: `((row * 5 + column) * 5 + passenger) * 4 + destination`. Stands are 0 red, 1 green, 2 yellow, 3 blue; a
 * passenger of 4 is in the taxi.
 *
 * ## Rewards
 * -1 for a step, 20 for bringing the passenger to the destination, -10 for picking up or dropping off where that cannot
 * be done. Solved at a mean return of 8 (the best policy has 8.46).
 *
 * ## Starting state
 * Each of the 300 states as likely in which the passenger waits at a stand that is not the destination.
 *
 * ## Episode end
 * 1. Termination: the passenger is at the destination.
 * 2. Truncation: 200 steps.
 *
 * ## Information
 * - `prob`: how likely the last outcome was; 1 after a reset.
 * - `action_mask`: of each action whether it would change the state, 1 or 0. Policies are held to it, unless a run says
 *   `--no-action-masks`.
 *
 * ## Arguments
 * - `is_rainy` (`false`): the taxi may slip to the left or right of where it drives.
 * - `rainy_probability` (0.8): how likely it does not.
 * - `fickle_passenger` (`false`): the passenger may want to go elsewhere, once the taxi has moved with them for the first time.
 * - `fickle_probability` (0.3): how likely they do.
 *
 * ## Version history
 * - v4: rain and fickle passengers corrected, their probabilities added.
 * - v3: map corrected; action masks.
 */
import * as Schema from "effect/Schema"
import { Environment } from "../Environment.ts"
import type { Dynamics, EnvironmentDefinition } from "../EnvironmentDefinition.ts"
import { withOptions } from "../options.ts"
import { unhurried } from "../rendering/scene.ts"
import { Discrete } from "../spaces/Discrete.ts"
import {
  likelihood,
  observePlace,
  type Outcome,
  place,
  tabularReset,
  tabularStateSize,
  tabularStep,
  type TabularWorld,
  tabularWorld
} from "../tabular/Tabular.ts"
import { renderTaxiAnsi, renderTaxiSvg } from "./rendering.ts"
import { aboard, decode, encode, openEast, openWest, side, standAt, stands, type TaxiPlace } from "./town.ts"

/** Rows and columns moved by each of the first four actions. */
const south: readonly [number, number] = [1, 0]
const north: readonly [number, number] = [-1, 0]
const east: readonly [number, number] = [0, 1]
const west: readonly [number, number] = [0, -1]
const moves = [south, north, east, west] as const
/** What is to the left and to the right of each. */
const sides = [[east, west], [west, east], [north, south], [south, north]] as const

const clamp = (value: number): number => Math.max(0, Math.min(side - 1, value))

/** Whether a move is possible: it leads neither out of town nor through a wall. */
const possible = ({ column, row }: TaxiPlace, [down, right]: readonly [number, number]): boolean =>
  down === 0
    ? right > 0 ? openEast(row, column) : openWest(row, column)
    : row + down >= 0 && row + down < side

const moved = (at: TaxiPlace, move: readonly [number, number]): number =>
  encode(possible(at, move) ? { ...at, row: clamp(at.row + move[0]), column: clamp(at.column + move[1]) } : at)

const pickUp = (at: TaxiPlace): Outcome =>
  at.passenger !== aboard && standAt(at.row, at.column) === at.passenger
    ? { probability: 1, state: encode({ ...at, passenger: aboard }), reward: -1, terminated: false }
    : { probability: 1, state: encode(at), reward: -10, terminated: false }

const dropOff = (at: TaxiPlace): Outcome => {
  const stand = standAt(at.row, at.column)
  if (at.passenger !== aboard || stand < 0) {
    return { probability: 1, state: encode(at), reward: -10, terminated: false }
  }
  const arrived = stand === at.destination
  return { probability: 1, state: encode({ ...at, passenger: stand }), reward: arrived ? 20 : -1, terminated: arrived }
}

const outcomes = (rain: number | undefined) => (state: number, action: number): ReadonlyArray<Outcome> => {
  const at = decode(state)
  if (action === 4) return [pickUp(at)]
  if (action === 5) return [dropOff(at)]
  const move = moves[action]!
  const going = (probability: number, to: number): Outcome => ({
    probability,
    state: to,
    reward: -1,
    terminated: false
  })
  if (rain === undefined) return [going(1, moved(at, move))]
  const slip = (1 - rain) / 2
  // Where the way is blocked there is no slipping either.
  const [left, right] = possible(at, move) ? sides[action]! : [move, move]
  return [going(rain, moved(at, move)), going(slip, moved(at, left)), going(slip, moved(at, right))]
}

const states = side * side * (stands.length + 1) * stands.length

const starts = (): ReadonlyArray<number> => {
  const waiting = Array.from({ length: states }, (_, state) => {
    const { destination, passenger } = decode(state)
    return passenger !== aboard && passenger !== destination ? 1 : 0
  })
  const count = waiting.filter((start) => start === 1).length
  return waiting.map((start) => start / count)
}

/** Whether the passenger is still to change their mind: 1, or 0. */
const fickle = tabularStateSize
const stateSize = tabularStateSize + 1

const usefulActions = (state: number): ReadonlyArray<number> => {
  const at = decode(state)
  const stand = standAt(at.row, at.column)
  const useful = [
    ...moves.map((move) => possible(at, move)),
    at.passenger !== aboard && stand === at.passenger,
    at.passenger === aboard && stand >= 0
  ]
  return useful.map((changes) => changes ? 1 : 0)
}

/** Of each state the mask of its actions; made when first asked for. */
let masks: Uint8Array | undefined
const actions = 6
const masksOfStates = (): Uint8Array =>
  masks ??= Uint8Array.from(Array.from({ length: states }, (_, state) => usefulActions(state)).flat())

interface Fickleness {
  readonly fickle_passenger: boolean
  readonly fickle_probability: number
}

const create = (tables: () => TabularWorld, { fickle_passenger, fickle_probability }: Fickleness) =>
(
  state: Float64Array
): Dynamics<number> => {
  const world = tables()
  const transition = { reward: 0, terminated: false }
  return {
    reset: (random) => {
      tabularReset(world, state, random)
      state[fickle] = fickle_passenger && random.random() < fickle_probability ? 1 : 0
    },
    step: (action, random) => {
      const before = state[place]!
      const outcome = tabularStep(world, state, action, random)
      transition.reward = world.reward[outcome]!
      transition.terminated = world.terminated[outcome] === 1
      if (state[fickle] === 1) {
        const from = decode(before)
        const to = decode(state[place]!)
        if (from.passenger === aboard && (to.row !== from.row || to.column !== from.column)) {
          state[fickle] = 0
          const others = stands.map((_, stand) => stand).filter((stand) => stand !== from.destination)
          state[place] = encode({ ...to, destination: others[random.integers(0, others.length)]! })
        }
      }
      return transition
    },
    observe: (observation) => observePlace(state, observation),
    actionMask: (mask) => {
      const all = masksOfStates()
      for (let k = 0, at = state[place]! * actions; k < actions; k++) mask[k] = all[at + k]!
    },
    info: () => ({ prob: state[likelihood]!, action_mask: usefulActions(state[place]!) })
  }
}

const Probability = Schema.Finite.check(Schema.isBetween({ minimum: 0, maximum: 1 }))

export const TaxiV4: EnvironmentDefinition<Discrete> = withOptions(
  "Taxi-v4",
  {
    is_rainy: { schema: Schema.Boolean, byDefault: false, about: "the taxi may slip to the left or right" },
    rainy_probability: { schema: Probability, byDefault: 0.8, about: "how likely it does not slip in the rain" },
    fickle_passenger: { schema: Schema.Boolean, byDefault: false, about: "the passenger may change their mind" },
    fickle_probability: { schema: Probability, byDefault: 0.3, about: "how likely a fickle passenger does" }
  },
  ({ is_rainy, rainy_probability, ...fickleness }) =>
    Environment.define({
      id: "Taxi-v4",
      observationSpace: new Discrete(states),
      actionSpace: new Discrete(actions),
      maxEpisodeSteps: 200,
      rewardThreshold: 8,
      masksActions: true,
      stateSize,
      create: create(tabularWorld(starts(), actions, outcomes(is_rainy ? rainy_probability : undefined)), fickleness),
      rendering: { pace: unhurried, ansi: renderTaxiAnsi, svg: renderTaxiSvg }
    })
)

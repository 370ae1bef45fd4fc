/**
 * CliffWalking: Gymnasium's `CliffWalking-v1` and `CliffWalkingSlippery-v1`, draw for draw.
 *
 * ## Description
 * A walk from one end of a cliff's edge to the other. Who steps into the cliff is back at the start. Sutton and Barto,
 * "Reinforcement Learning: An Introduction" (2020), example 6.6.
 *
 * ## Action space
 * `Discrete(4)`: 0 up, 1 right, 2 down, 3 left.
 *
 * ## Observation space
 * `Discrete(48)`: the place, `row * 12 + column`, of 4 rows and 12 columns from the upper left. The cliff is row 3, columns
 * 1 to 10.
 *
 * ## Rewards
 * -1 for every step, -100 for a step into the cliff. The best return is -13.
 *
 * ## Starting state
 * Place 36, the lower left.
 *
 * ## Episode end
 * Termination: place 47, the lower right. There is no time limit.
 *
 * ## Information
 * `prob`: how likely the last outcome was; 1 after a reset.
 *
 * ## Arguments
 * - `is_slippery` (`false`; `true` for `CliffWalkingSlippery-v1`): one goes where one wants, or to either side of it, a third each.
 *
 * ## Version history
 * - v1: the slippery form added.
 */
import * as Schema from "effect/Schema"
import { Environment } from "../Environment.ts"
import type { EnvironmentDefinition } from "../EnvironmentDefinition.ts"
import { withOptions } from "../options.ts"
import { unhurried } from "../rendering/scene.ts"
import { Discrete } from "../spaces/Discrete.ts"
import { type Outcome, tabularDynamics, tabularStateSize, tabularWorld } from "../tabular/Tabular.ts"
import { columns, goal, inCliff, rows, start } from "./grid.ts"
import { renderCliffAnsi, renderCliffSvg } from "./rendering.ts"

/** Rows and columns moved by each action. */
const moves: ReadonlyArray<readonly [number, number]> = [[-1, 0], [0, 1], [1, 0], [0, -1]]

const clamp = (value: number, below: number): number => Math.max(0, Math.min(below - 1, value))

const going = (state: number, direction: number, probability: number): Outcome => {
  const [down, right] = moves[direction]!
  const row = clamp(Math.floor(state / columns) + down, rows)
  const next = row * columns + clamp(state % columns + right, columns)
  return inCliff(next)
    ? { probability, state: start, reward: -100, terminated: false }
    : { probability, state: next, reward: -1, terminated: next === goal }
}

const cliff = (id: string, slippery: boolean): EnvironmentDefinition<Discrete> => {
  const starts = Array.from({ length: rows * columns }, (_, state) => state === start ? 1 : 0)
  const world = tabularWorld(starts, 4, (state, action) =>
    slippery
      ? [(action + 3) % 4, action, (action + 1) % 4].map((direction) => going(state, direction, 1 / 3))
      : [going(state, action, 1)])
  return Environment.define({
    id,
    observationSpace: new Discrete(rows * columns),
    actionSpace: new Discrete(4),
    stateSize: tabularStateSize,
    create: tabularDynamics(world),
    rendering: { pace: unhurried, ansi: renderCliffAnsi, svg: renderCliffSvg }
  })
}

const cliffWalking = (id: string, slippery: boolean): EnvironmentDefinition<Discrete> =>
  withOptions(
    id,
    {
      is_slippery: {
        schema: Schema.Boolean,
        byDefault: slippery,
        about: "whether one may go to either side of where one wants"
      }
    },
    ({ is_slippery }) => cliff(id, is_slippery)
  )

export const CliffWalkingV1: EnvironmentDefinition<Discrete> = cliffWalking("CliffWalking-v1", false)
export const CliffWalkingSlipperyV1: EnvironmentDefinition<Discrete> = cliffWalking("CliffWalkingSlippery-v1", true)

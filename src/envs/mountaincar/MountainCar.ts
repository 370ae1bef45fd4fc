/**
 * MountainCar: Gymnasium's `MountainCar-v0`.
 *
 * ## Description
 * A car in a valley is to reach the top of the right hill. Its engine is too weak to drive up, so it must swing to and fro.
 * Moore, "Efficient Memory-based Learning for Robot Control" (1990).
 *
 * ## Action space
 * `Discrete(3)`: 0 accelerates to the left, 1 does not, 2 accelerates to the right.
 *
 * ## Observation space
 * `Box` of 2 float32 numbers, rounded from a float64 state:
 *
 * | Num | Observation | Min   | Max  |
 * | --- | ----------- | ----- | ---- |
 * | 0   | Position    | -1.2  | 0.6  |
 * | 1   | Velocity    | -0.07 | 0.07 |
 *
 * A step is `velocity += (action - 1) * 0.001 - cos(3 * position) * 0.0025; position += velocity`, both kept in
 * their bounds; the wall on the left stops the car.
 *
 * ## Rewards
 * -1 for every step. Solved at a mean return of -110.
 *
 * ## Starting state
 * The position uniform in (-0.6, -0.4), the velocity 0.
 *
 * ## Episode end
 * 1. Termination: the position is at least 0.5, and the velocity at least `goal_velocity`.
 * 2. Truncation: 200 steps.
 *
 * ## Arguments
 * - `goal_velocity` (0): how fast the car must be at the goal.
 *
 * Reset options `low` and `high` (numbers) replace the bounds of the starting position.
 *
 * ## Version history
 * - v0: the first.
 */
import * as Schema from "effect/Schema"
import { cos } from "../../math/index.ts"
import { Environment } from "../Environment.ts"
import type { EnvironmentDefinition } from "../EnvironmentDefinition.ts"
import { type FlatDynamics, fromFlat } from "../FlatDynamics.ts"
import { withOptions } from "../options.ts"
import { Box } from "../spaces/Box.ts"
import { Discrete } from "../spaces/Discrete.ts"
import { startBounds } from "../startBounds.ts"
import { pace, renderCarAnsi, renderCarSvg } from "./rendering.ts"
import { maxPosition, maxSpeed, minPosition } from "./valley.ts"

const goalPosition = 0.5
const force = 0.001
const gravity = 0.0025

/** Position and velocity. */
const stateSize = 2

const dynamics = (goalVelocity: number): FlatDynamics<number> => ({
  reset: (state, at, random, options) => {
    const [low, high] = startBounds(options, [-0.6, -0.4])
    state[at] = random.uniform(low, high)
    state[at + 1] = 0
  },

  // The order of operations is Gymnasium's: another would round differently.
  step: (state, at, action, _random, outcome) => {
    const pushed = state[at + 1]! + ((action - 1) * force + cos(3 * state[at]!) * -gravity)
    let velocity = Math.max(-maxSpeed, Math.min(maxSpeed, pushed))
    const position = Math.max(minPosition, Math.min(maxPosition, state[at]! + velocity))
    if (position === minPosition && velocity < 0) velocity = 0
    state[at] = position
    state[at + 1] = velocity
    outcome.reward = -1
    outcome.terminated = position >= goalPosition && velocity >= goalVelocity
  },

  observe: (state, at, into, to) => {
    into[to] = state[at]!
    into[to + 1] = state[at + 1]!
  }
})

export const MountainCarV0: EnvironmentDefinition<Discrete> = withOptions(
  "MountainCar-v0",
  { goal_velocity: { schema: Schema.Finite, byDefault: 0, about: "how fast the car must be at the goal" } },
  ({ goal_velocity }) =>
    Environment.define({
      id: "MountainCar-v0",
      observationSpace: new Box({ low: [minPosition, -maxSpeed], high: [maxPosition, maxSpeed] }),
      actionSpace: new Discrete(3),
      maxEpisodeSteps: 200,
      rewardThreshold: -110,
      stateSize,
      create: fromFlat(dynamics(goal_velocity)),
      rendering: { pace, ansi: renderCarAnsi(goalPosition), svg: renderCarSvg(goalPosition) }
    })
)

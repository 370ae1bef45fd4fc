/**
 * MountainCarContinuous: Gymnasium's `MountainCarContinuous-v0`.
 *
 * ## Description
 * MountainCar with an engine whose force is chosen from an interval, and costs.
 *
 * ## Action space
 * `Box(-1, 1, [1], float32)`: the force, to the right where it is positive. Actions are rounded to float32.
 *
 * ## Observation space
 * `Box` of 2 float32 numbers, which are the state itself from the first step on:
 *
 * | Num | Observation | Min   | Max  |
 * | --- | ----------- | ----- | ---- |
 * | 0   | Position    | -1.2  | 0.6  |
 * | 1   | Velocity    | -0.07 | 0.07 |
 *
 * A step is `velocity += force * 0.0015 - cos(3 * position) * 0.0025; position += velocity`, both kept in their bounds;
 * the wall on the left stops the car.
 *
 * ## Rewards
 * `-0.1 * force²` for every step, and 100 for reaching the goal. Solved at a mean return of 90.
 *
 * ## Starting state
 * The position uniform in (-0.6, -0.4), the velocity 0.
 *
 * ## Episode end
 * 1. Termination: the position is at least 0.45, and the velocity at least `goal_velocity`.
 * 2. Truncation: 999 steps.
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
import { startBounds } from "../startBounds.ts"
import { pace, renderCarAnsi, renderCarSvg } from "./rendering.ts"
import { maxPosition, maxSpeed, minPosition } from "./valley.ts"

const goalPosition = 0.45
const power = 0.0015
const gravity = 0.0025

const float32 = Math.fround
const float64 = (value: number): number => value

/** Position, velocity, and 1 in an episode's first step: the start is float64, and all that follows float32. */
const stateSize = 3
const fresh = 2

const dynamics = (goalVelocity: number): FlatDynamics<ArrayLike<number>> => ({
  reset: (state, at, random, options) => {
    const [low, high] = startBounds(options, [-0.6, -0.4])
    state[at] = random.uniform(low, high)
    state[at + 1] = 0
    state[at + fresh] = 1
  },

  // The order of operations, and what is float32, is Gymnasium's: others would round differently.
  step: (state, at, action, _random, outcome) => {
    const round = state[at + fresh] === 1 ? float64 : float32
    const taken = float32(action[0]!)
    const force = Math.min(Math.max(taken, -1), 1)
    const slope = float32(gravity * cos(round(3 * state[at]!)))
    let velocity = round(state[at + 1]! + float32(float32(force * float32(power)) - slope))
    if (velocity > round(maxSpeed)) velocity = maxSpeed
    if (velocity < -round(maxSpeed)) velocity = -maxSpeed
    let position = round(state[at]! + round(velocity))
    if (position > round(maxPosition)) position = round(maxPosition)
    if (position < round(minPosition)) position = round(minPosition)
    if (position === round(minPosition) && velocity < 0) velocity = 0
    const terminated = position >= round(goalPosition) && velocity >= goalVelocity
    outcome.reward = (terminated ? 100 : 0) - taken * taken * 0.1
    outcome.terminated = terminated
    state[at] = float32(position)
    state[at + 1] = float32(velocity)
    state[at + fresh] = 0
  },

  observe: (state, at, into, to) => {
    into[to] = state[at]!
    into[to + 1] = state[at + 1]!
  }
})

export const MountainCarContinuousV0: EnvironmentDefinition<Box> = withOptions(
  "MountainCarContinuous-v0",
  { goal_velocity: { schema: Schema.Finite, byDefault: 0, about: "how fast the car must be at the goal" } },
  ({ goal_velocity }) =>
    Environment.define({
      id: "MountainCarContinuous-v0",
      observationSpace: new Box({ low: [minPosition, -maxSpeed], high: [maxPosition, maxSpeed] }),
      actionSpace: new Box({ low: -1, high: 1, shape: [1] }),
      maxEpisodeSteps: 999,
      rewardThreshold: 90,
      stateSize,
      create: fromFlat(dynamics(goal_velocity)),
      rendering: { pace, ansi: renderCarAnsi(goalPosition), svg: renderCarSvg(goalPosition) }
    })
)

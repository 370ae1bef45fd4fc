/**
 * CartPole: Gymnasium's `CartPole-v0` and `CartPole-v1`, number for number.
 *
 * ## Description
 * A pole is attached by an unactuated joint to a cart on a frictionless track. The pole starts near upright; the task is
 * to keep it there by pushing the cart left or right. Barto, Sutton and Anderson, "Neuronlike Adaptive Elements That Can
 * Solve Difficult Learning Control Problems" (1983); equations of motion as in Florian, "Correct equations for the
 * dynamics of the cart-pole system" (2005), integrated by Euler's method in steps of 0.02 s.
 *
 * ## Action space
 * `Discrete(2)`: 0 pushes the cart to the left with 10 N, 1 to the right.
 *
 * ## Observation space
 * `Box` of 4 float32 numbers, rounded from a float64 state:
 *
 * | Num | Observation           | Min                 | Max               |
 * | --- | --------------------- | ------------------- | ----------------- |
 * | 0   | Cart position         | -4.8 m              | 4.8 m             |
 * | 1   | Cart velocity         | -Infinity           | Infinity          |
 * | 2   | Pole angle            | -0.418 rad (-24°)   | 0.418 rad (24°)   |
 * | 3   | Pole angular velocity | -Infinity           | Infinity          |
 *
 * The bounds are twice those at which the episode ends, so that the last observation is inside.
 *
 * ## Rewards
 * 1 for every step, the terminating one included; 0 for steps taken after it without a reset. Solved at a mean return of
 * 475 (v1) or 195 (v0).
 *
 * ## Starting state
 * Each of the four numbers uniform in (-0.05, 0.05).
 *
 * ## Episode end
 * 1. Termination: the pole's angle is beyond ±12°.
 * 2. Termination: the cart's position is beyond ±2.4.
 * 3. Truncation: the episode has 500 (v1) or 200 (v0) steps.
 *
 * ## Arguments
 * - `sutton_barto_reward` (`false`): 0 for every step and -1 for the terminating one, and after it.
 *
 * Reset options `low` and `high` (numbers) replace the bounds of the starting state.
 *
 * ## Version history
 * - v1: `maxEpisodeSteps` raised to 500 and `rewardThreshold` to 475.
 * - v0: the first.
 */
import * as Schema from "effect/Schema"
import { cos, sin } from "../../math/index.ts"
import { Environment } from "../Environment.ts"
import type { EnvironmentDefinition } from "../EnvironmentDefinition.ts"
import { type FlatDynamics, fromFlat } from "../FlatDynamics.ts"
import { withOptions } from "../options.ts"
import { Box } from "../spaces/Box.ts"
import { Discrete } from "../spaces/Discrete.ts"
import { startBounds } from "../startBounds.ts"
import { angleThreshold, positionThreshold, tau } from "./bounds.ts"
import { renderAnsi, renderEpisodeSvg } from "./rendering.ts"

const gravity = 9.8
const cartMass = 1.0
const poleMass = 0.1
const totalMass = poleMass + cartMass
/** Half the pole's length. */
const length = 0.5
const poleMassLength = poleMass * length
const force = 10.0

/** Position, velocity, angle, angular velocity, and 1 once the pole has fallen (or the cart left). */
const stateSize = 5
const fallen = 4

const dynamics = (suttonBarto: boolean): FlatDynamics<number> => ({
  reset: (state, at, random, options) => {
    const [low, high] = startBounds(options, [-0.05, 0.05])
    for (let i = 0; i < 4; i++) state[at + i] = random.uniform(low, high)
    state[at + fallen] = 0
  },

  // The order of operations is Gymnasium's: another would round differently.
  step: (state, at, action, _random, outcome) => {
    const position = state[at]!
    const velocity = state[at + 1]!
    const angle = state[at + 2]!
    const angularVelocity = state[at + 3]!
    const push = action === 1 ? force : -force
    const cosine = cos(angle)
    const sine = sin(angle)
    const temp = (push + poleMassLength * (angularVelocity * angularVelocity) * sine) / totalMass
    const angularAcceleration = (gravity * sine - cosine * temp) /
      (length * (4.0 / 3.0 - poleMass * (cosine * cosine) / totalMass))
    const acceleration = temp - poleMassLength * angularAcceleration * cosine / totalMass

    const nextPosition = position + tau * velocity
    const nextAngle = angle + tau * angularVelocity
    state[at] = nextPosition
    state[at + 1] = velocity + tau * acceleration
    state[at + 2] = nextAngle
    state[at + 3] = angularVelocity + tau * angularAcceleration

    const terminated = nextPosition < -positionThreshold || nextPosition > positionThreshold ||
      nextAngle < -angleThreshold || nextAngle > angleThreshold
    outcome.reward = suttonBarto ? (terminated ? -1 : 0) : terminated && state[at + fallen] === 1 ? 0 : 1
    outcome.terminated = terminated
    if (terminated) state[at + fallen] = 1
  },

  observe: (state, at, into, to) => {
    into[to] = state[at]!
    into[to + 1] = state[at + 1]!
    into[to + 2] = state[at + 2]!
    into[to + 3] = state[at + 3]!
  }
})

const observationSpace = new Box({
  low: [-positionThreshold * 2, -Infinity, -angleThreshold * 2, -Infinity],
  high: [positionThreshold * 2, Infinity, angleThreshold * 2, Infinity]
})

const cartPole = (id: string, maxEpisodeSteps: number, rewardThreshold: number): EnvironmentDefinition<Discrete> =>
  withOptions(
    id,
    {
      sutton_barto_reward: {
        schema: Schema.Boolean,
        byDefault: false,
        about: "0 for every step and -1 for the terminating one"
      }
    },
    ({ sutton_barto_reward }) =>
      Environment.define({
        id,
        observationSpace,
        actionSpace: new Discrete(2),
        maxEpisodeSteps,
        rewardThreshold,
        stateSize,
        create: fromFlat(dynamics(sutton_barto_reward)),
        rendering: { pace: tau, ansi: renderAnsi, svg: renderEpisodeSvg }
      })
  )

export const CartPoleV0: EnvironmentDefinition<Discrete> = cartPole("CartPole-v0", 200, 195)
export const CartPoleV1: EnvironmentDefinition<Discrete> = cartPole("CartPole-v1", 500, 475)

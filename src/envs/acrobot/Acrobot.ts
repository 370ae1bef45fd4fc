/**
 * Acrobot: Gymnasium's `Acrobot-v1`.
 *
 * ## Description
 * Two links hang from a fixed point; the joint between them is driven. Swing the free end above a height. Sutton,
 * "Generalization in Reinforcement Learning: Successful Examples Using Sparse Coarse Coding" (1996); equations of motion of
 * Sutton and Barto's book, integrated by the fourth-order Runge-Kutta method in steps of 0.2 s.
 *
 * ## Action space
 * `Discrete(3)`: a torque of -1, 0 or 1 N m at the joint.
 *
 * ## Observation space
 * `Box` of 6 float32 numbers, rounded from a float64 state:
 *
 * | Num | Observation                       | Min            | Max          |
 * | --- | --------------------------------- | -------------- | ------------ |
 * | 0   | Cosine of the first angle         | -1             | 1            |
 * | 1   | Sine of the first angle           | -1             | 1            |
 * | 2   | Cosine of the second angle        | -1             | 1            |
 * | 3   | Sine of the second angle          | -1             | 1            |
 * | 4   | Angular velocity of the first     | -12.567 (-4π)  | 12.567 (4π)  |
 * | 5   | Angular velocity of the second    | -28.274 (-9π)  | 28.274 (9π)  |
 *
 * An angle of 0 of the first link points straight down; the second is measured from the first.
 *
 * ## Rewards
 * -1 for every step, 0 for the one that reaches the height. Solved at a mean return of -100.
 *
 * ## Starting state
 * Each of the four numbers uniform in (-0.1, 0.1), rounded to float32.
 *
 * ## Episode end
 * 1. Termination: the free end is above the height, `-cos(first) - cos(first + second) > 1`.
 * 2. Truncation: 500 steps.
 *
 * ## Arguments
 * Reset options `low` and `high` (numbers) replace the bounds of the starting state.
 *
 * ## Version history
 * - v1: 500 steps instead of 200; sines and cosines instead of angles.
 */
import { cos, cos32, sin, sin32 } from "../../math/index.ts"
import { Environment } from "../Environment.ts"
import type { EnvironmentDefinition } from "../EnvironmentDefinition.ts"
import { type FlatDynamics, fromFlat } from "../FlatDynamics.ts"
import { Box } from "../spaces/Box.ts"
import { Discrete } from "../spaces/Discrete.ts"
import { startBounds } from "../startBounds.ts"
import { pace } from "./pace.ts"
import { renderAcrobotAnsi, renderAcrobotSvg } from "./rendering.ts"

const gravity = 9.8
const maxVelocity1 = 4 * Math.PI
const maxVelocity2 = 9 * Math.PI

/** Both angles, both angular velocities, and 1 in the state of a reset, which is float32: its sines are, too. */
const stateSize = 5
const fresh = 4

/** An angle from -π to π, by whole turns. */
const wrap = (angle: number): number => {
  let wrapped = angle
  while (wrapped > Math.PI) wrapped -= 2 * Math.PI
  while (wrapped < -Math.PI) wrapped += 2 * Math.PI
  return wrapped
}

const bound = (velocity: number, most: number): number => Math.min(Math.max(velocity, -most), most)

/** The slopes of the four stages; written before they are read. */
const k1 = new Float64Array(4)
const k2 = new Float64Array(4)
const k3 = new Float64Array(4)
const k4 = new Float64Array(4)

/**
 * The slope of a state. Lengths and masses of 1, centers of mass at 0.5, moments of inertia of 1. The order of operations is
 * Gymnasium's: another would round differently.
 */
const slope = (
  angle1: number,
  angle2: number,
  velocity1: number,
  velocity2: number,
  torque: number,
  into: Float64Array
): void => {
  const cosine2 = cos(angle2)
  const sine2 = sin(angle2)
  const d1 = 0.25 + (1.25 + cosine2) + 1 + 1
  const d2 = 0.25 + 0.5 * cosine2 + 1
  const phi2 = 0.5 * gravity * cos(angle1 + angle2 - Math.PI / 2)
  const phi1 = -0.5 * (velocity2 * velocity2) * sine2 - velocity2 * velocity1 * sine2 +
    1.5 * gravity * cos(angle1 - Math.PI / 2) + phi2
  const acceleration2 = (torque + d2 / d1 * phi1 - 0.5 * (velocity1 * velocity1) * sine2 - phi2) /
    (0.25 + 1 - d2 * d2 / d1)
  into[0] = velocity1
  into[1] = velocity2
  into[2] = -(d2 * acceleration2 + phi1) / d1
  into[3] = acceleration2
}

const dynamics: FlatDynamics<number> = {
  reset: (state, at, random, options) => {
    const [low, high] = startBounds(options, [-0.1, 0.1])
    for (let i = 0; i < 4; i++) state[at + i] = Math.fround(random.uniform(low, high))
    state[at + fresh] = 1
  },

  step: (state, at, action, _random, outcome) => {
    const torque = action - 1
    const half = pace / 2
    const s0 = state[at]!
    const s1 = state[at + 1]!
    const s2 = state[at + 2]!
    const s3 = state[at + 3]!
    slope(s0, s1, s2, s3, torque, k1)
    slope(s0 + half * k1[0]!, s1 + half * k1[1]!, s2 + half * k1[2]!, s3 + half * k1[3]!, torque, k2)
    slope(s0 + half * k2[0]!, s1 + half * k2[1]!, s2 + half * k2[2]!, s3 + half * k2[3]!, torque, k3)
    slope(s0 + pace * k3[0]!, s1 + pace * k3[1]!, s2 + pace * k3[2]!, s3 + pace * k3[3]!, torque, k4)
    for (let i = 0; i < 4; i++) {
      state[at + i] = state[at + i]! + pace / 6 * (k1[i]! + 2 * k2[i]! + 2 * k3[i]! + k4[i]!)
    }
    const angle1 = wrap(state[at]!)
    const angle2 = wrap(state[at + 1]!)
    state[at] = angle1
    state[at + 1] = angle2
    state[at + 2] = bound(state[at + 2]!, maxVelocity1)
    state[at + 3] = bound(state[at + 3]!, maxVelocity2)
    state[at + fresh] = 0
    const terminated = -cos(angle1) - cos(angle2 + angle1) > 1
    outcome.reward = terminated ? 0 : -1
    outcome.terminated = terminated
  },

  observe: (state, at, into, to) => {
    const cosine = state[at + fresh] === 1 ? cos32 : cos
    const sine = state[at + fresh] === 1 ? sin32 : sin
    into[to] = cosine(state[at]!)
    into[to + 1] = sine(state[at]!)
    into[to + 2] = cosine(state[at + 1]!)
    into[to + 3] = sine(state[at + 1]!)
    into[to + 4] = state[at + 2]!
    into[to + 5] = state[at + 3]!
  }
}

const high = [1, 1, 1, 1, maxVelocity1, maxVelocity2]

export const AcrobotV1: EnvironmentDefinition<Discrete> = Environment.define({
  id: "Acrobot-v1",
  observationSpace: new Box({ low: high.map((bound) => -bound), high }),
  actionSpace: new Discrete(3),
  maxEpisodeSteps: 500,
  rewardThreshold: -100,
  stateSize,
  create: fromFlat(dynamics),
  rendering: { pace, ansi: renderAcrobotAnsi, svg: renderAcrobotSvg }
})
